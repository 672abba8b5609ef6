import { logIn, type Session } from './clients/session';
import type { Lab } from './lab';

/** Everything in the cloud that costs or confuses somebody: what it is, by `kind id`. */
export type Inventory = Readonly<Record<string, string>>;

interface Thing {
  readonly id: string;
  readonly name?: string | null;
  readonly device_owner?: string;
  readonly floating_ip_address?: string;
  readonly project_id?: string;
  readonly tenant_id?: string;
}

/** Kind, service, path, key of the answer. Neutron leaves out nothing for an admin; the others have to be asked for all. */
const LISTS: readonly (readonly [kind: string, service: string, path: string, key: string])[] = [
  ['network', 'network', '/v2.0/networks', 'networks'],
  ['subnet', 'network', '/v2.0/subnets', 'subnets'],
  ['port', 'network', '/v2.0/ports', 'ports'],
  ['router', 'network', '/v2.0/routers', 'routers'],
  ['security group', 'network', '/v2.0/security-groups', 'security_groups'],
  ['floating IP', 'network', '/v2.0/floatingips', 'floatingips'],
  ['QoS policy', 'network', '/v2.0/qos/policies', 'policies'],
  ['server', 'compute', '/servers/detail?all_tenants=1', 'servers'],
  ['server group', 'compute', '/os-server-groups?all_projects=True', 'server_groups'],
  ['image', 'image', '/v2/images', 'images'],
  ['load balancer', 'load-balancer', '/v2/lbaas/loadbalancers', 'loadbalancers'],
];

/** Looks as an admin who sees all projects. */
export async function takeInventory(lab: Lab): Promise<Inventory> {
  const admin = await logIn(lab.person('admin', 'admin'));
  const parts = await Promise.all(LISTS.map((list) => readList(admin, list)));
  return Object.fromEntries(parts.flat());
}

async function readList(
  admin: Session,
  [kind, service, path, key]: (typeof LISTS)[number],
): Promise<[string, string][]> {
  const answer = (await admin.ask(service, 'GET', path)) as Record<string, Thing[]>;
  // Neutron makes the group of that name for every project that is first heard of.
  const things = (answer[key] ?? []).filter(({ name }) => kind !== 'security group' || name !== 'default');
  return things.map((thing) => [`${kind} ${thing.id}`, describe(thing)]);
}

function describe({ name, device_owner: owner, floating_ip_address: address, ...thing }: Thing): string {
  const project = thing.project_id ?? thing.tenant_id ?? '';
  return [name ?? '', owner ?? '', address ?? '', `project ${project}`].filter((part) => part !== '').join(', ');
}

/** What the one has and the other has not. */
export function difference(one: Inventory, other: Inventory): string[] {
  return Object.keys(one)
    .filter((key) => !(key in other))
    .map((key) => `${key} (${one[key]})`);
}
