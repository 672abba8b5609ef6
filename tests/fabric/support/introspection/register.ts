import { createIntrospector } from '../../../../driver/clouds/contrail/introspect/introspector';
import type { Introspection } from '../../../../driver/trace/collect/collect';
import { createIntrospection } from '../../../../driver/trace/collect/planes';
import { vncHand } from '../../../support/vncHand';
import type { Introspected } from './serve';

/** As deployments of Contrail have them in its configuration: who reads it finds control-nodes and vRouters by them. */
export async function registerHosts(url: string, { controlNodes, vRouters }: Introspected): Promise<void> {
  const hand = vncHand(url);
  const fabricNetwork = ['default-domain', 'default-project', 'ip-fabric'];
  const instance = [...fabricNetwork, '__default__'];
  await hand.make('virtual-network', { fq_name: fabricNetwork, parent_type: 'project' });
  await hand.make('routing-instance', { fq_name: instance, parent_type: 'virtual-network' });
  for (const { name, address } of controlNodes) {
    const parameters = { address, router_type: 'control-node', vendor: 'contrail', autonomous_system: 64_512 };
    const members = { fq_name: [...instance, name], parent_type: 'routing-instance' };
    await hand.make('bgp-router', { ...members, bgp_router_parameters: parameters });
  }
  for (const { name, address } of vRouters) {
    const members = { fq_name: ['default-global-system-config', name], parent_type: 'global-system-config' };
    await hand.make('virtual-router', { ...members, virtual_router_ip_address: address });
  }
}

/** As the API process has it from the configuration. */
export function introspectionOf({ controlPort, agentPort }: Introspected): Introspection {
  const introspector = createIntrospector({ timeout: 4_000, controlPort, agentPort, ssl: false });
  return createIntrospection({ introspector, controlNodes: [], patience: 8_000 });
}
