import { z } from 'zod';
import type {
  Claim,
  HealthCheckWish,
  Inventory,
  InventoryFloatingIp,
  InventoryObject,
  InventoryPort,
  InventoryRequest,
  Provenance,
  WiringType,
} from '../../domain/inventory';
import { HEALTH_CHECK, isAs, propertiesOf } from './healthChecks';
import type { BgpGlobals } from './port';
import { idsOf, markOf, numberOf, PAIRS, pairsOf, referencesOf, textOf, toHostPair } from './views';
import { type ListBy, type Vnc, type VncObject, VncRefusal } from './vnc';

const PORT = 'virtual-machine-interface';
const FLOATING_IP = 'floating-ip';
const BGP = 'bgp-as-a-service';
const ROUTES = 'interface-route-table';
const PORT_REFS = 'virtual_machine_interface_refs';
const PORT_BACK_REFS = 'virtual_machine_interface_back_refs';
/** What every object of ours is looked at for. */
const COMMON = ['display_name', 'annotations', 'perms2'];
/** Ids of one call: an answer of some hundred kB. */
const AT_ONCE = 1_000;

const Perms = z.looseObject({
  owner: z.string().nullish(),
  global_access: z.number().nullish(),
  share: z.array(z.looseObject({ tenant: z.string() })).nullish(),
});
const Route = z.looseObject({ route: z.array(z.looseObject({ prefix: z.string() })).nullish() });
const IdPerms = z.looseObject({ last_modified: z.string().nullish(), creator: z.string().nullish() });

/** Reads whatever the wiring is made of, in about ten calls and one more for every thousand ports. */
export function inventoryCalls(vnc: Vnc, globals: () => Promise<BgpGlobals>) {
  return {
    inventory: (asked: InventoryRequest) => takeInventory(vnc, globals, asked),
    async provenance(type: WiringType, id: string): Promise<Provenance | undefined> {
      // Only the answer about a single object has its `id_perms`.
      const found = await vnc.read(type, id, { fields: ['display_name'] });
      if (!found) return undefined;
      const { last_modified, creator } = IdPerms.catch({}).parse(found['id_perms'] ?? {});
      return { lastModified: last_modified ?? null, creator: creator ?? null, owner: ownerOf(found) };
    },
    async rename(type: WiringType, id: string, name: string): Promise<void> {
      await vnc.update(type, id, { display_name: name });
    },
    async unshare(type: WiringType, id: string): Promise<void> {
      const found = await vnc.read(type, id, { fields: ['display_name'] });
      if (!found) return;
      const perms2 = { ...(found['perms2'] as object | undefined), global_access: 0, share: [] };
      await vnc.update(type, id, { perms2 });
    },
    async correctHealthCheck(id: string, wish: HealthCheckWish): Promise<void> {
      await vnc.update(HEALTH_CHECK, id, { service_health_check_properties: propertiesOf(wish) });
    },
    async discard(type: WiringType, id: string): Promise<void> {
      if (type === HEALTH_CHECK || type === ROUTES) {
        const found = await vnc.read(type, id, { fields: [PORT_BACK_REFS] });
        for (const portId of found ? idsOf(found, PORT_BACK_REFS) : [])
          await vnc.unlink({ type: PORT, id: portId, refType: type, refId: id });
      }
      await vnc.remove(type, id);
    },
  };
}

async function takeInventory(
  vnc: Vnc,
  globals: () => Promise<BgpGlobals>,
  asked: InventoryRequest,
): Promise<Inventory> {
  const byIds = (ids: readonly string[]) => chunks(ids).map((some): ListBy => ({ ids: some }));
  const byTargets = (ids: readonly string[]) => chunks(ids).map((some): ListBy => ({ refersTo: some }));
  const listAll = async (type: string, by: readonly ListBy[], fields: readonly string[]): Promise<VncObject[]> => {
    const found: VncObject[] = [];
    for (const one of by) found.push(...(await vnc.list(type, one, { fields: [...COMMON, ...fields] })));
    return [...new Map(found.map((object) => [object.uuid, object])).values()];
  };
  const floating = [...byTargets(asked.leadingTo), ...byIds(asked.floatingIpIds)];
  const networks = byTargets(asked.networkIds);
  const services = await listAll(BGP, ['all'], ['autonomous_system', PORT_REFS, 'bgp_router_refs']);
  return {
    ports: (await listAll(PORT, byIds(asked.portIds), PORT_FIELDS)).map(toPort),
    floatingIps: (
      await listAll(FLOATING_IP, floating, ['floating_ip_address', 'floating_ip_fixed_ip_address', PORT_REFS])
    ).map(toFloatingIp),
    bgpServices: services.map((object) => ({
      ...toObject(BGP, object),
      localAs: numberOf(object, 'autonomous_system'),
      portIds: idsOf(object, PORT_REFS),
      routers: idsOf(object, 'bgp_router_refs').length,
    })),
    healthChecks: (await listAll(HEALTH_CHECK, ['all'], ['service_health_check_properties', PORT_BACK_REFS])).map(
      (object) => ({
        ...toObject(HEALTH_CHECK, object),
        portIds: idsOf(object, PORT_BACK_REFS),
        isAsWanted: asked.healthCheck === null || isAs(object, propertiesOf(asked.healthCheck)),
      }),
    ),
    routeTables: (await listAll(ROUTES, ['all'], ['interface_route_table_routes', PORT_BACK_REFS])).map((object) => ({
      ...toObject(ROUTES, object),
      prefixes: (Route.catch({}).parse(object['interface_route_table_routes'] ?? {}).route ?? []).map(
        ({ prefix }) => prefix,
      ),
      portIds: idsOf(object, PORT_BACK_REFS),
    })),
    claims: [
      ...(await listAll(PORT, networks, [PAIRS, 'virtual_network_refs'])).flatMap(pairClaims),
      ...(await listAll('instance-ip', networks, ['instance_ip_address', 'virtual_network_refs', PORT_REFS])).flatMap(
        addressClaims,
      ),
    ],
    sessions: {
      taken: services.reduce((sum, service) => sum + idsOf(service, 'bgp_router_refs').length, 0),
      ...(services.length === 0 ? UNASKED : await sessionsOf(globals)),
    },
  };
}

/** A cloud whose global configuration is missing has other troubles. */
async function sessionsOf(globals: () => Promise<BgpGlobals>): Promise<typeof UNASKED> {
  try {
    const { sessions: most, autonomousSystem } = await globals();
    return { most, autonomousSystem };
  } catch (error) {
    if (error instanceof VncRefusal) return UNASKED;
    throw error;
  }
}

const UNASKED: Pick<Inventory['sessions'], 'most' | 'autonomousSystem'> = {
  most: Number.POSITIVE_INFINITY,
  autonomousSystem: null,
};

const PORT_FIELDS = [
  PAIRS,
  'virtual_network_refs',
  'virtual_machine_refs',
  'service_health_check_refs',
  'bgp_router_refs',
  'bgp_as_a_service_back_refs',
  'instance_ip_back_refs',
];

function toPort(object: VncObject): InventoryPort {
  return {
    ...toObject(PORT, object),
    networkId: idsOf(object, 'virtual_network_refs')[0] ?? null,
    pairs: pairsOf(object).flatMap((pair) => toHostPair(pair) ?? []),
    healthChecks: referencesOf(object, 'service_health_check_refs').map(({ to }) => to.at(-1) ?? ''),
    serverIds: idsOf(object, 'virtual_machine_refs'),
    bgpServiceIds: idsOf(object, 'bgp_as_a_service_back_refs'),
    hasBgpRouter: idsOf(object, 'bgp_router_refs').length > 0,
    hasAddress: idsOf(object, 'instance_ip_back_refs').length > 0,
  };
}

function toFloatingIp(object: VncObject): InventoryFloatingIp {
  return {
    ...toObject(FLOATING_IP, object),
    address: textOf(object, 'floating_ip_address'),
    fixedAddress: textOf(object, 'floating_ip_fixed_ip_address'),
    portIds: idsOf(object, PORT_REFS),
  };
}

function toObject(type: WiringType, object: VncObject): InventoryObject {
  const { global_access: everybody, share } = Perms.catch({}).parse(object['perms2'] ?? {});
  return {
    ...{ type, id: object.uuid, name: object.fq_name.at(-1) ?? '' },
    displayName: textOf(object, 'display_name'),
    ownerId: markOf(object),
    sharedWith: [...(share ?? []).map(({ tenant }) => tenant), ...((everybody ?? 0) > 0 ? ['all'] : [])],
  };
}

function ownerOf(object: VncObject): string | null {
  return Perms.catch({}).parse(object['perms2'] ?? {}).owner ?? null;
}

function pairClaims(object: VncObject): Claim[] {
  const [networkId] = idsOf(object, 'virtual_network_refs');
  if (networkId === undefined) return [];
  const about = { by: 'address pair' as const, id: object.uuid, networkId, owner: ownerOf(object) };
  return pairsOf(object).flatMap((pair) => {
    const address = toHostPair({ ...pair, mac: '' })?.address;
    return address === undefined ? [] : [{ ...about, address, portIds: [object.uuid] }];
  });
}

function addressClaims(object: VncObject): Claim[] {
  const address = textOf(object, 'instance_ip_address');
  const about = { by: 'address' as const, id: object.uuid, owner: ownerOf(object) };
  if (address === null) return [];
  return idsOf(object, 'virtual_network_refs').map((networkId) => ({
    ...{ ...about, networkId, address },
    portIds: idsOf(object, PORT_REFS),
  }));
}

function chunks(ids: readonly string[]): string[][] {
  const unique = [...new Set(ids)];
  return Array.from({ length: Math.ceil(unique.length / AT_ONCE) }, (_, index) =>
    unique.slice(index * AT_ONCE, (index + 1) * AT_ONCE),
  );
}
