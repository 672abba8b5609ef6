import { z } from 'zod';
import { runIn } from '../../../../devstack/lab/hosts/shell';
import { CONTROLLER } from '../hypervisor';
import type { Stage } from '../stage';
import { first } from './case';

/** A load balancer in a group of its own, whose engine boots and has no way to the controllers. */
export interface Ghost {
  readonly balanced: { readonly id: string };
  /** When it was asked for, on the clock of `performance`. */
  readonly from: number;
  /** Gives what switches it on again. */
  switchOffDhcp(): Promise<() => Promise<unknown>>;
  /** To the controllers. */
  letIn(): Promise<void>;
}

const Subnets = z.object({ subnets: z.array(z.object({ id: z.string() })) });
const NAME = 'ghostly';

export async function beginGhost({ site, front }: Stage): Promise<Ghost> {
  const { api, cloud, db, hypervisor, reaches } = site;
  const known: { compute_id: string; management_address: string }[] = await db('service_engine').select(
    ...['compute_id', 'management_address'],
  );
  const management = (hypervisor.machineOf(known[0]?.compute_id ?? '') ?? '').replace(/m-[^-]+$/, 'm-mgmt');
  const addresses = known.map(({ management_address: address }) => address).join(', ');
  const rule = `add rule inet ghost in ip daddr ${CONTROLLER} ip saddr != { ${addresses} } drop`;
  const chain = 'add chain inet ghost in { type filter hook input priority 0; }';
  await runIn(management, 'nft', ['-f', '-'], `add table inet ghost\n${chain}\n${rule}\n`);
  const group = { name: NAME, min_se: 0, buffer_se: 0, max_se: 2 };
  await api('POST', '/v2/slipstream/service-engine-groups', { service_engine_group: group });
  const flavor_id = await site.flavor({ service_engine_group: NAME });
  const from = performance.now();
  const wanted = { name: NAME, vip_subnet_id: first(front.subnetIds), flavor_id };
  const listeners = [{ name: 'tcp', protocol: 'TCP', protocol_port: 80, default_pool: POOL }];
  const { loadbalancer } = await api('POST', '/v2/lbaas/loadbalancers', { loadbalancer: { ...wanted, listeners } });
  return {
    ...{ balanced: loadbalancer, from },
    async switchOffDhcp() {
      const path = `/subnets?network_id=${cloud.managementNetworkId}`;
      const { id } = first(Subnets.parse(await cloud.neutron('GET', path)).subnets);
      const write = (enable_dhcp: boolean) => cloud.neutron('PUT', `/subnets/${id}`, { subnet: { enable_dhcp } });
      await write(false);
      return () => write(true);
    },
    async letIn() {
      await runIn(management, 'nft', ['delete', 'table', 'inet', 'ghost']);
      await reaches(loadbalancer.id);
    },
  };
}

const POOL = {
  name: 'pool',
  protocol: 'TCP',
  lb_algorithm: 'ROUND_ROBIN',
  members: [{ address: '10.10.0.4', protocol_port: 8080 }],
};
