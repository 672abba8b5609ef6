import type { OperatingStatus, ProvisioningStatus } from './status';

/**
 * The operating statuses that follow from what engines report. Pure. One engine alone gives what Octavia's health
 * manager gives; of several engines one truth is made.
 *
 * What an engine names is believed at once. What it does not name is judged only when its report is about the settled
 * state, and never for an object whose creation is under way: until then the status stays what it was.
 */

/** An object as far as its status goes. A `LoadBalancerTree` can be given for a `StatusTree`. */
export interface StatusObject {
  readonly id: string;
  readonly provisioningStatus: ProvisioningStatus;
  readonly operatingStatus: OperatingStatus;
  readonly enabled: boolean;
  readonly deleting: boolean;
}

export interface StatusPool extends StatusObject {
  readonly monitor: { readonly enabled: boolean; readonly deleting: boolean } | null;
  readonly members: readonly StatusObject[];
}

export interface StatusTree extends StatusObject {
  readonly settledGeneration: number;
  readonly listeners: readonly StatusObject[];
  readonly pools: readonly StatusPool[];
}

export type ReportedMember = 'UP' | 'DOWN' | 'DRAIN' | 'MAINT' | 'NO_CHECK' | 'RESTARTING';

/** What one engine says of one load balancer; see driver/protocol `LoadBalancerReport`. */
export interface EngineReport {
  readonly engineId: string;
  readonly generation: number;
  readonly listeners: Readonly<Record<string, 'OPEN' | 'FULL'>>;
  readonly pools: Readonly<
    Record<string, { readonly state: 'UP' | 'DOWN'; readonly members: Readonly<Record<string, ReportedMember>> }>
  >;
  /** Whether anybody can be served; absent: an engine of before version 3, which does not say. */
  readonly usable?: boolean;
}

export interface StatusEvidence {
  /** Reports of the engines that are alive. */
  readonly reports: readonly EngineReport[];
  /** True when the load balancer is placed and every engine that has it is dead. */
  readonly abandoned: boolean;
}

export type StatusKind = 'load_balancer' | 'listener' | 'pool' | 'member';

export interface StatusChange {
  readonly kind: StatusKind;
  readonly id: string;
  readonly from: OperatingStatus;
  readonly to: OperatingStatus;
}

/** A member that some engines reach and others do not. */
export interface Disagreement {
  readonly memberId: string;
  /** Those that say DOWN. */
  readonly engineIds: readonly string[];
}

export interface Judgement {
  /** Only what differs from what the tree has. */
  readonly changes: readonly StatusChange[];
  readonly disagreements: readonly Disagreement[];
}

/** Judges everything of one load balancer. */
export function judgeStatuses(tree: StatusTree, evidence: StatusEvidence): Judgement {
  const court: Court = { tree, evidence, current: freshReports(tree, evidence), disagreements: [] };
  const listeners = tree.listeners.map((listener) => ({ listener, to: judgeListener(listener, court) }));
  const pools = tree.pools.map((pool) => judgePool(pool, court));
  const changes = [
    change('load_balancer', tree, judgeLoadBalancer(court, listeners, pools)),
    ...listeners.map(({ listener, to }) => change('listener', listener, to)),
    ...pools.flatMap(({ pool, to, members }) => [
      change('pool', pool, to),
      ...members.map((it) => change('member', it.member, it.to)),
    ]),
  ];
  return { changes: changes.filter(({ from, to }) => from !== to), disagreements: court.disagreements };
}

interface Court {
  readonly tree: StatusTree;
  readonly evidence: StatusEvidence;
  /** Those that know of everything that is settled: only they can miss an object. */
  readonly current: readonly EngineReport[];
  readonly disagreements: Disagreement[];
}

interface JudgedListener {
  readonly listener: StatusObject;
  readonly to: OperatingStatus;
}

interface JudgedMember {
  readonly member: StatusObject;
  readonly to: OperatingStatus;
  readonly disputed: boolean;
}

interface JudgedPool {
  readonly pool: StatusPool;
  readonly to: OperatingStatus;
  readonly members: readonly JudgedMember[];
}

function freshReports(tree: StatusTree, { reports }: StatusEvidence): readonly EngineReport[] {
  return reports.filter(({ generation }) => generation >= tree.settledGeneration);
}

function change(kind: StatusKind, object: StatusObject, to: OperatingStatus): StatusChange {
  return { kind, id: object.id, from: object.operatingStatus, to };
}

/** Whether an object that no engine names is to be judged by that, and not left as it is. */
function mayBeMissed(object: StatusObject, { tree, current }: Court): boolean {
  const underWay = tree.provisioningStatus.startsWith('PENDING_') || object.provisioningStatus === 'PENDING_CREATE';
  return !underWay && current.length > 0;
}

function judgeListener(listener: StatusObject, court: Court): OperatingStatus {
  const { tree, evidence, current } = court;
  if (listener.deleting || tree.deleting) return listener.operatingStatus;
  if (!listener.enabled || !tree.enabled) return 'OFFLINE';
  const states = evidence.reports.flatMap(({ listeners }) => listeners[listener.id] ?? []);
  if (states.length > 0) {
    const missing = mayBeMissed(listener, court) && current.some(({ listeners }) => !(listener.id in listeners));
    return missing || states.includes('FULL') ? 'DEGRADED' : 'ONLINE';
  }
  if (evidence.abandoned && listener.provisioningStatus !== 'PENDING_CREATE') return 'ERROR';
  if (!mayBeMissed(listener, court)) return listener.operatingStatus;
  return tree.provisioningStatus === 'ACTIVE' ? 'ERROR' : 'OFFLINE';
}

function judgePool(pool: StatusPool, court: Court): JudgedPool {
  const members = pool.members.map((member) => judgeMember(member, pool, court));
  return { pool, members, to: poolStatus(pool, members, court) };
}

function poolStatus(pool: StatusPool, members: readonly JudgedMember[], court: Court): OperatingStatus {
  if (pool.deleting || court.tree.deleting) return pool.operatingStatus;
  if (!pool.enabled || !court.tree.enabled) return 'OFFLINE';
  const states = court.evidence.reports.flatMap(({ pools }) => pools[pool.id]?.state ?? []);
  if (states.length === 0) return mayBeMissed(pool, court) ? 'OFFLINE' : pool.operatingStatus;
  if (states.every((state) => state === 'DOWN')) return 'ERROR';
  const suffers = states.includes('DOWN') || members.some(({ to, disputed }) => to === 'ERROR' || disputed);
  return suffers ? 'DEGRADED' : 'ONLINE';
}

function judgeMember(member: StatusObject, pool: StatusPool, court: Court): JudgedMember {
  const undisputed = (to: OperatingStatus): JudgedMember => ({ member, to, disputed: false });
  if (member.deleting || pool.deleting || court.tree.deleting) return undisputed(member.operatingStatus);
  if (!member.enabled) return undisputed('OFFLINE');
  const said = court.evidence.reports.flatMap(({ engineId, pools }) => {
    const state = pools[pool.id]?.members[member.id];
    return state === undefined ? [] : [{ engineId, state }];
  });
  if (said.length === 0) {
    const stays = member.operatingStatus === 'NO_MONITOR' || !mayBeMissed(member, court);
    return undisputed(stays ? member.operatingStatus : 'OFFLINE');
  }
  const known = said.filter(({ state }) => state !== 'RESTARTING');
  const down = known.filter(({ state }) => state === 'DOWN');
  const monitored = pool.monitor?.enabled === true && !pool.monitor.deleting;
  const disputed = monitored && down.length > 0 && down.length < known.length;
  if (disputed)
    court.disagreements.push({ memberId: member.id, engineIds: down.map(({ engineId }) => engineId).sort() });
  return {
    member,
    to:
      memberStatus(
        known.map(({ state }) => state),
        monitored,
      ) ?? member.operatingStatus,
    disputed,
  };
}

/** Undefined when the reports say nothing. */
function memberStatus(states: readonly ReportedMember[], monitored: boolean): OperatingStatus | undefined {
  // Without a monitor there is no check: an UP or DOWN is left over from when there was one.
  const told = monitored ? states : states.map((state) => (state === 'UP' || state === 'DOWN' ? 'NO_CHECK' : state));
  if (told.length === 0) return undefined;
  if (told.every((state) => state === 'DOWN')) return 'ERROR';
  if (told.includes('UP')) return 'ONLINE';
  if (told.includes('DRAIN')) return 'DRAINING';
  if (told.includes('NO_CHECK')) return 'NO_MONITOR';
  return 'OFFLINE';
}

function judgeLoadBalancer(
  { tree, evidence }: Court,
  listeners: readonly JudgedListener[],
  pools: readonly JudgedPool[],
): OperatingStatus {
  if (tree.deleting) return tree.operatingStatus;
  if (!tree.enabled) return 'OFFLINE';
  if (tree.provisioningStatus === 'PENDING_CREATE') return tree.operatingStatus;
  if (evidence.reports.length === 0) return evidence.abandoned ? 'ERROR' : tree.operatingStatus;
  const serving = listeners.filter(({ listener }) => listener.enabled && !listener.deleting);
  const broken = serving.filter(({ to }) => to === 'ERROR');
  const livePools = pools.filter(({ pool }) => pool.enabled && !pool.deleting);
  if (livePools.some(({ to }) => to === 'ERROR')) return 'ERROR';
  if (broken.length > 0 && broken.length === serving.length) return 'ERROR';
  const suffers =
    broken.length > 0 ||
    serving.some(({ to }) => to === 'DEGRADED') ||
    livePools.some(
      ({ to, members }) => to === 'DEGRADED' || members.some((it) => it.to === 'ERROR' && !it.member.deleting),
    );
  return suffers ? 'DEGRADED' : 'ONLINE';
}
