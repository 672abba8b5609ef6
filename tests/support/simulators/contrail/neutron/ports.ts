import type { Entity } from '../database';
import { type Json, listOf, type Members, textOf } from '../json';
import { deleteObject } from '../resources';
import { targetsOf } from '../rules/rules';
import { withDashes } from '../site';
import { NeutronFault, turning, unknownId } from './errors';
import { addFixedIps, removeFixedIps, replaceFixedIps } from './fixedIps';
import { bindingsOf, leaveMachine, plugIn } from './machines';
import { networkOf } from './networks';
import { fromPairs, showPort } from './portView';
import {
  applyCommon,
  change,
  createNamed,
  firstOf,
  type NeutronCall,
  type NeutronResource,
  projectOf,
  refTo,
} from './request';

export const ports: NeutronResource = {
  async create(call) {
    const { site, resource } = call;
    const project = await projectOf(call);
    const network = networkOf(site.db, textOf(resource['network_id']) ?? '');
    const secure = (resource['port_security_enabled'] ?? network.properties.get('port_security_enabled')) !== false;
    const groups = groupsOf(call, project, secure);
    if (!secure && groups.length > 0) throw hasGroups(textOf(resource['id']) ?? '');
    const mac = textOf(resource['mac_address']);
    const port = createNamed(call, 'virtual-machine-interface', project, {
      ...{
        name: textOf(resource['name']) ?? '',
        port_security_enabled: secure,
        virtual_network_refs: [refTo(network)],
      },
      security_group_refs: groups.map((group) => refTo(group)),
      virtual_machine_interface_bindings: { key_value_pair: bindingsOf({}, resource) },
      ...(mac === undefined ? {} : { virtual_machine_interface_mac_addresses: { mac_address: [mac] } }),
      ...pairsOf(resource),
      ...ownerOf(resource),
    });
    applyCommon(port, resource);
    addFixedIps(call, port, network);
    plugIn(call, port);
    return showPort(site.db, port);
  },
  read: ({ site, id }) => showPort(site.db, portOf(site.db, id)),
  update: updatePort,
  remove: removePort,
  list: (call) => candidates(call).map((port) => showPort(call.site.db, port)),
  filters: [
    'id',
    'name',
    'tenant_id',
    'project_id',
    'network_id',
    'device_id',
    'device_owner',
    'fixed_ips',
    'mac_address',
  ],
};

type Db = NeutronCall['site']['db'];

/** @throws NeutronFault PortNotFound */
export function portOf(db: Db, id: string): Entity {
  const port = db.typed('virtual-machine-interface', id);
  if (!port) throw new NeutronFault('PortNotFound', { port_id: id });
  return port;
}

function updatePort(call: NeutronCall): Members {
  const { site, resource, id } = call;
  const { db } = site;
  const port = portOf(db, id);
  const groups = 'security_groups' in resource ? groupsNamed(call) : undefined;
  const secure = (resource['port_security_enabled'] ?? port.properties.get('port_security_enabled')) !== false;
  const count = groups?.length ?? port.refs.get('security-group')?.size ?? 0;
  if (!secure && count > 0) throw hasGroups(id);
  const bindings = bindingsOf(keysOf(port), resource);
  const changes: Members = {
    ...(typeof resource['name'] === 'string' && { display_name: resource['name'] }),
    ...(groups && { security_group_refs: groups.map((group) => refTo(group)) }),
    ...(typeof resource['port_security_enabled'] === 'boolean' && { port_security_enabled: secure }),
    ...('binding:host_id' in resource && { virtual_machine_interface_bindings: { key_value_pair: bindings } }),
    ...pairsOf(resource),
    ...ownerOf(resource),
  };
  turning(
    () => change(call, port, changes),
    ({ message }) => new NeutronFault('BadRequest', { resource: 'port', msg: message }),
  );
  applyCommon(port, resource);
  if ('fixed_ips' in resource) replaceFixedIps(call, port, networkOf(db, targetsOf(port, 'virtual-network')[0] ?? ''));
  plugIn(call, port);
  return showPort(db, port);
}

/** In this order, whatever then stands in the way: the addresses, what floats, the port, its machine. */
function removePort({ site, id, caller }: NeutronCall): void {
  const { db } = site;
  const port = db.typed('virtual-machine-interface', id);
  if (!port) throw unknownId('virtual-machine-interface', id);
  removeFixedIps(site, port, caller);
  for (const uuid of db.referrers(id, 'floating-ip')) {
    const floatingIp = db.get(uuid);
    if (!floatingIp) continue;
    for (const other of targetsOf(floatingIp, 'virtual-machine-interface')) {
      db.unlink(floatingIp, 'virtual-machine-interface', other);
    }
    floatingIp.properties.delete('floating_ip_fixed_ip_address');
    db.touch(floatingIp);
  }
  const machines = targetsOf(port, 'virtual-machine');
  deleteObject(site, port, caller);
  for (const machine of machines) leaveMachine(site, machine);
}

function candidates({ site, filters }: NeutronCall): Entity[] {
  const { db } = site;
  const id = firstOf(filters, 'id');
  const network = firstOf(filters, 'network_id');
  const device = firstOf(filters, 'device_id');
  const ofType = 'virtual-machine-interface';
  const named = (uuids: readonly string[]): Entity[] => uuids.flatMap((uuid) => db.typed(ofType, uuid) ?? []);
  if (id !== undefined) return named(listOf(filters['id']).map((one) => withDashes(String(one))));
  if (device !== undefined && device !== '') {
    const machines = listOf(filters['device_id']).flatMap((one) => db.named('virtual-machine', [String(one)]) ?? []);
    return machines.flatMap((machine) => named(db.referrers(machine.uuid, ofType)));
  }
  if (network !== undefined) {
    return listOf(filters['network_id']).flatMap((one) => named(db.referrers(String(one), ofType)));
  }
  return [...db.all(ofType)];
}

/** Those the resource names, or the project's default one. */
function groupsOf(call: NeutronCall, project: Entity, secure: boolean): Entity[] {
  if (Array.isArray(call.resource['security_groups'])) return groupsNamed(call);
  const group = call.site.db.named('security-group', [...project.fqName, 'default']);
  return secure && group ? [group] : [];
}

function groupsNamed({ site, resource }: NeutronCall): Entity[] {
  return listOf(resource['security_groups']).map((id) => {
    const group = site.db.typed('security-group', String(id));
    if (!group) throw new NeutronFault('SecurityGroupNotFound', { id });
    return group;
  });
}

function hasGroups(id: string): NeutronFault {
  return new NeutronFault('PortSecurityPortHasSecurityGroup', { port_id: id });
}

function pairsOf(resource: Members): Members {
  if (!('allowed_address_pairs' in resource)) return {};
  return { virtual_machine_interface_allowed_address_pairs: fromPairs(resource['allowed_address_pairs'] ?? null) };
}

function ownerOf(resource: Members): Members {
  const owner = textOf(resource['device_owner']);
  return owner === undefined ? {} : { virtual_machine_interface_device_owner: owner === '' ? null : owner };
}

function keysOf(port: Entity): Json {
  return port.properties.get('virtual_machine_interface_bindings') ?? null;
}
