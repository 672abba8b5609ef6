import { HINTS_TOPIC } from '../bus/port';
import { DbUnavailableError, inTransaction, nowPlus } from '../db/connect';
import {
  findEngine,
  listUnsettledOn,
  listWaitingLoadBalancers,
  moveEngine,
  removeEngine,
  restartBuildTime,
  retireEngine,
} from '../db/engines';
import { recordEvents, recordNews } from '../db/events';
import { LeaseLostError, renewLease, takeLease } from '../db/leases';
import { listVnics, removeVnic } from '../db/vnics';
import type { Engine } from '../domain/engine';
import { ServiceError, UnavailableError } from '../domain/errors';
import { CloudPausedError } from './cloudPaused';
import { clearContrailGroup, wireEngine } from './contrailEngine';
import {
  type EngineClouds,
  type EngineParts,
  type EngineRun,
  type EngineTarget,
  LostServerError,
  plugsPorts,
  type RunNotes,
  release,
} from './engineRun';
import { clearGroup } from './groupObjects';
import { runStages, type Stage, stageOf } from './kind';
import { managementPort } from './kinds/managementPort';
import { BrokenServerError, engineServer } from './kinds/server';
import { engineVnic } from './kinds/vnic';
import { type Outcome, SETTLED, waiting } from './outcome';
import { learnPlaces } from './vnicPlaces';

export type { EngineParts, EngineSettings } from './engineRun';

/** Seconds until a unit that another worker has in hand is looked at again. */
const BUSY = 0.5;
/** Seconds until the next run of a unit that has more to do right away. */
const SOON = 0.1;

/** In this order they are made; they go in the reverse one. */
const STAGES: readonly Stage<EngineTarget, EngineClouds>[] = [stageOf(engineServer), stageOf(engineVnic)];
const MANAGED_STAGES: readonly Stage<EngineTarget, EngineClouds>[] = [stageOf(managementPort), ...STAGES];
/** Seconds between two looks at a server that is being built: its vNICs wait for it. */
const BUILD_LOOK = 3;

/**
 * One run of an engine's unit: its server, its vNICs, and its end. Never throws for what a cloud or another worker does.
 * @throws DbUnavailableError when the database is away
 */
export async function reconcileEngine(parts: EngineParts, id: string): Promise<Outcome> {
  const lease = await takeLease(
    parts.db,
    { table: 'service_engine', id },
    { owner: parts.owner, seconds: parts.settings.leaseSeconds },
  );
  const engine = await findEngine(parts.db, id);
  if (!engine) return SETTLED;
  if (!lease) return waiting('another worker has it in hand', BUSY);
  const before = async (step: string): Promise<void> => {
    parts.trace?.(step);
    // Runs of engines are rare and their steps are slow: the lease is renewed before each.
    await renewLease(parts.db, lease, parts.settings.leaseSeconds);
  };
  const run: EngineRun = { parts, engine, lease, before, log: parts.log.child({ engine: id }) };
  try {
    return await (engine.deleting ? takeDown(run) : keepUp(run));
  } catch (error) {
    if (error instanceof DbUnavailableError) throw error;
    if (error instanceof LeaseLostError) return waiting('the lease passed to another worker', BUSY);
    return failRun(run, error);
  }
}

async function keepUp(run: EngineRun): Promise<Outcome> {
  const { parts, engine } = run;
  const { steps, notes } = await bringAbout(run);
  await tellTroubles(run, notes);
  const now = await findEngine(parts.db, engine.id);
  if (now?.status === 'BUILDING') return awaitCall(run, now);
  const isNews = steps > notes.troubles.length || engine.generation !== engine.settledGeneration;
  const [trouble] = notes.troubles;
  if (trouble) {
    if (isNews) await hintServed(run);
    return wait(run, trouble.reason, parts.settings.backOff(engine.attempts));
  }
  await release(run, { settled_generation: engine.generation, attempts: 0, retry_at: null });
  if (isNews) await hintServed(run);
  return SETTLED;
}

/** Makes what is wanted, takes away what is not, and forgets the vNICs that are gone. */
async function bringAbout(run: EngineRun) {
  const { parts, engine, before } = run;
  const notes: RunNotes = { troubles: [] };
  const target: EngineTarget = { engine, vnics: await listVnics(parts.db, engine.id) };
  const isManaged = parts.management !== undefined && plugsPorts(parts);
  const work = { target, clouds: { ...parts, notes }, before };
  const { contrail } = parts;
  // What is to go leaves first what others share with it.
  const left = contrail ? await wireEngine(run, contrail, notes) : 0;
  const made = await runStages(isManaged ? MANAGED_STAGES : STAGES, work);
  const wired = contrail && made > 0 && !engine.deleting ? await wireEngine(run, contrail, notes) : 0;
  const steps = left + made + wired;
  // The ports of one that goes are gone.
  if (!engine.deleting) await learnPlaces(run);
  for (const { id, deleting } of target.vnics) {
    if (deleting && !notes.troubles.some(({ vnicId }) => vnicId === id)) await removeVnic(parts.db, id);
  }
  if (!engine.deleting && target.vnics.some(({ deleting }) => deleting)) await clearShared(run);
  return { steps, notes };
}

async function tellTroubles({ parts, engine, log }: EngineRun, { troubles, server }: RunNotes): Promise<void> {
  for (const { vnicId, reason, passes } of troubles) {
    log[passes ? 'debug' : 'warn']({ vnic: vnicId, reason }, 'a vNIC of an engine is not as wanted');
    if (passes) continue;
    const message = `service engine ${engine.name}: a vNIC is not as wanted: ${reason}`;
    await recordNews(parts.db, { name: 'ENGINE_VNIC_FAILED', severity: 'warning', message }, engine.id);
  }
  if (!server?.stopped) return;
  const message = `service engine ${engine.name}: its server ${server.id} is ${server.stopped}`;
  await recordNews(parts.db, { name: 'ENGINE_SERVER_STOPPED', severity: 'error', message }, engine.id);
}

async function awaitCall(run: EngineRun, { unchangedFor, name }: Engine): Promise<Outcome> {
  const { parts, engine } = run;
  const left = parts.settings.engineCreateTimeout - unchangedFor;
  if (left > 0)
    return wait(run, 'it has not called yet', Math.min(left, BUILD_LOOK, parts.settings.backOff(engine.attempts)));
  await inTransaction(parts.db, async (trx) => {
    await renewLease(trx, run.lease, parts.settings.leaseSeconds);
    if (!(await moveEngine(trx, engine.id, { from: 'BUILDING', to: 'GHOST' }))) return;
    const message = `service engine ${name} has not called within ${parts.settings.engineCreateTimeout} s; it is replaced`;
    await recordEvents(trx, [{ name: 'ENGINE_GHOST', severity: 'error', message }], { engineId: engine.id });
  });
  await release(run, { settled_generation: engine.generation, attempts: 0, retry_at: null });
  return SETTLED;
}

/** Ends an engine: one that serves goes on until its load balancers have left; of one that is dead nothing is awaited. */
async function takeDown(run: EngineRun): Promise<Outcome> {
  const { parts, engine } = run;
  const { id, status } = engine;
  const serves = engine.connectedTo !== null && engine.slotsUsed > 0;
  const next = serves ? 'DRAINING' : 'DELETING';
  if (status !== next) await moveEngine(parts.db, id, { from: status, to: next });
  if (serves) {
    await hintServed(run);
    return wait(run, 'its load balancers have not left yet', parts.settings.backOff(engine.attempts));
  }
  const { notes } = await bringAbout(run);
  const [trouble] = notes.troubles;
  if (trouble) {
    await tellTroubles(run, { troubles: notes.troubles });
    return wait(run, trouble.reason, parts.settings.backOff(engine.attempts));
  }
  const left = await inTransaction(parts.db, async (trx) => {
    await renewLease(trx, run.lease, parts.settings.leaseSeconds);
    const message = `service engine ${engine.name} is gone`;
    await recordEvents(trx, [{ name: 'ENGINE_DELETED', severity: 'info', message }], { engineId: id });
    return removeEngine(trx, id);
  });
  // Load balancers first: they wait for another engine.
  await hintAll(run, left);
  await clearShared(run);
  await clearGroup(run);
  return SETTLED;
}

/** Runs in a row that met a service without an answer, after which that is told of each engine: it is more than an outage. */
const AWAY_FOR_LONG = 20;

/** What the ports of engines of a group have in common goes with the last of them. */
async function clearShared(run: EngineRun): Promise<void> {
  const { parts, engine, log } = run;
  await parts.onGone?.(engine).catch((err: unknown) => log.info({ err }, 'what an engine shared is left to the sweep'));
  if (parts.contrail) await clearContrailGroup(run, parts.contrail);
}

/** Whether a service gave no answer: one that says it could not build a server has given one. */
function isAway(error: unknown): boolean {
  return error instanceof UnavailableError && !(error instanceof BrokenServerError);
}

/** What a cloud refuses or does not answer is tried again; told of when it is news. */
async function failRun(run: EngineRun, error: unknown): Promise<Outcome> {
  const { parts, engine, log } = run;
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof ServiceError) log.warn({ reason }, 'a run of an engine waits');
  else log.error({ err: error }, 'a run of an engine broke');
  if (error instanceof LostServerError) return replace(run, reason);
  if (error instanceof CloudPausedError) {
    // The cloud's absence is told of elsewhere, and uses up nobody's time.
    await restartBuildTime(parts.db, engine.id);
  } else if (!isAway(error) || engine.attempts >= AWAY_FOR_LONG) {
    const message = `service engine ${engine.name}: ${reason}`;
    await recordNews(parts.db, { name: 'ENGINE_FAILED', severity: 'warning', message }, engine.id);
  }
  return wait(run, reason, parts.settings.backOff(engine.attempts));
}

/** Wants an engine gone that is not what it was any more. Its load balancers move, and the fleet makes another one. */
async function replace(run: EngineRun, reason: string): Promise<Outcome> {
  const { parts, engine } = run;
  await inTransaction(parts.db, async (trx) => {
    await renewLease(trx, run.lease, parts.settings.leaseSeconds);
    const message = `service engine ${engine.name} is replaced: ${reason}`;
    await recordEvents(trx, [{ name: 'ENGINE_LOST', severity: 'error', message }], { engineId: engine.id });
    await retireEngine(trx, engine.id);
  });
  await release(run, {});
  return waiting(reason, SOON);
}

async function wait(run: EngineRun, reason: string, retryAfter: number): Promise<Outcome> {
  const { parts, engine } = run;
  await release(run, { attempts: engine.attempts + 1, retry_at: nowPlus(parts.db, retryAfter) });
  return waiting(reason, retryAfter);
}

/** At most so many are hinted at a time; the sweep finds the others. */
const MAX_WAITING = 1_000;

/** Load balancers that may have waited for what this run has done. */
async function hintServed(run: EngineRun): Promise<void> {
  const { db } = run.parts;
  const ids = [...(await listUnsettledOn(db, run.engine.id)), ...(await listWaitingLoadBalancers(db, MAX_WAITING))];
  await hintAll(run, ids);
}

async function hintAll({ parts, log }: EngineRun, ids: readonly string[]): Promise<void> {
  for (const id of new Set(ids)) {
    const hint = { method: 'load_balancer', args: { id }, loadBalancerId: id };
    await parts.bus.publish(HINTS_TOPIC, hint).catch((err: unknown) => log.warn({ err }, 'a hint could not be sent'));
  }
}
