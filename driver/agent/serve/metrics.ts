import { availableParallelism, loadavg } from 'node:os';
import { parseStats } from '../haproxy/stats';
import { memoryPercent } from '../link/load';
import { renderMetrics } from '../metrics/render';
import { parseInfo, parseTable } from '../metrics/table';
import { readRetired } from './retired';
import { type Unit, workerName } from './unit';

/** What a PROMETHEUS listener of the load balancer answers; null if its haproxy does not run. */
export async function readMetrics(unit: Unit): Promise<string | null> {
  const { running } = unit;
  if (running === null || running.layout === null) return null;
  const [stats = '', info = ''] = await running.daemon.runtime.run(['show stat', 'show info']);
  unit.counters.observe(workerName(running.daemon), parseStats(stats));
  await readRetired(unit);
  return renderMetrics({
    layout: running.layout,
    table: parseTable(stats),
    info: parseInfo(info),
    sums: unit.counters.sums(),
    active: unit.counters.active,
    datagrams: unit.udp.counters(),
    cpu: ((loadavg()[0] ?? 0) / availableParallelism()) * 100,
    memory: memoryPercent(),
  });
}
