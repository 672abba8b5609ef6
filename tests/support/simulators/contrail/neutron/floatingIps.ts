import type { Database, Entity } from '../database';
import { type Json, type Members, textOf } from '../json';
import { createObject, deleteObject } from '../resources';
import { targetsOf } from '../rules/rules';
import { withoutDashes } from '../site';
import { NeutronFault, turning } from './errors';
import {
  applyCommon,
  change,
  descriptionOf,
  firstOf,
  type NeutronCall,
  type NeutronResource,
  projectOf,
  refTo,
  timesOf,
} from './request';

export const floatingIps: NeutronResource = {
  async create(call) {
    const { site, resource, caller } = call;
    const { db } = site;
    const project = await projectOf(call);
    const networkId = textOf(resource['floating_network_id']) ?? '';
    const pool = db.get([...(db.childrenOf(networkId).get('floating-ip-pool') ?? [])][0] ?? '');
    if (!pool) {
      const msg = `Network ${networkId} doesn't provide a floatingip pool`;
      throw new NeutronFault('BadRequest', { resource: 'floatingip', msg });
    }
    const port = portAsked(call);
    const uuid = textOf(resource['id']) ?? site.newUuid();
    const address = textOf(resource['floating_ip_address']);
    const members = {
      ...{ fq_name: [...pool.fqName, uuid], uuid, parent_type: 'floating-ip-pool', project_refs: [refTo(project)] },
      ...(address === undefined ? {} : { floating_ip_address: address }),
      ...associated(db, port, textOf(resource['fixed_ip_address'])),
    };
    const floatingIp = turning(
      () => createObject(site, 'floating-ip', members, caller),
      ({ message }) => new NeutronFault('IpAddressGenerationFailure', { net_id: networkId, msg: message }),
    );
    applyCommon(floatingIp, resource);
    return show(db, floatingIp);
  },
  read: ({ site, id }) => show(site.db, floatingIpOf(site.db, id)),
  /** A description alone leaves the association; anything else without a port ends it. */
  update(call) {
    const { site, id, resource } = call;
    const floatingIp = floatingIpOf(site.db, id);
    const names = Object.keys(resource);
    const onlyDescription = names.length === 1 && names[0] === 'description';
    if (!onlyDescription) {
      change(call, floatingIp, associated(site.db, portAsked(call), textOf(resource['fixed_ip_address'])));
    }
    applyCommon(floatingIp, resource);
    return show(site.db, floatingIp);
  },
  remove({ site, id, caller }) {
    deleteObject(site, floatingIpOf(site.db, id), caller);
  },
  list({ site, filters }) {
    const port = firstOf(filters, 'port_id');
    const { db } = site;
    const found =
      port === undefined
        ? [...db.all('floating-ip')]
        : db.referrers(port, 'floating-ip').flatMap((uuid) => db.get(uuid) ?? []);
    return found.filter(({ parent }) => parent?.type === 'floating-ip-pool').map((floatingIp) => show(db, floatingIp));
  },
  filters: [
    'id',
    'tenant_id',
    'project_id',
    'port_id',
    'floating_ip_address',
    'floating_network_id',
    'fixed_ip_address',
  ],
};

function portAsked({ site, resource }: NeutronCall): Entity | undefined {
  const id = textOf(resource['port_id']);
  if (id === undefined || id === '') return undefined;
  const port = site.db.typed('virtual-machine-interface', id);
  if (!port) throw new NeutronFault('PortNotFound', { resource: 'floatingip', port_id: id });
  return port;
}

/** The one port, and the address it stands for; nothing without a port. */
function associated(db: Database, port: Entity | undefined, asked: string | undefined): Members {
  const address: Json = port ? (asked ?? firstAddress(db, port)) : null;
  return {
    virtual_machine_interface_refs: port ? [refTo(port)] : [],
    floating_ip_fixed_ip_address: address,
  };
}

function firstAddress(db: Database, port: Entity): Json {
  const ip = db.get(db.referrers(port.uuid, 'instance-ip')[0] ?? '');
  return ip?.properties.get('instance_ip_address') ?? null;
}

function floatingIpOf(db: Database, id: string): Entity {
  const floatingIp = db.typed('floating-ip', id);
  if (!floatingIp) throw new NeutronFault('FloatingIPNotFound', { floatingip_id: id });
  return floatingIp;
}

function show(db: Database, floatingIp: Entity): Members {
  const { uuid, properties, parent } = floatingIp;
  const port = targetsOf(floatingIp, 'virtual-machine-interface')[0] ?? null;
  return {
    ...{ id: uuid, tenant_id: withoutDashes(targetsOf(floatingIp, 'project')[0] ?? '') },
    floating_ip_address: properties.get('floating_ip_address') ?? null,
    floating_network_id: db.get(parent?.uuid ?? '')?.parent?.uuid ?? null,
    ...{ router_id: null, port_id: port, status: port === null ? 'DOWN' : 'ACTIVE' },
    fixed_ip_address: port === null ? null : (properties.get('floating_ip_fixed_ip_address') ?? null),
    ...descriptionOf(floatingIp),
    ...timesOf(floatingIp),
  };
}
