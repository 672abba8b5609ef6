import type { ApiClient } from '../support/apiClient';

/** What a user does at the site's Neutron. */
export interface Network {
  localNetworkId(): Promise<string>;
  /** On the local network; the one that is there if it has been made before. */
  createSubnet(cidr: string): Promise<string>;
  /** On the local network, at that address of the local subnet. */
  createPort(where: { readonly ip_address: string }): Promise<string>;
  deletePort(id: string): Promise<void>;
  /** True if a port of the local network has the address. */
  isTaken(address: string): Promise<boolean>;
}

/** As the user that is logged in. */
export function networkOf({ token, endpoint, subnetId }: ApiClient): Network {
  const url = `${endpoint('network').replace(/\/v2\.0\/?$/, '')}/v2.0`;
  const send = async (method: string, path: string, body?: object) => {
    const headers = { 'x-auth-token': token, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text || '{}');
  };
  const localNetworkId = async (): Promise<string> => (await send('GET', `subnets/${subnetId}`)).subnet.network_id;
  return {
    localNetworkId,
    async createSubnet(cidr) {
      const network_id = await localNetworkId();
      const ip_version = cidr.includes(':') ? 6 : 4;
      const { subnets } = await send('GET', `subnets?network_id=${network_id}`);
      const there = (subnets as { id: string; cidr: string }[]).find((subnet) => subnet.cidr === cidr);
      if (there) return there.id;
      return (await send('POST', 'subnets', { subnet: { network_id, cidr, ip_version, gateway_ip: null } })).subnet.id;
    },
    async createPort({ ip_address }) {
      const fixed_ips = [{ subnet_id: subnetId, ip_address }];
      return (await send('POST', 'ports', { port: { network_id: await localNetworkId(), fixed_ips } })).port.id;
    },
    deletePort: (id) => send('DELETE', `ports/${id}`),
    async isTaken(address) {
      const { ports } = await send('GET', 'ports');
      return (ports as { fixed_ips: { ip_address: string }[] }[]).some(({ fixed_ips }) =>
        fixed_ips.some(({ ip_address }) => ip_address === address),
      );
    },
  };
}
