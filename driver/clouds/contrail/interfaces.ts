import { UnavailableError } from '../../domain/errors';
import type { HostPair, Interface, PairChange } from './port';
import { canonical, hostPairOf, idsOf, PAIRS, type Pair, pairsOf, referencesOf, toHostPair } from './views';
import type { Vnc, VncObject } from './vnc';

const TYPE = 'virtual-machine-interface';

const FIELDS = [
  PAIRS,
  'virtual_network_refs',
  'service_health_check_refs',
  'interface_route_table_refs',
  'bgp_router_refs',
  'bgp_as_a_service_back_refs',
];

export async function listInterfaces(vnc: Vnc, portIds: readonly string[]): Promise<readonly Interface[]> {
  const found = await vnc.list(TYPE, { ids: [...new Set(portIds)] }, { fields: FIELDS });
  return found.map(toInterface);
}

function toInterface(object: VncObject): Interface {
  return {
    id: object.uuid,
    name: object.fq_name.at(-1) ?? '',
    project: object.fq_name.slice(0, -1),
    networkId: idsOf(object, 'virtual_network_refs')[0] ?? null,
    pairs: pairsOf(object).flatMap((pair) => toHostPair(pair) ?? []),
    healthChecks: referencesOf(object, 'service_health_check_refs').map(({ to }) => to.at(-1) ?? ''),
    routeTableIds: idsOf(object, 'interface_route_table_refs'),
    bgpServiceIds: idsOf(object, 'bgp_as_a_service_back_refs'),
    hasBgpRouter: idsOf(object, 'bgp_router_refs').length > 0,
  };
}

/** Times pairs are written that are found otherwise when they are read back: somebody writes them by Neutron. */
const TRIES = 5;

/**
 * Reads all the ports at once, writes those that differ, and reads these back. Neutron, in whose hands a whole list is too,
 * may write at the same moment: what it undid is done again.
 */
export async function changePairs(vnc: Vnc, changes: readonly PairChange[]): Promise<readonly string[]> {
  const fields = { fields: [PAIRS] };
  let left = changes;
  const missing: string[] = [];
  for (let tried = 0; ; tried += 1) {
    const ids = left.map(({ portId }) => portId);
    const found = new Map((await vnc.list(TYPE, { ids }, fields)).map((object) => [object.uuid, object]));
    missing.push(...ids.filter((id) => !found.has(id)));
    const work = left.flatMap((change) => {
      const object = found.get(change.portId);
      const wanted = object && edit(pairsOf(object), change);
      return wanted ? [{ change, wanted }] : [];
    });
    if (work.length === 0) return missing;
    if (tried === TRIES)
      throw new UnavailableError(`the address pairs of port ${work[0]?.change.portId} change all the time`);
    await Promise.all(
      work.map(({ change, wanted }) => vnc.update(TYPE, change.portId, { [PAIRS]: { allowed_address_pair: wanted } })),
    );
    left = work.map(({ change }) => change);
  }
}

/** The pairs as they should be; undefined when they are. Duplicates of ours, which the API keeps, go. */
function edit(pairs: readonly Pair[], { put, remove }: PairChange): readonly Pair[] | undefined {
  const wanted = new Map(put.map((pair) => [canonical(pair.address), pair]));
  const named = new Set([...remove.map(canonical), ...wanted.keys()]);
  const kept: Pair[] = [];
  const ours: HostPair[] = [];
  for (const pair of pairs) {
    const host = toHostPair(pair);
    if (host !== undefined && named.has(canonical(host.address))) ours.push(host);
    else kept.push(pair);
  }
  const isDone =
    ours.length === wanted.size && ours.every(({ address, mode }) => wanted.get(canonical(address))?.mode === mode);
  if (isDone && new Set(ours.map(({ address }) => canonical(address))).size === wanted.size) return undefined;
  return [...kept, ...[...wanted.values()].map(({ address, mode }) => hostPairOf(address, mode))];
}
