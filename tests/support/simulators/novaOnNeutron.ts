import { createNetwork } from '../../../driver/clouds/network/model/networks';
import { createPort, deletePort, updatePort } from '../../../driver/clouds/network/model/ports';
import { createSubnet } from '../../../driver/clouds/network/model/subnets';
import { type NeutronOverHttp, startNeutronOverHttp } from './neutronOverHttp';
import type { NovaBehaviour, PortService } from './nova/model';
import { type NovaOverHttp, startNovaOverHttp } from './novaOverHttp';

/** A Nova whose servers' ports are those of a Neutron, both behind their HTTP faces, in the project `service`. */
export interface NovaOnNeutron {
  readonly compute: NovaOverHttp;
  readonly network: NeutronOverHttp;
  /** Without DHCP and without a router. */
  readonly managementNetworkId: string;
  /** The project's. */
  readonly projectId: string;
  close(): Promise<void>;
}

export async function startNovaOnNeutron(behaviour: Partial<NovaBehaviour> = {}): Promise<NovaOnNeutron> {
  const network = await startNeutronOverHttp();
  const { keystone, network: cloud } = network.cloud;
  const { model } = cloud;
  const projectId = keystone.directory.projects.find(({ name }) => name === 'service')?.id ?? '';
  const { id: managementNetworkId } = await createNetwork(model, { name: 'management', projectId });
  await createSubnet(model, {
    ...{ name: 'management', projectId, networkId: managementNetworkId },
    ...{ cidr: '10.250.0.0/16', gatewayIp: null, enableDhcp: false },
  });
  const ports: PortService = {
    projectId,
    find(id) {
      const port = model.ports.get(id);
      const address = port?.fixed_ips[0]?.ip_address ?? '';
      return port && { projectId: port.project_id, networkId: port.network_id, deviceId: port.device_id, address };
    },
    async bind(id, deviceId, deviceOwner) {
      if (model.ports.get(id)) await updatePort(model, id, { device_id: deviceId, device_owner: deviceOwner });
    },
    async create(networkId, deviceId) {
      const made = { name: '', projectId, networkId, deviceId, deviceOwner: 'compute:nova' };
      const port = await createPort(model, made);
      return { id: port.id, networkId, address: port.fixed_ips[0]?.ip_address ?? '' };
    },
    async remove(id) {
      if (model.ports.get(id)) await deletePort(model, id);
    },
  };
  const compute = await startNovaOverHttp({ network: ports, ...behaviour });
  return {
    ...{ compute, network, managementNetworkId, projectId },
    async close() {
      await compute.close();
      await network.close();
    },
  };
}
