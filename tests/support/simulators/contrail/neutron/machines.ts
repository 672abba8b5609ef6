import type { Entity } from '../database';
import { type Json, listOf, type Members, memberOf, textOf } from '../json';
import { createObject } from '../resources';
import { targetsOf } from '../rules/rules';
import { permissionsOf, type Site } from '../site';
import { type NeutronCall, tenantOf } from './request';

/** The bindings of a port after the resource has said what it has to say of them. */
export function bindingsOf(before: Json, resource: Members): Json[] {
  const kept = new Map(
    listOf(memberOf(before, 'key_value_pair')).map((pair) => [String(memberOf(pair, 'key')), memberOf(pair, 'value')]),
  );
  const host = resource['binding:host_id'];
  if (host === '' || host === null) kept.delete('host_id');
  else if (host !== undefined) kept.set('host_id', host);
  const vnic = resource['binding:vnic_type'];
  if (typeof vnic === 'string') kept.set('vnic_type', vnic);
  else if (!kept.has('vnic_type')) kept.set('vnic_type', 'normal');
  return [...kept].map(([key, value]) => ({ key, value }));
}

/** Makes and links the machine that the port belongs to, and the vRouter of its host where there is an object of it. */
export function plugIn(call: NeutronCall, port: Entity): void {
  const { site, resource } = call;
  const { db } = site;
  const device = textOf(resource['device_id']);
  if (device !== undefined) {
    const machine = device === '' ? undefined : machineNamed(call, port, device);
    for (const uuid of targetsOf(port, 'virtual-machine')) {
      if (uuid === machine?.uuid) continue;
      db.unlink(port, 'virtual-machine', uuid);
      leaveMachine(site, uuid);
    }
    if (machine) db.link(port, 'virtual-machine', machine.uuid, { attr: null, relaxed: false });
    db.touch(port);
  }
  const machine = targetsOf(port, 'virtual-machine')[0];
  const host = textOf(resource['binding:host_id']);
  const router = host ? db.named('virtual-router', ['default-global-system-config', host]) : undefined;
  if (!machine || !router || router.refs.get('virtual-machine')?.has(machine)) return;
  db.link(router, 'virtual-machine', machine, { attr: null, relaxed: false });
  db.touch(router);
}

function machineNamed({ site, caller }: NeutronCall, port: Entity, device: string): Entity {
  const there = site.db.named('virtual-machine', [device]);
  if (there) return there;
  // Devices that are no servers have names that are no uuids; the machine then gets one.
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(device);
  const members = { fq_name: [device], server_type: 'virtual-server', perms2: permissionsOf(tenantOf(port)) };
  return createObject(site, 'virtual-machine', isUuid ? { ...members, uuid: device } : members, caller);
}

/** The machine goes with its last port. */
export function leaveMachine({ db }: Site, uuid: string): void {
  const machine = db.typed('virtual-machine', uuid);
  if (!machine || db.referrers(uuid, 'virtual-machine-interface').length > 0) return;
  for (const router of db.referrers(uuid, 'virtual-router')) {
    const entity = db.get(router);
    if (!entity) continue;
    db.unlink(entity, 'virtual-machine', uuid);
    db.touch(entity);
  }
  db.remove(machine);
}
