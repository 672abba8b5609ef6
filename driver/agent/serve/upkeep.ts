import type { Ack } from '../../protocol/messages';
import { adoptDaemon, type Daemon } from '../process/daemon';
import { end, isAlive } from '../process/identity';
import { monotonicNow } from '../process/monotonic';
import type { HeldSpec } from '../state/specStore';
import { acknowledgement } from './acknowledgement';
import { createBackOff } from './backOff';
import { bringAbout, isStillUnbindable } from './bringAbout';
import { advanceNewcomers } from './members';
import { readStatistics } from './poll';
import type { Queue } from './queue';
import { dropRetired, readRetired } from './retired';
import type { Unit } from './unit';

/** What a load balancer tells without being asked. */
export interface Notices {
  /** A refusal came or went. */
  acknowledge(ack: Ack): void;
  event(name: string, message: string): void;
}

/** Keeps a load balancer as it should be between two specs: restarts, retries and first checks. */
export interface Upkeep {
  /** To be called after all work in the queue: looks what there is to be done, and when. */
  plan(): void;
  /** A new spec has come: old delays do not count. */
  reset(): void;
  /** Tries at once what waits to be tried again. */
  retry(): void;
  stop(): void;
}

/** Milliseconds. A haproxy that lived this long has not crashed at its start. */
const LONG_LIFE = 30_000;
const PROBE_TICK = 50;

export function createUpkeep(unit: Unit, queue: Queue, notices: Notices): Upkeep {
  const retries = createBackOff(2000, 10_000);
  const restarts = createBackOff(100, 10_000);
  const timers = new Map<string, NodeJS.Timeout>();
  let watched: Daemon | null = null;
  let startedAt = 0;
  let stopped = false;

  const later = (name: string, delay: number, work: () => Promise<void>) => {
    if (stopped || timers.has(name)) return;
    const run = () => {
      timers.delete(name);
      queue
        .run(async () => {
          if (!stopped) await work();
        })
        .catch((error: unknown) => unit.deps.log.error({ loadBalancer: unit.id, err: error }, `${name} failed`))
        .finally(plan);
    };
    timers.set(name, setTimeout(run, delay));
  };

  const lost = async (daemon: Daemon) => {
    if (unit.running?.daemon !== daemon) return;
    if (await reconnect(unit, daemon)) return;
    notices.event('HAPROXY_CRASHED', `haproxy ${daemon.master.pid} of load balancer ${unit.id} ended unexpectedly`);
    if (monotonicNow() - startedAt > LONG_LIFE) {
      restarts.reset();
      await restart(unit, notices);
    } else later('restart', restarts.next(), () => restart(unit, notices));
  };

  const plan = () => {
    const { running, held } = unit;
    if (stopped) return;
    if (running !== null && running.daemon !== watched) {
      const { daemon } = running;
      if (watched?.master.pid !== daemon.master.pid) startedAt = monotonicNow();
      watched = daemon;
      void daemon.runtime.ended.then(() => later(`loss of ${daemon.worker.pid}`, 0, () => lost(daemon)));
    }
    if (waits(held)) {
      later('retry', timers.has('retry') ? 0 : retries.next(), () => retry(unit, held, notices));
    }
    if ([...unit.newcomers.values()].some(({ phase }) => phase === 'probing')) {
      later('probe', PROBE_TICK, () => lookAfterNewcomers(unit));
    }
  };

  return {
    plan,
    reset: () => {
      retries.reset();
      forget(timers, 'retry');
    },
    retry: () => {
      const { held } = unit;
      if (!waits(held)) return;
      forget(timers, 'retry');
      later('retry', 0, () => retry(unit, held, notices));
    },
    stop: () => {
      stopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}

function forget(timers: Map<string, NodeJS.Timeout>, name: string): void {
  clearTimeout(timers.get(name));
  timers.delete(name);
}

function waits(held: HeldSpec | null): held is HeldSpec {
  return held?.faults.some(({ heals }) => heals === 'later') ?? false;
}

/** True if it was the connection that broke, not haproxy; else its remains are cleared away. */
async function reconnect(unit: Unit, daemon: Daemon): Promise<boolean> {
  const { running } = unit;
  if (running !== null && isAlive(daemon.master) && isAlive(daemon.worker)) {
    const again = await adoptDaemon(unit.paths);
    if (again !== null) {
      unit.running = { ...running, daemon: again };
      return true;
    }
  }
  // Workers of before a reload may outlive it for a moment.
  await readRetired(unit);
  unit.running = null;
  await end([daemon.master, daemon.worker], 0);
  dropRetired(unit);
  for (const worker of unit.counters.workers()) unit.counters.retire(worker);
  return false;
}

/** Serves again what was served last, also if a later spec was refused. */
async function restart(unit: Unit, notices: Notices): Promise<void> {
  const { held, inForce } = unit;
  if (held === null || unit.running !== null) return;
  const refused = held.outcome === 'refused';
  const result = await unit.deps.slots(() => bringAbout(unit, refused && inForce !== null ? inForce : held.spec));
  if (refused) unit.held = held;
  else if (!sameFaults(held, result)) notices.acknowledge(acknowledgement(result));
  await readStatistics(unit);
}

async function retry(unit: Unit, before: HeldSpec, notices: Notices): Promise<void> {
  const { held } = unit;
  if (held === null || held !== before || (await isStillUnbindable(unit, held))) return;
  const result = await unit.deps.slots(() => bringAbout(unit, held.spec));
  if (!sameFaults(before, result)) notices.acknowledge(acknowledgement(result));
  await readStatistics(unit);
}

function sameFaults(one: HeldSpec, other: HeldSpec): boolean {
  return one.outcome === other.outcome && JSON.stringify(one.faults) === JSON.stringify(other.faults);
}

async function lookAfterNewcomers(unit: Unit): Promise<void> {
  await readStatistics(unit);
  if (unit.running !== null) await advanceNewcomers(unit, unit.running.daemon.runtime, unit.rows);
  await readStatistics(unit);
}
