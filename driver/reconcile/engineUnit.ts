import type { Logger } from 'pino';
import { type Bus, HINTS_TOPIC } from '../bus/port';
import type { ComputeDriver } from '../clouds/compute/port';
import type { NetworkDriver } from '../clouds/network/port';
import { type Db, DbUnavailableError, inTransaction, nowPlus } from '../db/connect';
import { findEngine, listUnsettledOn, listWaitingLoadBalancers, moveEngine, removeEngine } from '../db/engines';
import { recordEvents } from '../db/events';
import { type Lease, LeaseLostError, releaseLease, renewLease, takeLease } from '../db/leases';
import { listVnics, removeVnic } from '../db/vnics';
import type { Engine } from '../domain/engine';
import { ServiceError } from '../domain/errors';
import { runStages, type Stage, stageOf } from './kind';
import { BrokenServerError, type EngineTarget, engineServer, type ServerClouds } from './kinds/server';
import { engineVnic, type VnicClouds } from './kinds/vnic';
import { type BackOff, type Outcome, SETTLED, waiting } from './outcome';

/** What the engine's unit works with; made once a process. */
export interface EngineParts {
  readonly db: Db;
  readonly bus: Bus;
  readonly compute: ComputeDriver;
  readonly network: NetworkDriver;
  readonly log: Logger;
  /** Holder of the leases: new for every process. */
  readonly owner: string;
  /** Where engines find their controllers: WebSocket URLs. */
  readonly controllers: readonly string[];
  readonly settings: EngineSettings;
  /** Told of every step before it begins. Tests crash runs here. */
  readonly trace?: (step: string) => void;
}

export interface EngineSettings {
  /** How long a lease is held; longer than any call to a cloud. */
  readonly leaseSeconds: number;
  /** Seconds after which a server that has not called home is a ghost. */
  readonly engineCreateTimeout: number;
  readonly backOff: BackOff;
}

interface EngineRun {
  readonly parts: EngineParts;
  readonly engine: Engine;
  readonly lease: Lease;
  readonly log: Logger;
  readonly before: (step: string) => Promise<void>;
}

/** Seconds until a unit that another worker has in hand is looked at again. */
const BUSY = 0.5;

/** In this order they are made; they go in the reverse one. */
const STAGES: readonly Stage<EngineTarget, ServerClouds & VnicClouds>[] = [stageOf(engineServer), stageOf(engineVnic)];

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
  const steps = await runStages(STAGES, await stageWork(run));
  for (const { id, deleting } of await listVnics(parts.db, engine.id)) {
    if (deleting) await removeVnic(parts.db, id);
  }
  const now = await findEngine(parts.db, engine.id);
  if (now?.status === 'BUILDING') return awaitCall(run, now);
  const isNews = steps > 0 || engine.generation !== engine.settledGeneration;
  await release(run, { settled_generation: engine.generation, attempts: 0, retry_at: null });
  if (isNews) await hintServed(run);
  return SETTLED;
}

async function awaitCall(run: EngineRun, { unchangedFor, name }: Engine): Promise<Outcome> {
  const { parts, engine } = run;
  const left = parts.settings.engineCreateTimeout - unchangedFor;
  if (left > 0) return wait(run, 'it has not called yet', Math.min(left, parts.settings.backOff(engine.attempts)));
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
  await runStages(STAGES, await stageWork(run));
  const left = await inTransaction(parts.db, async (trx) => {
    await renewLease(trx, run.lease, parts.settings.leaseSeconds);
    const message = `service engine ${engine.name} is gone`;
    await recordEvents(trx, [{ name: 'ENGINE_DELETED', severity: 'info', message }], { engineId: id });
    return removeEngine(trx, id);
  });
  await hintAll(run, left);
  return SETTLED;
}

async function stageWork({ parts, engine, before }: EngineRun) {
  const target: EngineTarget = { engine, vnics: await listVnics(parts.db, engine.id) };
  return { target, clouds: parts, before };
}

/**
 * What a cloud refuses or does not answer is tried again; told of once, until a run ends well. A server that could not be
 * built is told of each time: the runs before it have waited for its call, which is no trouble.
 */
async function failRun(run: EngineRun, error: unknown): Promise<Outcome> {
  const { parts, engine, log } = run;
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof ServiceError) log.warn({ reason }, 'a run of an engine waits');
  else log.error({ err: error }, 'a run of an engine broke');
  if (engine.attempts === 0 || error instanceof BrokenServerError) {
    const message = `service engine ${engine.name}: ${reason}`;
    await recordEvents(parts.db, [{ name: 'ENGINE_FAILED', severity: 'warning', message }], { engineId: engine.id });
  }
  return wait(run, reason, parts.settings.backOff(engine.attempts));
}

async function wait(run: EngineRun, reason: string, retryAfter: number): Promise<Outcome> {
  const { parts, engine } = run;
  await release(run, { attempts: engine.attempts + 1, retry_at: nowPlus(parts.db, retryAfter) });
  return waiting(reason, retryAfter);
}

/** A lease that was lost has a new holder, who settles. */
async function release({ parts, lease }: EngineRun, last: Readonly<Record<string, unknown>>): Promise<void> {
  await releaseLease(parts.db, lease, last);
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
