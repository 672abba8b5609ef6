import { setTimeout as sleep } from 'node:timers/promises';
import { dismiss, isRunning, kill } from '../nginx/generation';
import { monotonicNow, notLaterThanNow } from '../process/monotonic';
import { readIfPresent } from '../state/files';
import { readProcesses, recordProcesses } from './processFile';
import { forgetEnded, readSessionLogs, removeStrayLogs, storeSessions } from './sessions';
import type { UdpUnit } from './unit';

/** Milliseconds that nginxes may take to end their sessions; seen: 60 to 100. */
const FAREWELL = 3000;

/** Ends all nginxes of the load balancer, after their sessions have been logged, and counts these. */
export async function endAll(unit: UdpUnit): Promise<void> {
  unit.layout = null;
  unit.restartAt = null;
  unit.config = null;
  unit.active = new Map();
  unit.blocked = new Map();
  unit.health.clear();
  unit.newcomers.clear();
  if (unit.generations.length === 0) return;
  const now = monotonicNow();
  unit.generations = unit.generations.map((one) => ({ ...one, retiredAt: one.retiredAt ?? now }));
  for (const generation of unit.generations) dismiss(generation);
  const left = () => unit.generations.filter(isRunning);
  for (const deadline = now + FAREWELL; left().length > 0 && monotonicNow() < deadline; ) await sleep(10);
  for (const generation of left()) kill(generation);
  while (left().length > 0) await sleep(10);
  await forgetEnded(unit);
  recordProcesses(unit);
}

/**
 * Takes over what an earlier agent left: processes, what they have counted since, and who was down. What they serve is
 * compared with what is wanted in the next step, as ever.
 */
export async function resume(unit: UdpUnit, keep: boolean): Promise<void> {
  const left = await readProcesses(unit.paths);
  if (left === null) return;
  unit.sequence = left.sequence;
  unit.generations = left.generations.map((one) =>
    one.retiredAt === null ? one : { ...one, retiredAt: notLaterThanNow(one.retiredAt) },
  );
  if (!keep) {
    await endAll(unit);
    return;
  }
  for (const key of left.down) unit.health.set(key, 'DOWN');
  unit.config = await readIfPresent(unit.paths.config);
  unit.startedAt = monotonicNow();
  // One that died meanwhile serves nobody.
  unit.generations = unit.generations.map((one) =>
    one.retiredAt === null && !isRunning(one) ? { ...one, retiredAt: monotonicNow() } : one,
  );
  await readSessionLogs(unit);
  await storeSessions(unit);
  await removeStrayLogs(unit);
}
