import { type ContrailCloud, type ContrailCloudOptions, startContrailCloud } from './contrailCloud';
import { issueToken } from './keystone';
import type { NovaBehaviour, PortService } from './nova/model';
import { type NovaOverHttp, startNovaOverHttp } from './novaOverHttp';

/** A Nova whose servers' ports are those of a Neutron with Contrail behind it, in the project `service`. */
export interface NovaOnContrail {
  readonly compute: NovaOverHttp;
  readonly cloud: ContrailCloud;
  /** Without DHCP and without a router. */
  readonly managementNetworkId: string;
  /** The project's. */
  readonly projectId: string;
  close(): Promise<void>;
}

/**
 * Servers are told of by `onBoot` when their ports have the server's host: that is when a vRouter would take them up. A host
 * with a `virtual-router` object in Contrail gets its link to the machine.
 */
export async function startNovaOnContrail(
  behaviour: Partial<NovaBehaviour> = {},
  options: ContrailCloudOptions = {},
): Promise<NovaOnContrail> {
  const cloud = await startContrailCloud(options);
  const projectId = cloud.projectId('service');
  const { networkId: managementNetworkId } = await cloud.addNetwork({
    ...{ name: 'management', projectId, cidr: '10.250.0.0/16', gatewayIp: null },
  });
  const hostOf = (serverId: string): string | null => compute.nova.model.servers.get(serverId)?.host ?? null;
  const ports = portsOf(cloud, projectId, hostOf);
  const { onBoot } = behaviour;
  const compute = await startNovaOverHttp({
    network: ports,
    ...behaviour,
    onBoot(server) {
      const bound = server.ports.map(({ id }) => ports.bind(id, server.id, 'compute:nova'));
      void Promise.all(bound).then(() => onBoot?.(server));
    },
  });
  return {
    ...{ compute, cloud, managementNetworkId, projectId },
    async close() {
      await compute.close();
      await cloud.close();
    },
  };
}

/** The ports of a Contrail's Neutron, as Nova uses them. */
function portsOf(cloud: ContrailCloud, projectId: string, hostOf: (serverId: string) => string | null): PortService {
  const { store } = cloud.contrail;
  const find = (id: string) => store.get('virtual-machine-interface', id);
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const token = issueToken(cloud.keystone, 'admin', 'admin');
    const answer = await fetch(`${cloud.networkUrl}/v2.0/ports${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', 'X-Auth-Token': token },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ports${path}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  };
  return {
    projectId,
    find(id) {
      const port = find(id);
      if (!port) return undefined;
      const machine = store.get('virtual-machine', port.refs['virtual-machine']?.[0]?.uuid ?? '');
      return {
        projectId: (port.parentUuid ?? '').replaceAll('-', ''),
        networkId: port.refs['virtual-network']?.[0]?.uuid ?? '',
        deviceId: machine?.name ?? '',
        address: addressOf(cloud, id),
      };
    },
    async bind(id, deviceId, deviceOwner) {
      if (!find(id)) return;
      const host = deviceId === '' ? '' : hostOf(deviceId);
      const binding = host === null ? {} : { 'binding:host_id': host };
      await call('PUT', `/${id}`, { port: { device_id: deviceId, device_owner: deviceOwner, ...binding } });
    },
    async create(networkId, deviceId) {
      const wanted = {
        network_id: networkId,
        project_id: projectId,
        device_id: deviceId,
        device_owner: 'compute:nova',
      };
      const { port } = (await call('POST', '', { port: wanted })) as { port: { id: string } };
      return { id: port.id, networkId, address: addressOf(cloud, port.id) };
    },
    async remove(id) {
      if (find(id)) await call('DELETE', `/${id}`);
    },
  };
}

function addressOf({ contrail }: ContrailCloud, portId: string): string {
  const [ip] = contrail.store.referrers(portId, 'instance-ip');
  return String(ip?.properties['instance_ip_address'] ?? '');
}
