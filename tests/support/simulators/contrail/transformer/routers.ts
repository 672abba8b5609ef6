import type { Entity } from '../database';
import { isMembers, type Json, memberOf } from '../json';
import type { Site } from '../site';

/** Source ports of BGPaaS sessions, where the system's configuration does not say otherwise. */
const PORTS = { from: 50_000, to: 50_512 };

const PARAMETERS: Readonly<Record<string, Json>> = {
  ...{ admin_down: false, vendor: null, cluster_id: null, autonomous_system: null, identifier: null, address: null },
  ...{ port: 179, source_port: null, hold_time: 0, address_families: null, auth_data: null },
  ...{ local_autonomous_system: null, router_type: null, gateway_address: null, ipv6_gateway_address: null },
};

/** The router that stands for the control-nodes in a routing instance; it stays as long as the instance. */
export function serverOf(site: Site, instance: Entity): Entity {
  const there = site.db.named('bgp-router', [...instance.fqName, 'bgpaas-server']);
  return there ?? addRouter(site, instance, 'bgpaas-server', { ...PARAMETERS, router_type: 'bgpaas-server' });
}

/** A router for a port; undefined when no source port is left, of which nobody is told. */
export function clientOf(
  site: Site,
  { instance, name, noFreePort }: { instance: Entity; name: string; noFreePort: boolean },
): Entity | undefined {
  const port = noFreePort ? undefined : freePort(site);
  if (port === undefined) return undefined;
  return addRouter(site, instance, name, { ...PARAMETERS, router_type: 'bgpaas-client', source_port: port });
}

function addRouter({ db, newUuid, now }: Site, instance: Entity, name: string, parameters: Json): Entity {
  const at = db.stamp();
  const router: Entity = {
    ...{ type: 'bgp-router', uuid: newUuid(), fqName: [...instance.fqName, name], perms2: instance.perms2 },
    parent: { type: instance.type, uuid: instance.uuid },
    properties: new Map<string, Json>([
      ['display_name', name],
      ['bgp_router_parameters', parameters],
    ]),
    refs: new Map(),
    ...{ description: null, createdAt: now(), created: at, lastModified: at },
  };
  db.insert(router);
  return router;
}

function freePort({ db }: Site): number | undefined {
  const system = db.named('global-system-config', ['default-global-system-config']);
  const range = system?.properties.get('bgpaas_parameters') ?? null;
  const from = Number(memberOf(range, 'port_start') ?? PORTS.from);
  const to = Number(memberOf(range, 'port_end') ?? PORTS.to);
  const used = new Set([...db.all('bgp-router')].map((router) => portOf(router)));
  for (let port = from; port <= to; port += 1) if (!used.has(port)) return port;
  return undefined;
}

function portOf(router: Entity): Json {
  return memberOf(router.properties.get('bgp_router_parameters'), 'source_port');
}

const SESSION: Readonly<Record<string, Json>> = {
  ...{ bgp_router: null, admin_down: false, passive: false, as_override: false, hold_time: 0, loop_count: 0 },
  ...{ local_autonomous_system: 0, address_families: null, auth_data: null, family_attributes: [] },
  ...{ private_as_action: null, route_origin_override: null },
};

/** The attributes of the sessions of a BGPaaS, as the link between its routers and the server holds them. */
export function describeSession(service: Entity): Json {
  const attributes = service.properties.get('bgpaas_session_attributes') ?? null;
  if (!isMembers(attributes)) return null;
  return { session: [{ uuid: null, attributes: [{ ...SESSION, ...attributes }] }] };
}
