import { type Site, startSite } from '../../support/site';
import { type Client, openClient } from './commands';
import { tellOfAmphorae } from './stories/amphorae';
import { tellOfCatalogue } from './stories/catalogue';
import { tellOfL7 } from './stories/l7';
import { tellOfLoadBalancers } from './stories/loadBalancers';
import { tellOfQuotas } from './stories/quotas';
import { tellOfRoles } from './stories/roles';
import { tellOfTraffic } from './stories/traffic';

/** A story may take this long: a command costs its own time and that of the machine, and `--wait` looks every 3 s. */
const STORY_TIMEOUT = 120_000;

export interface Installation {
  /** Gives the interpreter that has the client; called when the tests run. */
  readonly python: () => string;
  /** The first three numbers of the VIPs of its site, for no other site to use. */
  readonly vipNetwork: string;
}

/** Runs stories by an installation's commands, against a site of their own. */
export function describeCommands(
  name: string,
  { python, vipNetwork }: Installation,
  tell: (client: () => Client) => void,
): void {
  describe(name, () => {
    jest.setTimeout(STORY_TIMEOUT);
    let site: Site;
    let opened: Client;
    beforeAll(async () => {
      site = await startSite({ vipCidr: `${vipNetwork}.0/24` });
      opened = await openClient(python(), site);
    });
    afterAll(async () => {
      await opened?.close();
      await site?.dispose();
    });

    tell(() => opened);
  });
}

/** Runs every `openstack loadbalancer` command of an installation. */
export function describeEveryCommand(name: string, installation: Installation): void {
  describeCommands(`every load-balancer command of ${name}`, installation, (client) => {
    tellOfLoadBalancers(client, `${installation.vipNetwork}.200`);
    tellOfTraffic(client);
    tellOfL7(client);
    tellOfCatalogue(client);
    tellOfQuotas(client);
    tellOfAmphorae(client);
    tellOfRoles(client);

    // In a group of its own, which jest runs after those above: it looks back on them.
    describe('all together', () => {
      it('leave out no command that the client has', () => {
        const { known, ran } = client();
        expect(known.length).toBeGreaterThanOrEqual(82);
        expect(known.filter((command) => !ran.has(command))).toEqual([]);
      });
    });
  });
}
