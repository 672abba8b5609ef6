import { z } from 'zod';
import { type FaultCase, first, overwrite, type Scene, storedIn } from './case';

const VMI = 'virtual-machine-interface';
const PAIRS = 'virtual_machine_interface_allowed_address_pairs';
const Made = z.record(z.string(), z.object({ id: z.string() }));

const neutron = ({ stage }: Scene) => stage.site.cloud.neutron;
const portOf = ({ ports }: Scene): string => first(ports);
const store = ({ stage }: Scene) => stage.site.cloud.contrail.contrail.store;
const floatingIpOf = (scene: Scene) => first(store(scene).referrers(scene.vipPortId, 'floating-ip'));

/** Ports, pairs, groups and floating IPs in Contrail, as operators, tenants and Neutron get at them. */
export const WIRING_CASES: readonly FaultCase[] = [
  {
    fault: 'pair-missing',
    title: 'an address pair is removed',
    on: 'paired',
    shown: 'A pair was removed',
    breaks: (scene) => overwrite(scene, [VMI, portOf(scene)], { [PAIRS]: { allowed_address_pair: [] } }),
  },
  {
    fault: 'pair-standby',
    title: 'a Neutron update takes the pairs back to active-standby',
    on: 'paired',
    shown: 'Neutron reset a pair',
    async breaks(scene) {
      const before = storedIn(scene, VMI, portOf(scene)).properties[PAIRS];
      const pairs = [{ ip_address: scene.balanced.vip }];
      await neutron(scene)('PUT', `/ports/${portOf(scene)}`, { port: { allowed_address_pairs: pairs } });
      return () => scene.hand.put(VMI, portOf(scene), { [PAIRS]: before });
    },
  },
  {
    fault: 'duplicate-vip',
    title: 'a stranger claims the VIP',
    on: 'paired',
    async breaks(scene) {
      const { front, site } = scene.stage;
      const port = {
        ...{ network_id: front.id, project_id: site.cloud.projectId, name: 'stranger' },
        allowed_address_pairs: [{ ip_address: scene.balanced.vip }],
      };
      const made = Made.parse(await neutron(scene)('POST', '/ports', { port }));
      return () => neutron(scene)('DELETE', `/ports/${made['port']?.id}`);
    },
  },
  {
    fault: 'overlapping-static-route',
    title: 'a host route of the subnet covers the VIP',
    on: 'paired',
    async breaks(scene) {
      const subnet = `/subnets/${first(scene.stage.front.subnetIds)}`;
      const route = (destination: string) => ({ host_routes: [{ destination, nexthop: '10.10.0.77' }] });
      await neutron(scene)('PUT', subnet, { subnet: route('10.10.0.0/25') });
      return () => neutron(scene)('PUT', subnet, { subnet: route('192.0.2.0/24') });
    },
  },
  {
    fault: 'security-group',
    title: 'an engine’s port is given a group that lets nothing in',
    on: 'paired',
    async breaks(scene) {
      const before = (storedIn(scene, VMI, portOf(scene)).refs['security-group'] ?? []).map(({ uuid }) => uuid);
      const group = { name: 'shut', project_id: scene.stage.site.cloud.contrail.projectId('service') };
      const made = Made.parse(await neutron(scene)('POST', '/security-groups', { security_group: group }));
      const id = made['security_group']?.id ?? '';
      const write = (ids: readonly string[]) =>
        neutron(scene)('PUT', `/ports/${portOf(scene)}`, { port: { security_groups: ids } });
      await write([id]);
      return async () => {
        await write(before);
        await neutron(scene)('DELETE', `/security-groups/${id}`);
      };
    },
  },
  {
    fault: 'policy-disabled',
    title: 'policy is disabled on an engine’s port',
    on: 'paired',
    breaks: (scene) => overwrite(scene, [VMI, portOf(scene)], { virtual_machine_interface_disable_policy: true }),
  },
  {
    fault: 'port-disabled',
    title: 'an engine’s port is switched off',
    on: 'paired',
    async breaks(scene) {
      const write = (admin_state_up: boolean) =>
        neutron(scene)('PUT', `/ports/${portOf(scene)}`, { port: { admin_state_up } });
      await write(false);
      return () => write(true);
    },
  },
  {
    fault: 'health-check-unlinked',
    title: 'the health check is unlinked from a port',
    on: 'paired',
    async breaks(scene) {
      const check = first(storedIn(scene, VMI, portOf(scene)).refs['service-health-check'] ?? []).uuid;
      const link = (operation: 'ADD' | 'DELETE') =>
        scene.hand.link(VMI, portOf(scene), 'service-health-check', check, operation);
      await link('DELETE');
      return () => link('ADD');
    },
  },
  {
    fault: 'health-check-disabled',
    title: 'the health check is switched off',
    on: 'paired',
    breaks(scene) {
      const check = first(storedIn(scene, VMI, portOf(scene)).refs['service-health-check'] ?? []).uuid;
      const name = 'service_health_check_properties';
      const properties = storedIn(scene, 'service-health-check', check).properties[name] as object;
      return overwrite(scene, ['service-health-check', check], { [name]: { ...properties, enabled: false } });
    },
  },
  {
    fault: 'floating-ip-refs',
    title: 'the tenant associates the floating IP anew',
    on: 'paired',
    async breaks(scene) {
      const { uuid, refs, properties } = floatingIpOf(scene);
      const fixed = properties['floating_ip_fixed_ip_address'];
      const links = refs[VMI] ?? [];
      await neutron(scene)('PUT', `/floatingips/${uuid}`, { floatingip: { port_id: scene.vipPortId } });
      return async () => {
        for (const link of links) await scene.hand.link('floating-ip', uuid, VMI, link.uuid, 'ADD');
        await scene.hand.put('floating-ip', uuid, { floating_ip_fixed_ip_address: fixed });
      };
    },
  },
  {
    fault: 'floating-ip-fixed-address',
    title: 'the fixed address of the floating IP is cleared',
    on: 'paired',
    breaks: (scene) =>
      overwrite(scene, ['floating-ip', floatingIpOf(scene).uuid], { floating_ip_fixed_ip_address: null }),
  },
  {
    fault: 'floating-network-not-external',
    title: 'the network of floating IPs is made internal',
    on: 'paired',
    breaks: (scene) => overwrite(scene, ['virtual-network', scene.stage.outside.id], { router_external: false }),
  },
];
