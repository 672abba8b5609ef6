import type { LoadBalancerReport } from '../../protocol/messages';
import { parseStats } from '../haproxy/stats';
import { monotonicNow } from '../process/monotonic';
import { keepGate } from './gate';
import { buildReport, emptyReport } from './report';
import { type Unit, workerName } from './unit';
import { isUsable } from './usable';

/** Reads a worker's statistics, notes its counters and renews the report. Throws when the worker does not answer. */
export async function readStatistics(unit: Unit): Promise<void> {
  const { running } = unit;
  if (running !== null) {
    const [answer = ''] = await running.daemon.runtime.run(['show stat']);
    // A reload may have come in between; then these are an old worker's, and only its counters matter.
    const rows = parseStats(answer);
    if (unit.counters.observe(workerName(running.daemon), rows)) unit.countedAt = monotonicNow();
    if (unit.running === running) unit.rows = rows;
  }
  renewReport(unit);
  await keepGate(unit);
}

/** Takes what is newest into the report; its version rises if anything changed. */
export function renewReport(unit: Unit): void {
  const report = currentReport(unit);
  if (report === null || JSON.stringify(report) === JSON.stringify(unit.report)) return;
  unit.report = report;
  unit.reportVersion += 1;
  unit.deps.onReport();
}

function currentReport(unit: Unit): LoadBalancerReport | null {
  const report = haproxyReport(unit);
  if (report === null) return null;
  const udp = unit.udp.report();
  const found = {
    listeners: { ...report.listeners, ...udp.listeners },
    pools: { ...report.pools, ...udp.pools },
  };
  return { ...report, ...found, usable: unit.inForce !== null && isUsable(unit.inForce, found) };
}

function haproxyReport(unit: Unit): LoadBalancerReport | null {
  const { held, running, id } = unit;
  if (held === null) return null;
  const generation =
    held.outcome === 'applied' ? held.spec.generation : (unit.inForce?.generation ?? held.spec.generation);
  if (running === null || running.layout === null) return emptyReport(id, generation);
  return buildReport(unit.rows, {
    generation,
    layout: running.layout,
    newcomers: new Set(unit.newcomers.keys()),
    pinged: (poolId, memberId) => unit.pinger?.state(`${poolId}/${memberId}`) ?? null,
  });
}
