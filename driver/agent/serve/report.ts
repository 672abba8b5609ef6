import type { LoadBalancerReport, MemberState, PoolState } from '../../protocol/messages';
import type { Backend, Layout } from '../haproxy/layout';
import { isCheckedByHaproxy } from '../haproxy/monitor';
import { hasBeenChecked, type StatRow } from '../haproxy/stats';

/** What the statistics of a worker do not tell. */
export interface ReportContext {
  readonly generation: number;
  readonly layout: Layout;
  /** `backend/member` of those drained until their first check. */
  readonly newcomers: ReadonlySet<string>;
  /** The agent's own result for a member of a pool that it pings; null before the first one. */
  readonly pinged: (poolId: string, memberId: string) => 'UP' | 'DOWN' | null;
}

/** The report of a load balancer whose process is not running, or has none to run. */
export function emptyReport(id: string, generation: number): LoadBalancerReport {
  return { id, generation, listeners: {}, pools: {} };
}

/** Translates a worker's statistics into the states Octavia knows. A pool with several backends is told by its first. */
export function buildReport(rows: readonly StatRow[], context: ReportContext): LoadBalancerReport {
  const { layout, generation } = context;
  const found = new Map(rows.map((row) => [`${row.proxy}/${row.server}`, row]));
  const report = emptyReport(layout.spec.id, generation);
  for (const { listener } of layout.frontends) {
    const row = found.get(`${listener.id}/FRONTEND`);
    if (row !== undefined) report.listeners[listener.id] = isFull(row) ? 'FULL' : 'OPEN';
  }
  for (const backend of layout.backends) {
    const row = found.get(`${backend.name}/BACKEND`);
    if (row === undefined || report.pools[backend.pool.id] !== undefined) continue;
    const members = memberStates(backend, found, context);
    report.pools[backend.pool.id] = { state: poolState(row, Object.values(members)), members };
  }
  return report;
}

function isFull(row: StatRow): boolean {
  return row.sessionLimit > 0 && row.currentSessions >= row.sessionLimit;
}

/** A pool is not down because its only members have not been checked yet. */
function poolState(row: StatRow, members: readonly MemberState[]): PoolState {
  if (row.status.startsWith('UP')) return 'UP';
  return members.includes('RESTARTING') && !members.includes('DOWN') ? 'UP' : 'DOWN';
}

function memberStates(
  backend: Backend,
  rows: ReadonlyMap<string, StatRow>,
  context: ReportContext,
): Record<string, MemberState> {
  const states: Record<string, MemberState> = {};
  for (const { id } of backend.pool.members) {
    const key = `${backend.name}/${id}`;
    const row = rows.get(key);
    if (row === undefined) continue;
    const pinged = backend.pool.monitor?.type === 'PING' ? context.pinged(backend.pool.id, id) : undefined;
    states[id] = memberState(row, {
      newcomer: context.newcomers.has(key),
      checked: isCheckedByHaproxy(backend.pool.monitor),
      pinged,
    });
  }
  return states;
}

interface MemberContext {
  readonly newcomer: boolean;
  readonly checked: boolean;
  /** Undefined for a pool that is not pinged. */
  readonly pinged: 'UP' | 'DOWN' | null | undefined;
}

/** haproxy 2.6 shows a server of weight 0 as UP, not as draining. */
function memberState(row: StatRow, { newcomer, checked, pinged }: MemberContext): MemberState {
  if (row.status.startsWith('MAINT')) return 'MAINT';
  if (pinged === null) return 'RESTARTING';
  if (row.status.startsWith('DOWN') || pinged === 'DOWN') return 'DOWN';
  if (newcomer || (checked && !hasBeenChecked(row))) return 'RESTARTING';
  if (row.status === 'no check' && pinged === undefined) return 'NO_CHECK';
  return row.weight === 0 || row.status.startsWith('DRAIN') ? 'DRAIN' : 'UP';
}
