import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { parseStats } from '../haproxy/stats';
import type { Daemon } from '../process/daemon';
import { holdWorker, releaseHolder } from '../process/holder';
import { isAlive, ProcessIdentity } from '../process/identity';
import { openThroughMaster } from '../process/masterSocket';
import { monotonicNow, notLaterThanNow } from '../process/monotonic';
import { endSessions, hasSessions } from './sessions';
import { type Retired, type Unit, workerName } from './unit';

const Stored = z.array(z.object({ worker: ProcessIdentity, holder: ProcessIdentity.nullable(), since: z.number() }));

/** Milliseconds an old worker may take to finish its connections: less than `hard-stop-after`, which would not count. */
const LONGEST_RETIREMENT = 3_540_000;
/** Fewer than `mworker-max-reloads`, by which the master would kill the oldest uncounted. */
const MOST_RETIRED = 7;

/** Before a reload: what makes sure that the worker can be asked afterwards, by this agent or the next. */
export async function holdCurrent(unit: Unit, daemon: Daemon): Promise<Retired> {
  const oldest = [...unit.retired].sort(([, a], [, b]) => a.since - b.since);
  for (const [name, retired] of oldest.slice(0, Math.max(0, oldest.length - MOST_RETIRED + 1))) {
    await endAndRelease(unit, name, retired);
  }
  const { worker, runtime, sequence } = daemon;
  const holder = await holdWorker(unit.paths.workerSocket(sequence));
  const held = { worker, holder, since: monotonicNow(), runtime };
  record(unit, [...unit.retired.values(), held]);
  return held;
}

/** After a reload that did not come about. */
export function unhold(unit: Unit, { holder }: Retired): void {
  releaseHolder(holder);
  record(unit, [...unit.retired.values()]);
}

/** Asks the workers of before a reload for their counters, and lets those go that have no connections left. */
export async function readRetired(unit: Unit): Promise<void> {
  for (const [name, retired] of [...unit.retired]) {
    if (monotonicNow() - retired.since > LONGEST_RETIREMENT) await endAndRelease(unit, name, retired);
    else if (!(await isBusy(unit, name, retired))) await release(unit, name);
  }
}

/** Ends the sessions of all old workers, counts them and lets the workers go. */
export async function endRetired(unit: Unit): Promise<void> {
  for (const [name, retired] of [...unit.retired]) await endAndRelease(unit, name, retired);
}

/** Forgets the connections to old workers without letting these go: the next agent will ask them. */
export function leaveRetired(unit: Unit): void {
  for (const { runtime } of unit.retired.values()) runtime.close();
}

/** Finds the old workers an earlier agent left, for their counters to be read. */
export function adoptRetired(unit: Unit, current: Daemon): void {
  for (const { worker, holder, since } of readRecord(unit)) {
    const name = workerName({ worker });
    if (name === workerName(current)) releaseHolder(holder);
    else if (isAlive(worker)) {
      const runtime = openThroughMaster(unit.paths.masterSocket, worker.pid);
      unit.retired.set(name, { worker, holder, since: notLaterThanNow(since), runtime });
    }
  }
  record(unit, [...unit.retired.values()]);
}

/** Lets everything go that an earlier agent held: its haproxy has ended. */
export function dropRetired(unit: Unit): void {
  for (const { holder } of readRecord(unit)) releaseHolder(holder);
  for (const { runtime, holder } of unit.retired.values()) {
    releaseHolder(holder);
    runtime.close();
  }
  unit.retired.clear();
  record(unit, []);
}

async function endAndRelease(unit: Unit, name: string, { runtime }: Retired): Promise<void> {
  await endSessions(runtime).catch(() => undefined);
  const retired = unit.retired.get(name);
  if (retired !== undefined) await isBusy(unit, name, retired);
  await release(unit, name);
}

/** True if it has connections, or lives and gives no answer now: a master that is being reloaded passes nothing on. */
async function isBusy(unit: Unit, name: string, { runtime, worker }: Retired): Promise<boolean> {
  try {
    const [answer = ''] = await runtime.run(['show stat']);
    const rows = parseStats(answer);
    unit.counters.observe(name, rows);
    return hasSessions(rows);
  } catch {
    return isAlive(worker);
  }
}

/**
 * What it said last is on disk, still under its name, before it may go: whenever this agent ends, the next one either
 * finds the worker or knows all that it has counted, and never counts it twice.
 */
async function release(unit: Unit, name: string): Promise<void> {
  const retired = unit.retired.get(name);
  if (retired === undefined) return;
  await unit.countersFile
    .store(unit.counters.stored)
    .catch((err: unknown) => unit.deps.log.warn({ loadBalancer: unit.id, err }, 'counters could not be written'));
  if (!unit.retired.delete(name)) return;
  retired.runtime.close();
  releaseHolder(retired.holder);
  unit.counters.retire(name);
  record(unit, [...unit.retired.values()]);
}

/** Synchronous: an agent that ends here has either told the next one of the worker or not begun the reload. */
function record({ paths }: Unit, all: readonly Retired[]): void {
  if (all.length === 0) {
    rmSync(paths.retired, { force: true });
    return;
  }
  const temporary = `${paths.retired}.new`;
  writeFileSync(temporary, JSON.stringify(all.map(({ worker, holder, since }) => ({ worker, holder, since }))));
  renameSync(temporary, paths.retired);
}

function readRecord({ paths }: Unit): z.infer<typeof Stored> {
  try {
    return existsSync(paths.retired) ? Stored.parse(JSON.parse(readFileSync(paths.retired, 'utf8'))) : [];
  } catch {
    return [];
  }
}
