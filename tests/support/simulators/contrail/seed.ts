import { randomUUID } from 'node:crypto';

/** A network that is there from the start. */
export interface SeededNetwork {
  readonly name: string;
  readonly cidr: string;
  readonly project: string;
  readonly external?: boolean;
}

/** An external network and two of a tenant. */
export const SEEDS: readonly SeededNetwork[] = [
  { name: 'public', cidr: '203.0.113.0/24', project: 'admin', external: true },
  { name: 'management', cidr: '10.250.0.0/16', project: 'service' },
  { name: 'private', cidr: '10.10.0.0/24', project: 'demo' },
  { name: 'backend', cidr: '10.20.0.0/24', project: 'demo' },
];

/** Makes the networks through the neutron backend of the API server, and the projects they are of; gives their ids. */
export async function seedNetworks(
  url: string,
  given: { readonly networks: readonly SeededNetwork[]; readonly token?: string },
): Promise<readonly (SeededNetwork & { readonly id: string })[]> {
  const { networks, token } = given;
  const headers = { 'Content-Type': 'application/json', ...(token === undefined ? {} : { 'X-Auth-Token': token }) };
  const post = async (path: string, body: object): Promise<unknown> => {
    const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const made = [];
  for (const network of networks) {
    const name = ['default-domain', network.project];
    const { uuid } = (await post('/fqname-to-id', { type: 'project', fq_name: name })) as { uuid: string };
    const tenant = uuid.replaceAll('-', '');
    const context = { operation: 'CREATE', is_admin: true, roles: ['admin'], tenant, tenant_id: tenant, user_id: '' };
    const id = randomUUID();
    const wanted = { id, name: network.name, tenant_id: tenant, 'router:external': network.external === true };
    await post('/neutron/network', { context, data: { resource: wanted } });
    const ip_version = network.cidr.includes(':') ? 6 : 4;
    const subnet = { name: network.name, network_id: id, cidr: network.cidr, ip_version, tenant_id: tenant };
    await post('/neutron/subnet', { context, data: { resource: subnet } });
    made.push({ ...network, id });
  }
  return made;
}
