import { mkdir, rename } from 'node:fs/promises';
import { renderSettings } from '../config';
import { planChange } from '../haproxy/change';
import { needsFirstCheck } from '../haproxy/commands';
import type { Fault } from '../haproxy/fault';
import { endpoints, type Layout, socketAddress } from '../haproxy/layout';
import { sharingOf } from '../haproxy/peers';
import { type Rendered, renderConfig } from '../haproxy/render';
import { renderServerState } from '../haproxy/serverState';
import { parseStats } from '../haproxy/stats';
import { checkConfig } from '../process/checkConfig';
import { type Daemon, endDaemon, reloadDaemon, startDaemon } from '../process/daemon';
import { type Command, enter as enterNamespace } from '../process/enter';
import { StartError } from '../process/startError';
import { writeAtomically } from '../state/files';
import { changeCertificates, dropCertificates, placeCertificates } from './certificates';
import { ActivationError, blame, findCulprits } from './culprits';
import { knownHealth, withoutNewcomers } from './health';
import { learnFromPeers } from './learn';
import { changeMembers, probe } from './members';
import { dropRetired, endRetired, holdCurrent, unhold } from './retired';
import { endSessions, stopListening } from './sessions';
import { readTables, remind, restoreTables, storeTables, writeKept, writeTables } from './tables';
import { type Newcomer, type Running, type Unit, workerName } from './unit';

/**
 * Puts the layout in force: nothing, commands, a reload, a start or a stop, whatever is least. Returns the objects haproxy
 * blames, in which case what ran before still runs; empty when done. Throws ActivationError, or what the file system says,
 * when no object is to blame.
 */
export async function activate(unit: Unit, layout: Layout): Promise<Fault[]> {
  const { running } = unit;
  if (layout.frontends.length === 0) {
    await shutDown(unit);
    return [];
  }
  if (running === null) return start(unit, layout);
  const change = running.layout === null ? { kind: 'reload' as const } : planChange(running.layout, layout);
  const from = running.layout;
  if (change.kind === 'reload' || from === null) return reload(unit, running, layout);
  if (change.kind === 'none') {
    if (!(await changeCertificates(unit, running.daemon, { from, to: layout }))) return reload(unit, running, layout);
    running.layout = layout;
    return [];
  }

  const rendered = renderConfig(layout, renderSettings(unit.paths, running.daemon.sequence));
  const faults = await install(unit, layout, rendered);
  if (faults.length > 0) return faults;
  const done =
    (await changeCertificates(unit, running.daemon, { from, to: layout })) &&
    (await changeMembers(unit, running.daemon.runtime, change.steps));
  if (!done) return reload(unit, running, layout);
  running.layout = layout;
  running.config = rendered.text;
  return [];
}

/** Ends the haproxy, if there is one. What its workers counted is kept. */
export async function shutDown(unit: Unit): Promise<void> {
  const { running } = unit;
  unit.running = null;
  unit.newcomers.clear();
  unit.leaving.clear();
  unit.deferred = null;
  if (running !== null) {
    await endTraffic(unit, running);
    await endRetired(unit);
    running.daemon.runtime.close();
  }
  unit.rows = [];
  await endDaemon(unit.paths);
  dropRetired(unit);
  await dropCertificates(unit, null);
  for (const worker of unit.counters.workers()) unit.counters.retire(worker);
}

/** Cuts the connections as an end of haproxy would, but so that all they have carried is counted. */
async function endTraffic(unit: Unit, running: Running): Promise<void> {
  const { daemon, layout } = running;
  try {
    await storeTables(unit, running);
    await stopListening(daemon.runtime, layout?.frontends.map(({ listener }) => listener.id) ?? []);
    await endSessions(daemon.runtime);
  } catch (err) {
    unit.deps.log.debug({ loadBalancer: unit.id, err }, 'a worker was gone before its sessions were ended');
  }
  await readLast(unit, daemon);
}

async function readLast(unit: Unit, daemon: Daemon): Promise<void> {
  try {
    const [answer = ''] = await daemon.runtime.run(['show stat']);
    unit.rows = parseStats(answer);
    unit.counters.observe(workerName(daemon), unit.rows);
  } catch (error) {
    unit.deps.log.debug({ loadBalancer: unit.id, err: error }, 'a worker was gone before its last counters were read');
  }
}

async function start(unit: Unit, layout: Layout): Promise<Fault[]> {
  const rendered = renderConfig(layout, renderSettings(unit.paths, nextSequence(unit)));
  await placeCertificates(unit, layout, unit.sequence);
  await writeKept(unit, layout, {});
  const faults = await install(unit, layout, rendered);
  if (faults.length > 0) return faults;
  await writeAtomically(unit.paths.serverState, renderServerState(layout, knownHealth(unit)), false);
  try {
    const daemon = await startDaemon(haproxyOf(unit), unit.paths, unit.sequence);
    // First from those who know it now: what was kept is older.
    await learnFromPeers(daemon.runtime, layout);
    await restoreTables(unit, daemon.runtime, layout);
    enter(unit, daemon, layout, rendered);
    await dropCertificates(unit, unit.sequence);
    return [];
  } catch (error) {
    return blameStart(error, rendered);
  }
}

async function reload(unit: Unit, running: Running, layout: Layout): Promise<Fault[]> {
  const rendered = renderConfig(layout, renderSettings(unit.paths, nextSequence(unit)));
  await placeCertificates(unit, layout, unit.sequence);
  const learned = await readTables(running.daemon.runtime, running.layout ?? layout);
  await writeKept(unit, layout, learned);
  const faults = await install(unit, layout, rendered);
  if (faults.length > 0) return faults;
  await readLast(unit, running.daemon);
  const newcomers = newcomersOf(unit, running, layout);
  const health = withoutNewcomers(knownHealth(unit), newcomers);
  await writeAtomically(unit.paths.serverState, renderServerState(layout, health), false);
  const held = await holdCurrent(unit, running.daemon);
  await remind(unit, running, learned);
  try {
    const daemon = await reloadDaemon(running.daemon, unit.paths, unit.sequence);
    unit.retired.set(workerName(running.daemon), held);
    await writeTables(daemon.runtime, layout, learned);
    enter(unit, daemon, layout, rendered);
    await dropCertificates(unit, unit.sequence);
    await probe(unit, daemon.runtime, newcomers);
    return [];
  } catch (error) {
    if (unit.running === running) unhold(unit, held);
    await writeAtomically(unit.paths.config, running.config, false);
    return blameStart(error, rendered);
  }
}

function nextSequence(unit: Unit): number {
  unit.sequence += 1;
  return unit.sequence;
}

function enter(unit: Unit, daemon: Daemon, layout: Layout, rendered: Rendered): void {
  const peer = sharingOf(layout);
  const bound = [...endpoints(layout), ...(peer === undefined ? [] : [peer])].map(({ address, port }) =>
    socketAddress(address, port),
  );
  unit.running = { daemon, layout, config: rendered.text, endpoints: new Set(bound) };
  unit.newcomers.clear();
  unit.leaving.clear();
  unit.deferred = null;
}

/** Members that join others in a pool by way of a reload, or had not been checked before it. */
function newcomersOf(unit: Unit, running: Running, layout: Layout): Newcomer[] {
  return layout.backends.flatMap((backend) => {
    const before = running.layout?.backends.find(({ pool }) => pool.id === backend.pool.id)?.pool.members ?? [];
    const known = new Set(before.map(({ id }) => id));
    if (known.size === 0) return [];
    return backend.pool.members
      .filter((member) => needsFirstCheck(backend, member))
      .filter(({ id }) => !known.has(id) || unit.newcomers.has(`${backend.name}/${id}`))
      .map((member): Newcomer => ({ backend, member, phase: 'probing' }));
  });
}

/** Writes the configuration and has haproxy's own checker judge it; only what passes becomes the file that is loaded. */
async function install(unit: Unit, layout: Layout, rendered: Rendered): Promise<Fault[]> {
  await mkdir(unit.paths.directory, { recursive: true, mode: 0o700 });
  const { valid, output } = await judge(unit, rendered);
  if (valid) {
    await rename(unit.paths.candidate, unit.paths.config);
    return [];
  }
  const faults = blame(output, rendered, 'never');
  if (faults.length > 0) return faults;
  return findCulprits(layout, output.trim(), async (candidate) => {
    const verdict = await judge(unit, renderConfig(candidate, renderSettings(unit.paths, unit.sequence)));
    return verdict.valid;
  });
}

async function judge(unit: Unit, { text }: Rendered): Promise<{ valid: boolean; output: string }> {
  await writeAtomically(unit.paths.candidate, text, false);
  return checkConfig(haproxyOf(unit), unit.paths.candidate);
}

function haproxyOf({ namespace, deps }: Unit): Command {
  return enterNamespace(namespace, deps.haproxyPath);
}

function blameStart(error: unknown, rendered: Rendered): Fault[] {
  if (!(error instanceof StartError)) throw error;
  const faults = blame(error.output, rendered, 'later');
  if (faults.length === 0) throw new ActivationError(`${error.message}: ${error.output.trim().slice(-500)}`);
  return faults;
}
