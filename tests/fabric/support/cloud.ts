import { z } from 'zod';
import { type ContrailCloud, startContrailCloud } from '../../support/simulators/contrailCloud';
import { issueToken } from '../../support/simulators/keystone';
import type { PortService } from '../../support/simulators/nova/model';
import { type NovaOverHttp, startNovaOverHttp } from '../../support/simulators/novaOverHttp';

/** A Contrail, the Neutron in front of it and a Nova whose servers' ports are those of that Neutron. */
export interface FabricCloud {
  readonly contrail: ContrailCloud;
  readonly nova: NovaOverHttp;
  readonly managementNetworkId: string;
  /** Of the tenant. */
  readonly projectId: string;
  neutron(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<unknown>;
  addNetwork(name: string, cidrs: readonly string[], external?: boolean): Promise<FabricNetwork>;
  /** Of another tenant. */
  addNetworkOf(projectId: string, name: string, cidrs: readonly string[]): Promise<FabricNetwork>;
  addPort(networkId: string, host: string): Promise<FabricPort>;
  portOf(id: string): FabricPort | undefined;
  close(): Promise<void>;
}

export interface FabricNetwork {
  readonly id: string;
  readonly subnetIds: readonly string[];
}

export interface FabricPort {
  readonly id: string;
  readonly networkId: string;
  readonly macAddress: string;
  readonly fixedIps: readonly { readonly subnetId: string; readonly address: string }[];
}

const Port = z.object({
  id: z.string(),
  network_id: z.string(),
  mac_address: z.string(),
  fixed_ips: z.array(z.object({ subnet_id: z.string(), ip_address: z.string() })),
});
const dashless = (id: string): string => id.replaceAll('-', '');

export async function startFabricCloud(hosts: readonly string[]): Promise<FabricCloud> {
  const contrail = await startContrailCloud({ settle: 100 });
  const { keystone, networkUrl } = contrail;
  const { store } = contrail.contrail;
  const neutron: FabricCloud['neutron'] = async (method, path, body) => {
    const headers = { 'Content-Type': 'application/json', 'X-Auth-Token': issueToken(keystone, 'admin', 'admin') };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(`${networkUrl}/v2.0${path}`, { method, headers, ...sent });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const serviceProject = contrail.projectId('service');
  const projectId = contrail.projectId('demo');
  const makePort = async (attributes: object): Promise<FabricPort> => {
    const made = z.object({ port: Port }).parse(await neutron('POST', '/ports', { port: attributes })).port;
    const fixedIps = made.fixed_ips.map((one) => ({ subnetId: one.subnet_id, address: one.ip_address }));
    return { id: made.id, networkId: made.network_id, macAddress: made.mac_address, fixedIps };
  };
  const portOf = (id: string): FabricPort | undefined => {
    const vmi = store.get('virtual-machine-interface', id);
    const networkId = vmi?.refs['virtual-network']?.[0]?.uuid;
    const macs = z
      .object({ mac_address: z.array(z.string()) })
      .safeParse(vmi?.properties['virtual_machine_interface_mac_addresses']).data?.mac_address;
    if (!vmi || networkId === undefined) return undefined;
    const fixedIps = store.referrers(id, 'instance-ip').map(({ properties }) => ({
      subnetId: String(properties['subnet_uuid'] ?? ''),
      address: String(properties['instance_ip_address']),
    }));
    return { id, networkId, macAddress: macs?.[0] ?? '', fixedIps };
  };
  const ports: PortService = {
    projectId: serviceProject,
    find(id) {
      const vmi = store.get('virtual-machine-interface', id);
      const port = portOf(id);
      const machine = vmi?.refs['virtual-machine']?.[0]?.uuid ?? '';
      const isOwn = dashless(vmi?.parentUuid ?? '') === dashless(serviceProject);
      return (
        port && {
          projectId: isOwn ? serviceProject : dashless(vmi?.parentUuid ?? ''),
          networkId: port.networkId,
          deviceId: machine,
          address: port.fixedIps[0]?.address ?? '',
        }
      );
    },
    async bind(id, deviceId, deviceOwner) {
      if (!store.get('virtual-machine-interface', id)) return;
      const unbound = deviceId === '' ? { 'binding:host_id': '' } : {};
      await neutron('PUT', `/ports/${id}`, { port: { device_id: deviceId, device_owner: deviceOwner, ...unbound } });
    },
    async create(networkId, deviceId) {
      const named = { network_id: networkId, device_id: deviceId, device_owner: 'compute:nova' };
      const port = await makePort({ ...named, project_id: serviceProject });
      return { id: port.id, networkId, address: port.fixedIps[0]?.address ?? '' };
    },
    async remove(id) {
      if (store.get('virtual-machine-interface', id)) await neutron('DELETE', `/ports/${id}`);
    },
  };
  const nova = await startNovaOverHttp({ network: ports, hosts });
  const makeNetwork = async (
    { name, owner, external }: { readonly name: string; readonly owner: string; readonly external: boolean },
    [first = '', ...rest]: readonly string[],
  ): Promise<FabricNetwork> => {
    const { networkId, subnetId } = await contrail.addNetwork({ name, projectId: owner, cidr: first, external });
    const subnetIds = [subnetId];
    for (const cidr of rest) {
      const subnet = { network_id: networkId, project_id: owner, cidr, ip_version: cidr.includes(':') ? 6 : 4 };
      const made = z.object({ subnet: z.object({ id: z.string() }) });
      subnetIds.push(made.parse(await neutron('POST', '/subnets', { subnet })).subnet.id);
    }
    return { id: networkId, subnetIds };
  };
  const management = await contrail.addNetwork({
    ...{ name: 'management', projectId: serviceProject, cidr: '10.250.0.0/24' },
    gatewayIp: null,
  });
  return {
    ...{ contrail, nova, projectId, neutron, portOf },
    addNetwork: (name, cidrs, external = false) =>
      makeNetwork({ name, owner: external ? serviceProject : projectId, external }, cidrs),
    addNetworkOf: (owner, name, cidrs) => makeNetwork({ name, owner, external: false }, cidrs),
    managementNetworkId: management.networkId,
    addPort: (networkId, host) =>
      makePort({
        ...{ network_id: networkId, project_id: projectId, device_owner: 'compute:nova' },
        'binding:host_id': host,
      }),
    async close() {
      await nova.close();
      await contrail.close();
    },
  };
}
