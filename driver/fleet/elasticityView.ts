import type { Db } from '../db/connect';
import {
  type CountedTraffic,
  type ElasticityMemory,
  type LoadedBalancer,
  listLoaded,
  listTraffic,
  type Seen,
} from '../db/elasticity';
import { listLoads } from '../db/engineLoads';
import type { FleetGroup } from '../db/fleet';
import { findGroupFor, type GroupFound } from '../db/groups';
import { listCandidates } from '../db/placementCandidates';
import type { ElasticEngine, ElasticitySettings, ElasticityView, ElasticLoadBalancer } from '../domain/elasticity';
import { loadOf } from '../domain/engineLoad';
import { type GroupProperties, ownerOf } from '../domain/group';
import { measuresOf } from '../domain/groupFields';
import { readService, scaleBounds } from '../domain/placementDemand';

/** What a look at a group's load reads: its engines, and the load balancers on those that have much or little to do. */

/** Seconds after which what an engine has said of its load is not believed any more. */
const OUTDATED = 180;
/** Engines with little to do that one look goes into, those with the least first: it does something about one. */
const MOST_LOW = 20;
/** Points around a bound within which an engine may still have the level it had. */
const MARGIN = 10;

/** Milliseconds. */
export function settingsFor(properties: GroupProperties): ElasticitySettings {
  const { autoRebalance, rebalanceInterval, maxLoad, minLoad, deprovisionDelay } = properties;
  return {
    ...{ autoRebalance, interval: rebalanceInterval * 1000, maxLoad, minLoad },
    deprovisionDelay: deprovisionDelay * 60_000,
  };
}

export interface Viewing {
  readonly memory: ElasticityMemory;
  /** Zones, flavors and images make no difference between engines. */
  readonly alike: boolean;
}

export async function readView(
  db: Db,
  group: FleetGroup,
  { memory, alike }: Viewing,
): Promise<{ view: ElasticityView; seen: Seen }> {
  const { properties } = group;
  const measures = measuresOf(properties);
  const loads = await listLoads(db, group.id, OUTDATED);
  const engines = (await listCandidates(db, group.id)).map((it): ElasticEngine => {
    const sample = it.status === 'READY' && it.connected ? loads.get(it.id) : undefined;
    return { ...it, load: sample ? loadOf(sample, measures) : null };
  });
  const loaded = await listLoaded(db, worthALook(engines, properties));
  const traffic = await listTraffic(
    db,
    loaded.map(({ id }) => id),
  );
  const shares = shareOut(engines, loaded, { traffic, seen: memory.seen });
  const loadBalancers: ElasticLoadBalancer[] = [];
  const choices = new Map<string, GroupFound | undefined>();
  for (const it of loaded) {
    const key = `${it.flavorId} ${it.availabilityZone}`;
    if (!choices.has(key)) choices.set(key, await findGroupFor(db, it));
    const found = choices.get(key);
    // One that has been given to another group is on its way there.
    if (found?.group.id === group.id) loadBalancers.push(toElastic(it, found, { properties, alike, shares }));
  }
  const { state } = memory;
  return { view: { group: properties, engines, loadBalancers, state }, seen: seenIn(traffic) };
}

/** Nothing reads what is on all engines of a group. */
function worthALook(engines: readonly ElasticEngine[], { maxLoad, minLoad }: GroupProperties): string[] {
  const busy = engines.filter(({ slotsUsed, load }) => slotsUsed > 0 && load !== null);
  const high = busy.filter(({ load }) => (load ?? 0) > maxLoad - MARGIN);
  const low = busy
    .filter(({ load }) => (load ?? 0) < minLoad + MARGIN)
    .sort((a, b) => a.slotsUsed - b.slotsUsed || (a.load ?? 0) - (b.load ?? 0))
    .slice(0, MOST_LOW);
  return [...high, ...low].map(({ id }) => id);
}

/** Of an engine's load, by load balancer and engine. */
type Shares = ReadonlyMap<string, number>;

function keyOf(loadBalancerId: string, engineId: string): string {
  return `${loadBalancerId} ${engineId}`;
}

/**
 * How much of what an engine does is for which load balancer: by what has come through since the look before; where nothing
 * is known of that, by the connections that are open; else all alike.
 */
function shareOut(
  engines: readonly ElasticEngine[],
  loaded: readonly LoadedBalancer[],
  { traffic, seen }: { readonly traffic: readonly CountedTraffic[]; readonly seen: Seen },
): Shares {
  const counted = new Map(traffic.map((it) => [keyOf(it.loadBalancerId, it.engineId), it]));
  const shares = new Map<string, number>();
  for (const { id: engineId } of engines) {
    const keys = loaded.filter((it) => it.engineIds.includes(engineId)).map((it) => keyOf(it.id, engineId));
    if (keys.length === 0) continue;
    const grown = (index: 0 | 1) =>
      keys.map((key) => {
        const now = counted.get(key);
        const before = seen[key];
        return now && before ? Math.max(0, (index === 0 ? now.bytes : now.opened) - before[index]) : 0;
      });
    const parts = [portions(grown(0)), portions(grown(1))].filter((it) => it !== undefined);
    const open = portions(keys.map((key) => counted.get(key)?.open ?? 0));
    const chosen = parts.length > 0 ? parts : [open ?? keys.map(() => 1 / keys.length)];
    for (const [index, key] of keys.entries()) {
      shares.set(key, chosen.reduce((sum, it) => sum + (it[index] ?? 0), 0) / chosen.length);
    }
  }
  return shares;
}

function portions(amounts: readonly number[]): readonly number[] | undefined {
  const sum = amounts.reduce((all, it) => all + it, 0);
  return sum > 0 ? amounts.map((it) => it / sum) : undefined;
}

function seenIn(traffic: readonly CountedTraffic[]): Seen {
  return Object.fromEntries(
    traffic.map(({ loadBalancerId, engineId, bytes, opened }) => [keyOf(loadBalancerId, engineId), [bytes, opened]]),
  );
}

interface Elastic {
  readonly properties: GroupProperties;
  readonly alike: boolean;
  readonly shares: Shares;
}

function toElastic(
  it: LoadedBalancer,
  { flavor, zone }: GroupFound,
  { properties, alike, shares }: Elastic,
): ElasticLoadBalancer {
  const wishes = { topology: it.topology, flavor, zone };
  const service = readService({ ...wishes, adjustment: it.scaleAdjustment }, properties);
  const bounds = scaleBounds(wishes, properties);
  const isPair = service.haMode === 'active_standby';
  const kind = alike
    ? { zone: null, computeFlavor: null, imageTag: null, ownerProjectId: null }
    : {
        ...{ zone: service.zone, computeFlavor: service.computeFlavor, imageTag: service.imageTag },
        ownerProjectId: ownerOf(it.projectId, properties),
      };
  return {
    id: it.id,
    demand: { projectId: it.projectId, perApp: service.perApp, vnics: it.vnics, ...kind },
    placements: it.engineIds.map((engineId) => ({ engineId, share: shares.get(keyOf(it.id, engineId)) ?? 0 })),
    // What its flavor asks for stays; what was scaled out beyond that is given back.
    least: Math.max(bounds.least, bounds.start),
    most: isPair ? it.engineIds.length : bounds.most,
    settled: it.settled,
  };
}
