import { dismiss, type Generation, isRunning, kill, workerOf } from '../nginx/generation';
import { isAlive } from '../process/identity';
import { monotonicNow } from '../process/monotonic';
import { activeSessions } from './activeSessions';
import { enactAgain } from './enact';
import { recordProcesses } from './processFile';
import { isOverdue, isPastUse } from './retire';
import { forgetEnded, readSessionLogs } from './sessions';
import { currentGeneration, type UdpUnit } from './unit';

/** Milliseconds. An nginx that lived this long has not crashed at its start. */
const LONG_LIFE = 30_000;
/** Milliseconds a generation that was told to go may take. */
const LONGEST_FAREWELL = 5000;

/** One look at the processes of a load balancer and at what they have counted. */
export async function poll(unit: UdpUnit): Promise<void> {
  if (unit.generations.length > 0) await readSessionLogs(unit);
  noticeCrash(unit);
  countActive(unit);
  if (await forgetEnded(unit)) recordProcesses(unit);
  if (unit.restartAt !== null && monotonicNow() >= unit.restartAt) await enactAgain(unit);
}

function noticeCrash(unit: UdpUnit): void {
  const current = currentGeneration(unit);
  if (current === undefined) return;
  const { master, worker } = current;
  if (!isAlive(master)) {
    unit.deps.event('NGINX_CRASHED', `nginx ${master.pid} of load balancer ${unit.id} ended unexpectedly`);
    // A worker outlives its master, and would go on to share the port.
    kill(current);
    change(unit, current, { retiredAt: monotonicNow() });
    unit.config = null;
    const now = monotonicNow();
    if (now - unit.startedAt > LONG_LIFE) unit.restarts.reset();
    unit.restartAt = now - unit.startedAt > LONG_LIFE ? now : now + unit.restarts.next();
    return;
  }
  const present = workerOf(master);
  if (present === null || (worker !== null && present.pid === worker.pid)) return;
  if (worker !== null) {
    unit.deps.event('NGINX_CRASHED', `a worker of nginx ${master.pid} of load balancer ${unit.id} ended unexpectedly`);
  }
  change(unit, current, { worker: present });
}

function change(unit: UdpUnit, generation: Generation, content: Partial<Generation>): void {
  unit.generations = unit.generations.map((one) => (one === generation ? { ...one, ...content } : one));
  recordProcesses(unit);
}

/** Counts sessions, and lets old generations go that have none left. */
function countActive(unit: UdpUnit): void {
  const { layout, generations } = unit;
  if (layout === null) return;
  const totals = new Map(layout.frontends.map(({ listener }) => [listener.id, 0]));
  const now = monotonicNow();
  for (const generation of generations.filter(isRunning)) {
    const counts = activeSessions(generation, layout);
    for (const [id, count] of counts) totals.set(id, (totals.get(id) ?? 0) + count);
    const idle = [...counts.values()].every((count) => count === 0);
    if ((idle && isPastUse(generation, now)) || isOverdue(generation, now)) dismiss(generation);
    if (isOverdue(generation, now - LONGEST_FAREWELL)) kill(generation);
  }
  unit.active = totals;
}
