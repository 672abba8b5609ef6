import type { Database, Entity } from '../database';
import { type Json, type Members, memberOf, textOf } from '../json';
import { deleteObject } from '../resources';
import { targetsOf } from '../rules/rules';
import { NeutronFault } from './errors';
import {
  applyCommon,
  change,
  createNamed,
  type NeutronCall,
  type NeutronResource,
  projectOf,
  refTo,
  tenantOf,
  timesOf,
} from './request';

export const routers: NeutronResource = {
  async create(call) {
    const { resource, site } = call;
    const project = await projectOf(call);
    const router = createNamed(call, 'logical-router', project, { name: textOf(resource['name']) ?? '' });
    applyCommon(router, resource);
    setGateway(call, router);
    return show(site.db, router);
  },
  read: ({ site, id }) => show(site.db, routerOf(site.db, id)),
  update(call) {
    const { site, id, resource } = call;
    const router = routerOf(site.db, id);
    if (typeof resource['name'] === 'string') change(call, router, { display_name: resource['name'] });
    applyCommon(router, resource);
    setGateway(call, router);
    return show(site.db, router);
  },
  remove({ site, id, caller }) {
    deleteObject(site, routerOf(site.db, id), caller);
  },
  list: ({ site }) => [...site.db.all('logical-router')].map((router) => show(site.db, router)),
  filters: ['id', 'name', 'tenant_id', 'project_id'],
};

function setGateway(call: NeutronCall, router: Entity): void {
  const { resource, site } = call;
  if (!('external_gateway_info' in resource)) return;
  const network = site.db.typed('virtual-network', String(memberOf(resource['external_gateway_info'], 'network_id')));
  change(call, router, { virtual_network_refs: network ? [refTo(network)] : [] });
}

function routerOf(db: Database, id: string): Entity {
  const router = db.typed('logical-router', id);
  if (!router) throw new NeutronFault('RouterNotFound', { router_id: id });
  return router;
}

function show(_db: Database, router: Entity): Members {
  const { uuid, properties, fqName, enable = true } = router;
  const network = targetsOf(router, 'virtual-network')[0];
  const gateway: Json = network === undefined ? null : { network_id: network, enable_snat: true };
  return {
    ...{ id: uuid, name: properties.get('display_name') ?? '', tenant_id: tenantOf(router), admin_state_up: enable },
    ...{ shared: false, status: 'ACTIVE', gw_port_id: null, external_gateway_info: gateway, fq_name: fqName },
    ...timesOf(router),
  };
}
