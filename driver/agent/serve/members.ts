import type { MemberChange } from '../haproxy/change';
import {
  bringBack,
  commandsFor,
  deleteServer,
  endProbe,
  hasWorked,
  isDeleted,
  needsFirstCheck,
  type RuntimeCommand,
  replaceByProbe,
  setState,
} from '../haproxy/commands';
import { hasBeenChecked, hasPassedCheck, parseStats, type StatRow } from '../haproxy/stats';
import { monotonicNow } from '../process/monotonic';
import type { RuntimeSocket } from '../process/runtimeSocket';
import { type Newcomer, type Unit, workerName } from './unit';

/** Milliseconds between a probe's checks: quick for one member, and no storm for a thousand. */
function probeInterval(members: number): number {
  return 100 + Math.floor(members / 2);
}

/** Milliseconds that probes of new members may keep old ones in the balance. */
const LONGEST_OVERLAP = 1000;

/**
 * Makes the changes on a running worker. Who comes is served before who goes is taken out, so that a pool never stands
 * empty in between; while new members are being probed, what takes capacity away waits. False if the worker refused a
 * command: then its state is unknown and only a reload helps.
 */
export async function changeMembers(
  unit: Unit,
  runtime: RuntimeSocket,
  steps: readonly MemberChange[],
): Promise<boolean> {
  const interval = probeInterval(steps.length);
  const commandsOf = (some: readonly MemberChange[]) => some.flatMap((step) => begin(unit, step, interval));
  const inTheWay = findInTheWay(steps);
  const early = [...takeDeferred(unit), ...commandsOf([...inTheWay])];
  if (early.length > 0) {
    if (!(await carryOut(unit, runtime, early))) return false;
    await deleteLeaving(unit, runtime);
  }
  const others = steps.filter((step) => !inTheWay.has(step));
  const coming = commandsOf(others.filter((step) => !takesAway(step)));
  const going = commandsOf(others.filter(takesAway));
  const wait = isProbing(unit) && going.length > 0;
  if (wait) unit.deferred = { commands: going, since: monotonicNow() };

  if (!(await carryOut(unit, runtime, [...coming, ...(wait ? [] : going)]))) return false;
  await deleteLeaving(unit, runtime);
  return true;
}

/**
 * Members that go and whose numeric id one of those that come gets: haproxy takes no id twice, so these go first. Where a
 * thousand members replace a thousand others there is one more often than not.
 */
function findInTheWay(steps: readonly MemberChange[]): ReadonlySet<MemberChange> {
  const idOf = ({ backend, member }: MemberChange) => `${backend.name} ${backend.serverIds.get(member.id)}`;
  const wanted = new Set(steps.filter(({ kind }) => kind === 'add').map(idOf));
  return new Set(steps.filter((step) => step.kind === 'remove' && wanted.has(idOf(step))));
}

async function carryOut(unit: Unit, runtime: RuntimeSocket, commands: readonly RuntimeCommand[]): Promise<boolean> {
  const answers = await runtime.run(commands.map(({ text }) => text));
  return commands.every((sent, index) => hasSettled(unit, sent, answers[index] ?? ''));
}

function takesAway({ kind, member }: MemberChange): boolean {
  return kind === 'remove' || (kind === 'enabled' && !member.enabled) || (kind === 'weight' && member.weight === 0);
}

function isProbing({ newcomers }: Unit): boolean {
  return [...newcomers.values()].some(({ phase }) => phase === 'probing');
}

function takeDeferred(unit: Unit): readonly RuntimeCommand[] {
  const commands = unit.deferred?.commands ?? [];
  unit.deferred = null;
  return commands;
}

function begin(unit: Unit, step: MemberChange, interval: number): RuntimeCommand[] {
  const { kind, backend, member } = step;
  const key = `${backend.name}/${member.id}`;
  if (kind === 'add' && unit.leaving.delete(key)) return bringBack(backend, member);
  if (kind === 'remove') unit.leaving.set(key, deleteServer(backend, member).text);
  if (kind === 'remove' || (kind === 'enabled' && !member.enabled)) unit.newcomers.delete(key);
  if (kind === 'add' && needsFirstCheck(backend, member)) {
    unit.newcomers.set(key, { backend, member, phase: 'probing' });
  }
  const newcomer = unit.newcomers.get(key);
  if (kind === 'weight' && newcomer !== undefined) unit.newcomers.set(key, { ...newcomer, member });
  return commandsFor(step, interval);
}

function hasSettled(unit: Unit, sent: RuntimeCommand, answer: string): boolean {
  const worked = hasWorked(sent, answer);
  if (!worked) warn(unit, sent, answer);
  return worked;
}

/** Probes members that came with a reload, which has left them down. */
export async function probe(unit: Unit, runtime: RuntimeSocket, newcomers: readonly Newcomer[]): Promise<void> {
  if (newcomers.length === 0) return;
  const interval = probeInterval(newcomers.length);
  for (const newcomer of newcomers) unit.newcomers.set(`${newcomer.backend.name}/${newcomer.member.id}`, newcomer);
  await tell(
    unit,
    runtime,
    newcomers.flatMap(({ backend, member }) => replaceByProbe(backend, member, interval)),
  );
}

/** Ends the probes that have a result, and lets in whom the monitor's own check has seen since. */
export async function advanceNewcomers(unit: Unit, runtime: RuntimeSocket, rows: readonly StatRow[]): Promise<void> {
  const commands: RuntimeCommand[] = [];
  for (const row of rows) {
    const key = `${row.proxy}/${row.server}`;
    const newcomer = unit.newcomers.get(key);
    if (newcomer === undefined || !hasBeenChecked(row)) continue;
    const { backend, member, phase } = newcomer;
    const passed = hasPassedCheck(row);
    if (phase === 'probing') commands.push(...endProbe(backend, member, passed));
    else commands.push(setState(backend, member, 'ready'));
    if (phase === 'waiting' || passed) unit.newcomers.delete(key);
    else newcomer.phase = 'waiting';
  }
  const overlap = unit.deferred === null ? 0 : monotonicNow() - unit.deferred.since;
  if (!isProbing(unit) || overlap > LONGEST_OVERLAP) commands.push(...takeDeferred(unit));
  await tell(unit, runtime, commands);
}

/** Deletes members that are out of the balance and whose last connections have ended: what they counted by then is all. */
export async function deleteLeaving(unit: Unit, runtime: RuntimeSocket): Promise<void> {
  const { running } = unit;
  if (unit.leaving.size === 0 || running === null) return;
  const [answer = ''] = await runtime.run(['show stat']);
  const rows = parseStats(answer);
  const worker = workerName(running.daemon);
  unit.counters.observe(worker, rows);
  const sessions = new Map(rows.map((row) => [`${row.proxy}/${row.server}`, row.currentSessions]));
  const idle = [...unit.leaving].filter(([key]) => (sessions.get(key) ?? 0) === 0);
  const answers = await runtime.run(idle.map(([, text]) => text));
  for (const [index, [key]] of idle.entries()) {
    if (!isDeleted(answers[index] ?? '')) continue;
    unit.leaving.delete(key);
    unit.counters.deleted(worker, key);
  }
}

/** For steps that are not part of a change: what is refused leaves a member as it was, which the next reload puts right. */
async function tell(unit: Unit, runtime: RuntimeSocket, commands: readonly RuntimeCommand[]): Promise<void> {
  const answers = await runtime.run(commands.map(({ text }) => text));
  for (const [index, sent] of commands.entries()) {
    hasSettled(unit, sent, answers[index] ?? '');
  }
}

function warn(unit: Unit, { text }: RuntimeCommand, answer: string): void {
  unit.deps.log.warn({ loadBalancer: unit.id, command: text, answer }, 'haproxy refused a runtime command');
}
