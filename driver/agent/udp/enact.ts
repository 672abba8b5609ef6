import { mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { ListenerSpec } from '../../protocol/spec';
import { openFileLimit } from '../config';
import { type Fault, fault } from '../haproxy/fault';
import { readComplaint } from '../nginx/complaint';
import type { Nginx } from '../nginx/find';
import { type Generation, isRunning, startGeneration } from '../nginx/generation';
import { type RenderedNginx, renderNginx } from '../nginx/render';
import { isAlive } from '../process/identity';
import { monotonicNow } from '../process/monotonic';
import { StartError } from '../process/startError';
import { whyNotBindable } from '../process/tryBind';
import { writeAtomically } from '../state/files';
import { faultOfEach } from './faults';
import { type Balance, balanceOf, endpointName, type UdpLayout, udpEndpoints } from './layout';
import { recordProcesses } from './processFile';
import { retireAll, waitForRetired } from './retire';
import { currentGeneration, memberKey, type UdpUnit } from './unit';

const MOST_SESSIONS = 20_000;

/**
 * Puts the unit's layout in force with the members that are known to be able: nothing if that is what runs, else a new
 * generation beside the old one. Gives the listeners that cannot be served; the others are. Throws when nothing could be
 * changed; then what ran before still runs.
 */
export async function enact(unit: UdpUnit, layout: UdpLayout): Promise<Fault[]> {
  const health = new Map(unit.health);
  const faults = await putInForce(unit, layout);
  unit.healthInForce = health;
  return faults;
}

async function putInForce(unit: UdpUnit, layout: UdpLayout): Promise<Fault[]> {
  const faults = await whoCannotBind(unit, layout);
  unit.blocked = new Map(faults.map(({ id, reason }) => [id, reason]));
  const frontends = layout.frontends.filter(({ listener }) => !unit.blocked.has(listener.id));
  const balances = layout.pools.map((pool) => balanceOf(pool, knowledgeOf(unit)));
  const served = { ...layout, frontends: frontends.filter(({ pool }) => hasMembers(balances, pool?.id)) };
  if (served.frontends.length === 0) {
    await retireAll(unit, []);
    return faults;
  }
  const nginx = await unit.deps.findNginx();
  if ('problem' in nginx) return [...faults, ...faultOfEach(listenersOf(served), nginx.problem)];
  const current = currentGeneration(unit);
  const same =
    current !== undefined &&
    isAlive(current.master) &&
    render(unit, nginx, { served, balances, sequence: current.sequence }).text;
  if (same === unit.config) return faults;
  return [...faults, ...(await replace(unit, nginx, { served, balances }))];
}

function listenersOf({ frontends }: UdpLayout): ListenerSpec[] {
  return frontends.map(({ listener }) => listener);
}

function hasMembers(balances: readonly Balance[], poolId: string | undefined): boolean {
  return balances.some(({ pool, members }) => pool.id === poolId && members.length > 0);
}

function knowledgeOf({ health, newcomers }: UdpUnit) {
  return {
    health: (poolId: string, memberId: string) => health.get(memberKey(poolId, memberId)) ?? null,
    isNewcomer: (poolId: string, memberId: string) => newcomers.has(memberKey(poolId, memberId)),
  };
}

/**
 * The same without being asked by a spec: members have changed, or nginx has crashed. What cannot be done now is tried
 * again later. Never throws.
 */
export async function enactAgain(unit: UdpUnit): Promise<void> {
  const { layout, deps } = unit;
  unit.restartAt = null;
  if (layout === null) return;
  try {
    const faults = await deps.slots(() => enact(unit, layout));
    if (faults.length === 0) return;
    deps.log.warn({ loadBalancer: unit.id, faults }, 'UDP listeners cannot be served');
  } catch (err) {
    deps.log.warn({ loadBalancer: unit.id, err }, 'UDP listeners could not be changed');
  }
  unit.restartAt = monotonicNow() + unit.restarts.next();
}

/** Listeners whose ports somebody else has. What our own processes have bound needs no trial. */
async function whoCannotBind(unit: UdpUnit, layout: UdpLayout): Promise<Fault[]> {
  const ours = new Set(unit.generations.filter(isRunning).flatMap(({ endpoints }) => endpoints));
  const reasons = new Map<string, string>();
  for (const endpoint of udpEndpoints(layout)) {
    if (ours.has(endpointName(endpoint)) || reasons.has(endpoint.listenerId)) continue;
    const reason = await whyNotBindable(endpoint, 'udp', unit.deps.namespace());
    if (reason !== null) reasons.set(endpoint.listenerId, reason);
  }
  return [...reasons].flatMap(([id, reason]) => faultOfEach([{ id }], reason));
}

interface Wanted {
  readonly served: UdpLayout;
  readonly balances: readonly Balance[];
}

async function replace(unit: UdpUnit, nginx: Nginx, wanted: Wanted): Promise<Fault[]> {
  const { paths } = unit;
  await waitForRetired(unit);
  const sequence = unit.sequence + 1;
  const rendered = render(unit, nginx, { ...wanted, sequence });
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  await writeAtomically(paths.config, rendered.text, false);
  unit.sequence = sequence;
  const endpoints = udpEndpoints(wanted.served).map(endpointName);
  const before = unit.generations;
  try {
    const { config: configPath, errorLog } = paths;
    const record = (generation: Generation) => {
      unit.generations = [...before, generation];
      recordProcesses(unit);
    };
    const namespace = unit.deps.namespace();
    await startGeneration(nginx, { configPath, errorLog, sequence, endpoints, namespace, record });
  } catch (error) {
    unit.generations = before;
    if (before.length > 0) recordProcesses(unit);
    if (unit.config !== null) await writeAtomically(paths.config, unit.config, false);
    return blame(error, rendered);
  }
  unit.config = rendered.text;
  unit.startedAt = monotonicNow();
  unit.restartAt = null;
  await retireAll(unit, endpoints, sequence);
  return [];
}

/** The object whose line nginx complains about. Throws what cannot be laid to anyone. */
function blame(error: unknown, { owners }: RenderedNginx): Fault[] {
  if (!(error instanceof StartError)) throw error;
  const { line, reason } = readComplaint(error.output);
  const owner = line === null ? null : (owners[line - 1] ?? null);
  if (owner === null) throw new Error(`${error.message}: ${reason}`);
  return [fault(owner.kind, owner.id, reason)];
}

function render(
  unit: UdpUnit,
  nginx: Nginx,
  { served, balances, sequence }: Wanted & { sequence: number },
): RenderedNginx {
  const { paths } = unit;
  const files = openFileLimit();
  return renderNginx(served, balances, {
    streamModule: nginx.streamModule,
    user: process.getuid?.() === 0 ? userInfo().username : null,
    pidFile: paths.pidFile(sequence),
    errorLog: paths.errorLog,
    sessionLog: paths.sessionLog(sequence),
    maxSessions: Math.min(MOST_SESSIONS, files - 128),
    maxFiles: files,
  });
}
