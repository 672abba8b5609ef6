import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Bus } from '../bus/port';
import type { ContrailDriver } from '../clouds/contrail/port';
import type { Db } from '../db/connect';
import { listTroubles } from '../db/troubles';
import {
  type FleetPart,
  listDeletedLoadBalancers,
  listFormerVips,
  loadWiredFleet,
  type WiredFleet,
} from '../db/wiredFleet';
import type { HealthCheckWish } from '../domain/inventory';
import { compareEngines } from './compareEngines';
import { compareFloatingIps } from './compareFloatingIps';
import { compareAll, compareOurs, findRivals } from './compareOurs';
import { compareVips } from './compareVips';
import { type Audited, DRIFT, type Drift } from './drift';
import { findLeftovers, strangersOf } from './leftovers';
import { noteFloatingIps } from './noteFloatingIps';
import { hintUnits, repair } from './repair';
import { sweepLeftovers } from './sweepLeftovers';
import { tellDrift, tellOver } from './tell';
import { watchAs } from './watchAs';
import { watchPool } from './watchPool';

export interface WiringAuditDeps {
  readonly db: Db;
  readonly bus: Bus;
  readonly log: Logger;
  readonly driver: ContrailDriver;
  readonly settings: WiringAuditSettings;
  readonly now: () => Date;
}

export interface WiringAuditSettings {
  /** What everything of this installation is named with. */
  readonly ownerTag: string;
  readonly healthCheck: HealthCheckWish | null;
  /** Seconds that what seems left over is left alone. */
  readonly grace: number;
  /** Seconds for which what was found is looked at again until it is right. */
  readonly follow: number;
  /** Servers' ports are plugged in by a compute service. */
  readonly plugs: boolean;
}

/** Drifts of one audit whose history Contrail is asked for: each is a call. */
const TOLD_AT_ONCE = 100;
/** Milliseconds between two looks at what is being put right. */
const LOOK_AFTER = 700;

/**
 * Compares the wiring that is wanted with what there is, all at once, in about a dozen calls; tells what has drifted and sees
 * to it that it is put right. A drift counts when nobody is at work on its unit, neither before nor after the look: else it
 * is a change under way.
 */
export function createWiringAudit(deps: WiringAuditDeps): () => Promise<void> {
  const firstSeen = new Map<string, number>();
  return async () => {
    const found = await look(deps);
    await settleTroubles(deps, found);
    await act(deps, found);
    await noteFloatingIps(deps.db, found.audited);
    await watchPool(deps.db, found.audited.inventory.sessions);
    await watchAs(deps, found.audited.inventory.sessions);
    const { fleet, inventory, ownerTag } = found.audited;
    const deleted = await listDeletedLoadBalancers(deps.db, strangersOf({ fleet, inventory }));
    await sweepLeftovers(deps, findLeftovers({ fleet, inventory, ownerTag, deleted }), firstSeen);
    await followUp(
      deps,
      found.drifts.filter(({ handling }) => handling === 'repair'),
    );
  };
}

interface Found {
  readonly audited: Audited;
  /** Those that count. */
  readonly drifts: readonly Drift[];
  /** All that seem to be, those under way too. */
  readonly causes: ReadonlySet<string>;
}

const COMPARES = [compareVips, compareFloatingIps, compareEngines, compareOurs];
const ALL_COMPARES = [...COMPARES, findRivals];

async function look(deps: WiringAuditDeps, part?: FleetPart): Promise<Found> {
  const { db, driver, settings } = deps;
  const fleet = await loadWiredFleet(db, part);
  const inventory = await driver.inventory(requestFor(fleet, settings, part === undefined));
  const formerVips = await listFormerVips(db);
  const compares = part ? COMPARES : ALL_COMPARES;
  const audited: Audited = { fleet, inventory, formerVips, ...settings };
  const before = compareAll(audited, compares);
  if (before.length === 0) return { audited, drifts: [], causes: new Set() };
  const now = await loadWiredFleet(db, part);
  const after = new Set(compareAll({ ...audited, fleet: now }, compares).map(({ cause }) => cause));
  const drifts = before.filter((it) => after.has(it.cause) && isUntouched(it, fleet, now));
  return { audited, drifts, causes: new Set(before.map(({ cause }) => cause)) };
}

function idsOf(drifts: readonly Drift[], key: 'loadBalancerId' | 'engineId'): string[] {
  return [...new Set(drifts.flatMap((it) => it[key] ?? []))];
}

function isUntouched(it: Drift, before: WiredFleet, now: WiredFleet): boolean {
  const same = (kind: 'loadBalancers' | 'engines', id: string | null): boolean => {
    if (id === null) return true;
    const [one, other] = [before[kind].get(id), now[kind].get(id)];
    return one !== undefined && other?.epoch === one.epoch && (it.handling === 'report' || other.isQuiet);
  };
  return same('loadBalancers', it.loadBalancerId) && same('engines', it.engineId);
}

function requestFor(fleet: WiredFleet, { healthCheck }: WiringAuditSettings, isWhole: boolean) {
  const lbs = [...fleet.loadBalancers.values()];
  const vnics = [...fleet.engines.values()].flatMap((engine) => engine.vnics);
  const vipPortIds = lbs.flatMap(({ vips }) => vips.flatMap(({ portId }) => portId ?? []));
  const seen = [...fleet.seenFloatingIps.values()];
  const wired = lbs.flatMap(({ wiring }) => wiring.map(({ portId }) => portId));
  return {
    healthCheck,
    portIds: [...vnics.map(({ portId }) => portId), ...wired, ...vipPortIds],
    // Those that lead to engines and to no VIP are of load balancers that are gone.
    leadingTo: [...vipPortIds, ...(isWhole ? vnics.map(({ portId }) => portId) : [])],
    floatingIpIds: [...seen.map(({ id }) => id), ...lbs.flatMap(({ floatingIpId }) => floatingIpId ?? [])],
    networkIds: isWhole ? [...new Set(lbs.flatMap(({ vips }) => vips.flatMap((vip) => vip.networkId ?? [])))] : [],
  };
}

/** Much of an object may have drifted at once. */
function rememberingProvenance(driver: ContrailDriver): ContrailDriver['provenance'] {
  const asked = new Map<string, ReturnType<ContrailDriver['provenance']>>();
  return (type, id) => {
    const answer = asked.get(id) ?? driver.provenance(type, id);
    asked.set(id, answer);
    return answer;
  };
}

/** Tells of what is news, and puts right what is ours. */
async function act(deps: WiringAuditDeps, { audited, drifts }: Found): Promise<void> {
  const told = drifts.filter(({ handling }) => handling !== 'spread').slice(0, TOLD_AT_ONCE);
  const known = new Set((await listTroubles(deps.db, DRIFT)).map(({ cause }) => cause));
  const provenance = rememberingProvenance(deps.driver);
  for (const it of told) {
    if (known.has(it.cause) || !(await tellDrift({ db: deps.db, provenance }, audited.fleet, it))) continue;
    deps.log.warn({ lb: it.loadBalancerId, engine: it.engineId, cause: it.cause }, it.what);
  }
  const ours = drifts.filter(({ handling }) => handling !== 'report');
  await repair({ ...deps, healthCheck: deps.settings.healthCheck }, ours);
}

/** What was told and is no more is over, unless somebody is at work there: then the next look tells. */
async function settleTroubles({ db }: WiringAuditDeps, { audited, causes }: Found, only?: ReadonlySet<string>) {
  const { loadBalancers, engines } = audited.fleet;
  for (const trouble of await listTroubles(db, DRIFT)) {
    const { loadBalancerId, engineId } = trouble.about.context;
    const isBusy =
      loadBalancers.get(loadBalancerId ?? '')?.isQuiet === false || engines.get(engineId ?? '')?.isQuiet === false;
    if (causes.has(trouble.cause) || isBusy || (only && !only.has(trouble.cause))) continue;
    await tellOver(db, trouble);
  }
}

/** Looks at what was found until it is right, so that operators hear how long it took; hints that were lost are given again. */
async function followUp(deps: WiringAuditDeps, drifts: readonly Drift[]): Promise<void> {
  const until = performance.now() + deps.settings.follow * 1_000;
  let left = drifts;
  while (left.length > 0 && performance.now() < until) {
    await sleep(LOOK_AFTER);
    const part = { loadBalancerIds: idsOf(left, 'loadBalancerId'), engineIds: idsOf(left, 'engineId') };
    const found = await look(deps, part);
    const causes = new Set(left.map(({ cause }) => cause));
    await settleTroubles(deps, found, causes);
    const open = new Set((await listTroubles(deps.db, DRIFT)).map(({ cause }) => cause));
    left = left.filter(({ cause }) => open.has(cause));
    await hintUnits(
      deps,
      found.drifts.filter(({ cause }) => left.some((it) => it.cause === cause)),
    );
  }
}
