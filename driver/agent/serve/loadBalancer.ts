import type { Ack, Held, ListenerCounters, LoadBalancerReport, PutSpec } from '../../protocol/messages';
import type { LoadBalancerSpec } from '../../protocol/spec';
import { unitPaths } from '../config';
import { type LogTarget, parseLogTarget } from '../haproxy/log';
import { trimLog } from '../process/daemon';
import { monotonicNow } from '../process/monotonic';
import { openMaterials } from '../state/materials';
import { forgetSpec, type HeldSpec, loadSpec } from '../state/specStore';
import { openUdpSide } from '../udp/side';
import { acknowledgement, heldEntry, removal } from './acknowledgement';
import { shutDown } from './activate';
import { bringAbout } from './bringAbout';
import { createCounters } from './counters';
import { loadCounters, openCountersFile } from './countersFile';
import { newGate } from './gate';
import { inspectUnit, type UnitFacts } from './inspect';
import { letFinish } from './letFinish';
import { advanceNewcomers, deleteLeaving } from './members';
import { readMetrics } from './metrics';
import { createPinger, type Pinger, pingCheck } from './pinger';
import { applyPing } from './pings';
import { readStatistics, renewReport } from './poll';
import { createQueue, type Queue } from './queue';
import { recover } from './recover';
import { leaveRetired, readRetired } from './retired';
import { type ServedHere, servedHere } from './served';
import { storeTables } from './tables';
import type { ServeDeps, Unit } from './unit';
import { createUpkeep, type Notices, type Upkeep } from './upkeep';

/** One load balancer on this engine. All changes to it run one after the other. */
export interface LoadBalancer {
  readonly id: string;
  /**
   * Brings the spec about and tells how that ended; an older one than is held changes nothing. `materials`: texts by the
   * digests that the spec names.
   */
  put(spec: LoadBalancerSpec, materials?: Readonly<Record<string, string>>): Promise<Ack>;
  /** Ends and forgets it, unless what is held is newer. */
  remove(generation: number, epoch: number): Promise<Ack>;
  /** Takes over, or starts, what was served when an earlier agent ended. */
  recover(): Promise<void>;
  /** What it waited for may be there now: tries again without waiting for its time. */
  retry(): void;
  /** Reads statistics and does what they call for. */
  poll(): Promise<void>;
  /** True if its state can change by itself within a second: it has checks, a limit or traffic. */
  changesByItself(): boolean;
  /** True if there is a spec, in force or not. */
  isHeld(): boolean;
  /** The spec that is held; null if there is none. */
  spec(): LoadBalancerSpec | null;
  /** How it is served at the moment. Waits for no change that is under way. */
  inspect(): Promise<UnitFacts>;
  /** What a hello tells of it. */
  held(): Held | null;
  report(): { readonly version: number; readonly report: LoadBalancerReport } | null;
  /** How it is served, if its VIPs are to be announced; else null. */
  served(): ServedHere | null;
  counters(): ListenerCounters[];
  /** Where lines of the listener's connections go; null if nowhere. */
  logTarget(listenerId: string): LogTarget | null;
  /** In Prometheus' format, as of now; null if nothing is served by haproxy. */
  metrics(): Promise<string | null>;
  /** Writes what it has counted to disk and keeps its log small. */
  tidy(): Promise<void>;
  stop(options: { keepServing: boolean }): Promise<void>;
}

/** Milliseconds after its last traffic in which more is to be expected, and is not to be lost if haproxy should crash. */
const BUSY = 30_000;

/** Opens a load balancer with what is on disk about it, if anything. Its id must be usable (`isUsableId`). */
export async function openLoadBalancer(id: string, deps: ServeDeps, notices: Notices): Promise<LoadBalancer> {
  const paths = unitPaths(deps.config, id);
  const queue = createQueue();
  const unit: Unit = {
    id,
    paths,
    deps,
    counters: createCounters(await loadCounters(paths)),
    countersFile: openCountersFile(paths),
    materials: await openMaterials(paths.materials, deps.materialsHome.problem),
    udp: await openUdpSide(id, paths.directory, {
      log: deps.log,
      findNginx: deps.findNginx,
      slots: deps.slots,
      event: notices.event,
      onReport: () => renewReport(unit),
      run: (work) => queue.run(work),
      namespace: () => unit.namespace,
      checker: deps.checker,
    }),
    pinger: openPinger(() => unit, queue, deps),
    held: await loadSpec(paths),
    inForce: null,
    running: null,
    namespace: null,
    ending: false,
    gate: newGate(),
    sequence: 0,
    countedAt: 0,
    storedTables: '',
    rows: [],
    retired: new Map(),
    newcomers: new Map(),
    leaving: new Map(),
    deferred: null,
    report: null,
    reportVersion: 0,
  };
  return faceOf(unit, queue, createUpkeep(unit, queue, notices));
}

function openPinger(unit: () => Unit, queue: Queue, { ping, log }: ServeDeps): Pinger | null {
  if (ping === null) return null;
  return createPinger(
    pingCheck(ping, () => unit().namespace),
    (key, state) => {
      queue
        .run(() => applyPing(unit(), key, state))
        .catch((error: unknown) => log.debug({ err: error }, 'the result of a ping could not be passed on'));
    },
  );
}

function faceOf(unit: Unit, queue: Queue, upkeep: Upkeep): LoadBalancer {
  const work = <T>(job: () => Promise<T>) => queue.run(job).finally(upkeep.plan);
  const saveCounters = async () => {
    if (unit.held !== null) await unit.countersFile.store(unit.counters.stored);
  };
  return {
    id: unit.id,
    put: (spec, materials = {}) => work(() => put(unit, upkeep, { spec, materials })),
    remove: (generation, epoch) => work(() => remove(unit, generation, epoch)),
    recover: () => work(() => resume(unit)),
    retry: upkeep.retry,
    poll: () => poll(unit, work),
    changesByItself: () => changesByItself(unit),
    isHeld: () => unit.held !== null,
    spec: () => unit.held?.spec ?? null,
    inspect: () => inspectUnit(unit),
    held: () => (unit.held === null ? null : heldEntry(unit.held, unit.inForce, unit.materials)),
    report: () => (unit.report === null ? null : { version: unit.reportVersion, report: unit.report }),
    served: () => servedHere(unit),
    counters: () => [...unit.counters.totals(unit.id), ...unit.udp.counters()],
    metrics: () => readMetrics(unit),
    logTarget: (listenerId) => {
      const target = unit.held?.spec.listeners.find((it) => it.id === listenerId)?.log?.target ?? '';
      return parseLogTarget(target);
    },
    tidy: () =>
      work(async () => {
        unit.counters.prune(isWantedBy(unit));
        await saveCounters();
        await storeTables(unit);
        await trimLog(unit.paths);
        if (unit.held !== null) await unit.udp.tidy();
      }),
    async stop({ keepServing }) {
      upkeep.stop();
      unit.pinger?.stop();
      unit.udp.release();
      await queue.run(async () => {
        if (!keepServing) await Promise.all([shutDown(unit), unit.udp.shutDown()]);
        else await unit.udp.tidy();
        if (!keepServing) await unit.materials.clear();
        unit.running?.daemon.runtime.close();
        leaveRetired(unit);
        await saveCounters();
      });
    },
  };
}

async function put(unit: Unit, upkeep: Upkeep, { spec, materials }: Omit<PutSpec, 'type'>): Promise<Ack> {
  const { held } = unit;
  if (held !== null && isOlder(spec, held.spec)) return acknowledgement(held);
  const fresh = await unit.materials.take(spec, materials);
  if (held !== null && !fresh && isSettled(held, spec)) return acknowledgement(held);
  upkeep.reset();
  const result = await unit.deps.slots(() => bringAbout(unit, spec));
  await readStatistics(unit).catch(() => renewReport(unit));
  return acknowledgement(result);
}

interface Version {
  readonly generation: number;
  readonly epoch: number;
}

function isOlder(one: Version, other: Version): boolean {
  return one.generation < other.generation || (one.generation === other.generation && one.epoch < other.epoch);
}

/** True if the very same spec was taken on before and another try would change nothing. */
function isSettled({ spec: held, outcome, faults }: HeldSpec, spec: LoadBalancerSpec): boolean {
  return (
    held.digest === spec.digest &&
    held.generation === spec.generation &&
    held.epoch === spec.epoch &&
    outcome === 'applied' &&
    faults.every(({ heals }) => heals === 'never')
  );
}

async function remove(unit: Unit, generation: number, epoch: number): Promise<Ack> {
  const { held, id } = unit;
  if (held !== null && isOlder({ generation, epoch }, held.spec)) return acknowledgement(held);
  if (held?.spec.leaving) await letFinish(unit, held.spec);
  unit.ending = true;
  await unit.deps.beforeEnd(id, held?.spec.leaving === true);
  unit.pinger?.stop();
  await Promise.all([shutDown(unit), unit.udp.shutDown()]);
  await unit.deps.networks
    .serve(id, [])
    .catch((err: unknown) => unit.deps.log.warn({ loadBalancer: id, err }, 'its VIPs were not taken away'));
  await forgetSpec(unit.paths);
  await unit.materials.clear();
  unit.held = null;
  unit.inForce = null;
  unit.report = null;
  unit.ending = false;
  return removal(id, generation, epoch);
}

async function resume(unit: Unit): Promise<void> {
  await unit.deps.slots(() => recover(unit));
  const { held } = unit;
  if (held === null) {
    await forgetSpec(unit.paths);
    await unit.materials.clear();
    return;
  }
  await unit.deps.slots(() => bringAbout(unit, held.spec));
  await readStatistics(unit).catch(() => renewReport(unit));
}

async function poll(unit: Unit, work: <T>(job: () => Promise<T>) => Promise<T>): Promise<void> {
  if (unit.udp.serves()) await work(unit.udp.poll);
  await readStatistics(unit);
  await readRetired(unit);
  const waiting = [...unit.newcomers.values()].some(({ phase }) => phase === 'waiting');
  if (!waiting && unit.leaving.size === 0 && unit.deferred === null) return;
  await work(async () => {
    const runtime = unit.running?.daemon.runtime;
    if (runtime === undefined) return;
    await advanceNewcomers(unit, runtime, unit.rows);
    await deleteLeaving(unit, runtime);
  });
}

/** False for a member that is gone: with thousands that come and go, what they counted would pile up. */
function isWantedBy({ held }: Unit): (series: string) => boolean {
  const pools = held?.spec.pools ?? [];
  const wanted = new Set(
    pools.flatMap(({ id, members }) => ['BACKEND', ...members.map((it) => it.id)].map((name) => `${id}/${name}`)),
  );
  return (series) => {
    const [section = '', name = ''] = series.split('/');
    return name === 'FRONTEND' || wanted.has(`${section.split(':')[0]}/${name}`);
  };
}

function changesByItself({ running, leaving, retired, newcomers, countedAt, udp }: Unit): boolean {
  if (udp.serves()) return true;
  if (running === null || running.layout === null) return false;
  if (leaving.size > 0 || retired.size > 0 || newcomers.size > 0) return true;
  if (monotonicNow() - countedAt < BUSY) return true;
  const { frontends, backends } = running.layout;
  return (
    backends.some(({ pool }) => pool.monitor !== null && pool.members.length > 0) ||
    frontends.some(({ listener }) => listener.connectionLimit > 0)
  );
}
