import type { Change, Database, Entity } from './database';
import type { FaultBoard } from './faults';
import { type Json, listOf, memberOf, textOf } from './json';
import { primaryInstance } from './rules/networks';
import { targetsOf } from './rules/rules';
import type { Site } from './site';
import { clientOf, describeSession, serverOf } from './transformer/routers';

/** The schema transformer: what happens to objects behind the calls, a moment later. */
export interface Transformer {
  close(): void;
}

/** First number of automatic route targets. */
const FIRST_TARGET = 8_000_000;

export function startTransformer(site: Site, faults: FaultBoard, settle: number): Transformer {
  const { db } = site;
  const timers = new Map<string, NodeJS.Timeout>();
  const held = new Set<Change>();
  const later = (key: string, act: () => void): void => {
    if (timers.has(key)) return;
    const timer = setTimeout(() => {
      timers.delete(key);
      if (!faults.transformerStopped) act();
      else held.add({ type: 'retry', uuid: key, operation: 'UPDATE' });
    }, settle);
    timers.set(key, timer);
  };
  const work: Work = { site, faults, settle, services: new Map(), asked: new Map(), later };
  const see = (change: Change): void => {
    if (faults.transformerStopped) return void held.add(change);
    react(work, change);
  };
  const stop = db.onChange(see);
  faults.onTransformerStart(() => {
    const missed = [...held].filter(({ type }) => type !== 'retry');
    const retried = [...held].filter(({ type }) => type === 'retry').map(({ uuid }) => uuid);
    held.clear();
    for (const change of missed) see(change);
    for (const key of retried) wake(work, key);
  });
  return {
    close() {
      stop();
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}

/** What the transformer remembers of a BGPaaS: the ports it has taken notice of, and the routers it made. */
interface ServiceState {
  readonly seen: Set<string>;
  /** By router: the ports that have it. */
  readonly routers: Map<string, Set<string>>;
}

interface Work {
  readonly site: Site;
  readonly faults: FaultBoard;
  readonly settle: number;
  readonly services: Map<string, ServiceState>;
  /** When something of a BGPaaS was last changed. */
  readonly asked: Map<string, number>;
  later(key: string, act: () => void): void;
}

function react(work: Work, { type, uuid, operation }: Change): void {
  const { db } = work.site;
  if (type === 'routing-instance') {
    if (operation === 'CREATE') work.later(`instance ${uuid}`, () => giveTarget(work.site, uuid));
    if (operation === 'DELETE') work.later(`targets ${uuid}`, () => removeTargets(db));
  }
  if (type === 'bgp-as-a-service') evaluateLater(work, uuid);
  if (type === 'instance-ip' && operation !== 'DELETE') {
    const ip = db.get(uuid);
    for (const port of ip ? targetsOf(ip, 'virtual-machine-interface') : []) {
      for (const service of db.referrers(port, 'bgp-as-a-service')) evaluateLater(work, service);
    }
  }
}

function wake(work: Work, key: string): void {
  const [what = '', uuid = ''] = key.split(' ');
  if (what === 'service') evaluateLater(work, uuid);
  if (what === 'instance') work.later(key, () => giveTarget(work.site, uuid));
  if (what === 'targets') work.later(key, () => removeTargets(work.site.db));
}

/** What happens in between is taken together: out and in again at once is no change. */
function evaluateLater(work: Work, uuid: string): void {
  work.asked.set(uuid, work.site.now());
  work.later(`service ${uuid}`, () => evaluate(work, uuid, work.asked.get(uuid) ?? 0));
}

function giveTarget({ db, newUuid, now }: Site, uuid: string): void {
  const instance = db.get(uuid);
  if (!instance || instance.refs.has('route-target')) return;
  const system = db.named('global-system-config', ['default-global-system-config']);
  const asn = system?.properties.get('autonomous_system') ?? 64_512;
  let number = FIRST_TARGET;
  while (db.named('route-target', [`target:${asn}:${number}`])) number += 1;
  const at = db.stamp();
  const name = `target:${asn}:${number}`;
  const target: Entity = {
    ...{ type: 'route-target', uuid: newUuid(), fqName: [name], parent: null, perms2: instance.perms2 },
    properties: new Map<string, Json>([['display_name', name]]),
    refs: new Map(),
    ...{ description: null, createdAt: now(), created: at, lastModified: at },
  };
  db.insert(target);
  db.link(instance, 'route-target', target.uuid, { attr: { import_export: null }, relaxed: false });
  db.touch(instance);
}

/** Those that no instance has any more. */
function removeTargets(db: Database): void {
  for (const target of [...db.all('route-target')]) {
    if (db.referrersOf(target.uuid).size === 0) db.remove(target);
  }
}

/** Brings the routers of a BGPaaS in line with its ports, as far as the transformer notices. */
function evaluate(work: Work, uuid: string, asked: number): void {
  const { site, services } = work;
  const { db } = site;
  const service = db.typed('bgp-as-a-service', uuid);
  const state = services.get(uuid) ?? { seen: new Set<string>(), routers: new Map<string, Set<string>>() };
  services.set(uuid, state);
  const ports = service ? targetsOf(service, 'virtual-machine-interface') : [];
  const gone = [...state.seen].filter((port) => !ports.includes(port));
  for (const port of gone) {
    state.seen.delete(port);
    letGo(site, service, state, port);
  }
  if (!service) {
    services.delete(uuid);
    work.asked.delete(uuid);
    return;
  }
  const arrived = ports.filter((port) => !state.seen.has(port));
  // Without an AS number it throws here, every time.
  if (!service.properties.has('autonomous_system')) return;
  if (arrived.length > 0) {
    for (const port of ports) {
      // A port that it has not heard of itself is passed over, and not looked at again until something brings it back.
      const known = (db.get(port)?.createdAt ?? asked) + work.settle <= asked;
      if (known) join(work, service, state, port);
      state.seen.add(port);
    }
  }
  for (const router of state.routers.keys()) refresh(site, service, router, state);
}

/** Gives a port its router, unless something stands in the way; nobody is told what. */
function join({ site, faults }: Work, service: Entity, state: ServiceState, port: string): void {
  const { db } = site;
  const entity = db.get(port);
  if (!entity) return;
  if (entity.refs.has('bgp-router')) {
    adopt(entity, service, state);
    return;
  }
  const network = db.get(targetsOf(entity, 'virtual-network')[0] ?? '');
  const instance = network && primaryInstance(site, network);
  if (!instance) return;
  const shared = service.properties.get('bgpaas_shared') === true;
  const name = (shared ? service : entity).fqName.at(-1) ?? '';
  const there = db.named('bgp-router', [...instance.fqName, name]);
  if (there && !(shared && state.routers.has(there.uuid))) return;
  const router = there ?? clientOf(site, { instance, name, noFreePort: faults.noFreeBgpPort });
  if (!router) return;
  if (!there) {
    const server = serverOf(site, instance);
    db.link(router, 'bgp-router', server.uuid, { attr: describeSession(service), relaxed: false });
  }
  state.routers.set(router.uuid, (state.routers.get(router.uuid) ?? new Set()).add(port));
  for (const holder of [entity, service]) {
    db.link(holder, 'bgp-router', router.uuid, { attr: null, relaxed: false });
    db.touch(holder);
  }
}

/** Of a router that was there before (in a restored database) it knows again whose it is. */
function adopt(port: Entity, service: Entity, state: ServiceState): void {
  for (const router of targetsOf(port, 'bgp-router')) {
    if (!service.refs.get('bgp-router')?.has(router)) continue;
    state.routers.set(router, (state.routers.get(router) ?? new Set()).add(port.uuid));
  }
}

function letGo({ db }: Site, service: Entity | undefined, state: ServiceState, port: string): void {
  for (const [uuid, ports] of [...state.routers]) {
    if (!ports.delete(port)) continue;
    const router = db.get(uuid);
    const entity = db.get(port);
    if (entity) {
      db.unlink(entity, 'bgp-router', uuid);
      db.touch(entity);
    }
    if (ports.size > 0) continue;
    state.routers.delete(uuid);
    if (router) db.remove(router);
    if (service) db.touch(service);
  }
}

/** Address and AS of a router, as they are by now. */
function refresh({ db }: Site, service: Entity, uuid: string, state: ServiceState): void {
  const router = db.get(uuid);
  if (!router) return;
  const port = [...(state.routers.get(uuid) ?? [])][0] ?? '';
  const network = db.get(targetsOf(db.get(port) ?? router, 'virtual-network')[0] ?? '');
  const address = textOf(service.properties.get('bgpaas_ip_address')) ?? primaryAddress(db, port);
  const before = router.properties.get('bgp_router_parameters') ?? null;
  const parameters: Json = {
    ...(before as Record<string, Json>),
    autonomous_system: service.properties.get('autonomous_system') ?? null,
    ...{ address, identifier: address, gateway_address: network ? gatewayOf(network, address) : null },
  };
  const attr = describeSession(service);
  const links = router.refs.get('bgp-router') ?? new Map();
  const same = JSON.stringify(parameters) === JSON.stringify(before);
  const sameSession = [...links.values()].every((link) => JSON.stringify(link.attr) === JSON.stringify(attr));
  if (same && sameSession) return;
  router.properties.set('bgp_router_parameters', parameters);
  for (const link of links.values()) link.attr = attr;
  db.touch(router);
}

/** The lowest IPv4 address that is not a secondary one. */
function primaryAddress(db: Database, port: string): string | null {
  const ips = db.referrers(port, 'instance-ip').map((uuid) => db.get(uuid)?.properties);
  const addresses = ips
    .filter((ip) => ip?.get('instance_ip_secondary') !== true)
    .flatMap((ip) => textOf(ip?.get('instance_ip_address')) ?? [])
    .filter((address) => !address.includes(':'));
  const inOrder = addresses.sort((one, other) => inNumbers(one) - inNumbers(other));
  return inOrder[0] ?? null;
}

function inNumbers(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

function gatewayOf(network: Entity, address: string | null): Json {
  const links = [...(network.refs.get('network-ipam')?.values() ?? [])];
  const subnets = links.flatMap(({ attr }) => listOf(memberOf(attr, 'ipam_subnets')));
  const ofFamily = subnets.filter((subnet) => !String(memberOf(subnet, 'default_gateway')).includes(':'));
  return address === null ? null : memberOf(ofFamily[0] ?? null, 'default_gateway');
}
