import { execFile } from 'node:child_process';
import { type Cloud, openCloud, openrc } from './cloud';
import { logIn } from './session';
import { type Watch, watchApi } from './watch';

// Plain Node, since npm scripts run it before anything is compiled.
const { ensureGophercloud } = require('../../../devstack/build-gophercloud.cjs') as { ensureGophercloud(): string };

const TIMEOUT = 300_000;

interface Member {
  readonly name: string;
  readonly address: string;
  readonly weight: number;
}

/** What Terraform's provider does beyond the one release of it that can be had, by the library it is made of. */
describe('gophercloud', () => {
  jest.setTimeout(TIMEOUT);
  const name = `gophercloud-${process.pid}`;
  let cloud: Cloud;
  let member: Watch;
  let admin: Watch;
  let subnetId: string;
  let projectId: string;

  beforeAll(async () => {
    cloud = await openCloud('127.72.0.0/24');
    const session = await logIn(cloud.as('member'));
    projectId = session.projectId;
    const url = session.endpoint('load-balancer');
    [member, admin] = await Promise.all([watchApi(cloud.as('member'), url), watchApi(cloud.as('admin'), url)]);
    const named = cloud.isLab ? 'private-subnet' : 'local';
    subnetId = (await session.ask('network', 'GET', `/v2.0/subnets?name=${named}`)).subnets[0].id;
  });
  afterAll(async () => {
    await Promise.all([member?.close(), admin?.close()]);
    await cloud?.close();
  });

  it('makes, changes, finds and deletes flavors, their profiles and quotas', async () => {
    const found = await run(admin, 'catalogue', name, projectId);

    expect(found['flavorprofile']).toMatchObject({
      name,
      provider_name: 'octavia',
      flavor_data: '{"loadbalancer_topology": "ACTIVE_STANDBY"}',
    });
    expect(found['data.flavorprofile']).toEqual(found['flavorprofile']);
    expect(found['flavor']).toMatchObject({ name, description: 'second', enabled: true });
    expect(found['data.flavor']).toEqual(found['flavor']);
    expect(found['quota']).toMatchObject({ listener: 70, pool: 71, member: 72, l7policy: 74, l7rule: 75 });
    expect(found['quota.unnamed']).toEqual([7, 73]);
    expect(found['quota.again']).toEqual(found['quota.default']);
  });

  it('sets the members of a pool as a whole, and finds a load balancer and its parts', async () => {
    const found = await run(member, 'balancer', name, subnetId);

    // What is empty Go writes as null.
    const membersOf = (step: string) =>
      ((found[step] ?? []) as Member[]).toSorted((a, b) => (a.address < b.address ? -1 : 1));
    const addresses = (first: number, count: number) =>
      Array.from({ length: count }, (_, at) => `10.10.2.${100 + first + at}`);
    expect(membersOf('members.created').map(({ address }) => address)).toEqual(addresses(0, 20));
    expect(membersOf('members.changed').map(({ address }) => address)).toEqual(addresses(10, 20));
    expect(new Set(membersOf('members.changed').map(({ weight }) => weight))).toEqual(new Set([5]));
    expect(membersOf('members.deleted')).toEqual([]);
    for (const part of ['loadbalancer', 'listener', 'pool', 'monitor']) {
      expect(found[`data.${part}`]).toMatchObject({ name, provisioning_status: 'ACTIVE' });
    }
    expect(found['data.member']).toMatchObject({ name: `${name}-1`, address: '10.10.2.101', protocol_port: 80 });
  });

  // Looks back on both.
  it('has met no conflict and no error of the server', () => {
    const exchanges = [...member.exchanges, ...admin.exchanges];
    expect(exchanges.length).toBeGreaterThan(40);
    expect(exchanges.filter(({ status }) => status === 409 || status >= 500)).toEqual([]);
  });
});

function run({ person }: Watch, ...args: string[]): Promise<Record<string, unknown>> {
  // The library has one domain, of user and project.
  const env = { ...openrc(person), OS_DOMAIN_NAME: 'Default' };
  return new Promise((resolve, reject) => {
    execFile(ensureGophercloud(), args, { env, timeout: TIMEOUT }, (error, stdout, stderr) => {
      if (error) reject(new Error(`gophercloud ${args[0]}: ${error.code}\n${stderr}`));
      else resolve(JSON.parse(stdout) as Record<string, unknown>);
    });
  });
}
