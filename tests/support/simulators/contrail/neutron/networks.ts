import { subnetsOf } from '../addresses';
import type { Database, Entity } from '../database';
import { type Json, type Members, textOf } from '../json';
import { createObject, deleteObject } from '../resources';
import { permissionsOf, withDashes, withoutDashes } from '../site';
import { NeutronFault, turning } from './errors';
import {
  applyCommon,
  change,
  createNamed,
  descriptionOf,
  firstOf,
  type NeutronCall,
  type NeutronResource,
  projectOf,
  tenantOf,
  timesOf,
} from './request';

/** The pool that Neutron gives every external network. */
export const NEUTRON_POOL = 'floating-ip-pool';

export const networks: NeutronResource = {
  async create(call) {
    const project = await projectOf(call);
    const { resource } = call;
    const external = resource['router:external'] === true;
    const shared = resource['shared'] === true;
    // Owners of external and shared networks are written with their dashes.
    const perms2 = external || shared ? { perms2: permissionsOf(project.uuid, shared ? 7 : 5) } : {};
    const network = createNamed(call, 'virtual-network', project, {
      ...{ name: textOf(resource['name']) ?? '', router_external: external, is_shared: shared, ...perms2 },
      port_security_enabled: resource['port_security_enabled'] !== false,
    });
    applyCommon(network, resource);
    if (external) addPool(call, network);
    return { ...showNetwork(network), created_at: null, updated_at: null };
  },
  read: ({ site, id }) => showNetwork(networkOf(site.db, id)),
  update(call) {
    const { resource, id, site } = call;
    const network = networkOf(site.db, id);
    const changes: Record<string, Json> = {};
    if (typeof resource['name'] === 'string') changes['display_name'] = resource['name'];
    for (const [given, kept] of [
      ['router:external', 'router_external'],
      ['shared', 'is_shared'],
      ['port_security_enabled', 'port_security_enabled'],
    ] as const) {
      if (typeof resource[given] === 'boolean') changes[kept] = resource[given];
    }
    change(call, network, changes);
    applyCommon(network, resource);
    if (resource['router:external'] === true) addPool(call, network);
    return showNetwork(network);
  },
  /** What is not there is deleted. */
  remove({ site, id, caller }) {
    const network = site.db.typed('virtual-network', id);
    if (!network) return;
    turning(
      () => {
        for (const uuid of [...(site.db.childrenOf(id).get('floating-ip-pool') ?? [])]) {
          const pool = site.db.get(uuid);
          if (pool) deleteObject(site, pool, caller);
        }
        deleteObject(site, network, caller);
      },
      () => new NeutronFault('NetworkInUse', { net_id: id }),
    );
  },
  list({ site, filters, isAdmin, tenant }) {
    const id = firstOf(filters, 'id');
    const found = id === undefined ? [...site.db.all('virtual-network')] : byIds(site.db, filters);
    const mine = (shown: Members): boolean =>
      isAdmin ||
      shown['tenant_id'] === withoutDashes(tenant) ||
      shown['shared'] === true ||
      shown['router:external'] === true;
    return found.map(showNetwork).filter(mine);
  },
  filters: ['id', 'name', 'tenant_id', 'project_id', 'router:external', 'shared'],
};

function byIds(db: Database, filters: Members): Entity[] {
  const ids = Array.isArray(filters['id']) ? filters['id'].map(String) : [];
  return ids.flatMap((id) => db.typed('virtual-network', withDashes(id)) ?? []);
}

function addPool({ site, caller }: NeutronCall, network: Entity): void {
  const fqName = [...network.fqName, NEUTRON_POOL];
  if (site.db.named('floating-ip-pool', fqName)) return;
  createObject(site, 'floating-ip-pool', { fq_name: fqName, parent_type: 'virtual-network' }, caller);
}

/** @throws NeutronFault NetworkNotFound */
export function networkOf(db: Database, id: string): Entity {
  const network = db.typed('virtual-network', withDashes(id));
  if (!network) throw new NeutronFault('NetworkNotFound', { net_id: id });
  return network;
}

function showNetwork(network: Entity): Members {
  const { uuid, properties, fqName, enable = true } = network;
  const subnets = subnetsOf(network);
  const ipam = ['default-domain', 'default-project', 'default-network-ipam'];
  return {
    ...{
      id: uuid,
      name: properties.get('display_name') ?? '',
      tenant_id: tenantOf(network),
      project_id: tenantOf(network),
    },
    ...{ admin_state_up: enable, shared: properties.get('is_shared') === true, status: enable ? 'ACTIVE' : 'DOWN' },
    ...{ 'router:external': properties.get('router_external') === true, mtu: null, fq_name: fqName },
    subnets: subnets.map((subnet) => subnet.uuid),
    ...(subnets.length > 0 && {
      subnet_ipam: subnets.map(({ cidr }) => ({ subnet_cidr: cidr, ipam_fq_name: ipam })),
    }),
    port_security_enabled: properties.get('port_security_enabled') !== false,
    ...descriptionOf(network),
    ...timesOf(network),
  };
}
