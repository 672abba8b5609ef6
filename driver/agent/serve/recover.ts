import { renderSettings } from '../config';
import { withoutFaults } from '../haproxy/fault';
import { type Layout, layOut } from '../haproxy/layout';
import { renderConfig } from '../haproxy/render';
import { parseStats, type StatRow } from '../haproxy/stats';
import { adoptDaemon, type Daemon, endDaemon } from '../process/daemon';
import { isInNamespace } from '../process/enter';
import { readIfPresent } from '../state/files';
import { admitSpec } from './admission';
import { hasCertificates } from './certificates';
import { adoptRetired, dropRetired } from './retired';
import { type Unit, workerName } from './unit';

/**
 * Finds the haproxy that an earlier agent left for this load balancer and takes it over if it answers; ends it if its spec
 * is gone. What it serves is compared with what this agent would render; if they differ `layout` stays null, so that the
 * next step is a reload.
 */
export async function recover(unit: Unit): Promise<void> {
  await unit.udp.recover(unit.held !== null);
  if (unit.held === null) {
    await endDaemon(unit.paths);
    dropRetired(unit);
    return;
  }
  const place = unit.deps.networks.place(unit.held.spec.domainId);
  unit.namespace = 'problem' in place ? place.left : place.namespace;
  const daemon = await adoptIn(unit);
  const config = (await readIfPresent(unit.paths.config)) ?? '';
  if (daemon === null) {
    dropRetired(unit);
    for (const worker of unit.counters.workers()) unit.counters.retire(worker);
    return;
  }
  unit.sequence = daemon.sequence;
  const [answer = ''] = await daemon.runtime.run(['show stat']);
  unit.rows = parseStats(answer);
  const layout = layoutOf(unit, daemon, config);
  const sameTexts = layout !== null && (await hasCertificates(unit, layout, daemon.sequence));
  unit.running = { daemon, layout: sameTexts ? layout : null, config, endpoints: boundBy(config) };
  adoptRetired(unit, daemon);
  for (const worker of unit.counters.workers()) {
    if (worker !== workerName(daemon) && !unit.retired.has(worker)) unit.counters.retire(worker);
  }
}

/** What runs elsewhere than it should, since its namespace has been made anew, serves nobody: it is ended. */
async function adoptIn({ paths, namespace }: Unit): Promise<Daemon | null> {
  const daemon = await adoptDaemon(paths);
  if (daemon === null || isInNamespace(daemon.master.pid, namespace)) return daemon;
  daemon.runtime.close();
  await endDaemon(paths);
  return null;
}

function layoutOf(unit: Unit, daemon: Daemon, config: string): Layout | null {
  if (unit.held === null) return null;
  const admission = admitSpec(unit, unit.held.spec);
  const layout = layOut(withoutFaults(admission.spec, unit.held.faults));
  const { text } = renderConfig(layout, renderSettings(unit.paths, daemon.sequence));
  return text === config && isServed(layout, unit.rows) ? layout : null;
}

/** An agent that ended between writing its file and telling haproxy left the two different. */
function isServed(layout: Layout, rows: readonly StatRow[]): boolean {
  const servers = new Map(rows.map((row) => [`${row.proxy}/${row.server}`, row]));
  const wanted = layout.backends.flatMap(({ name, pool }) =>
    pool.members.map((member) => ({ member, row: servers.get(`${name}/${member.id}`) })),
  );
  const proxies = new Set(layout.backends.map(({ name }) => name));
  const served = rows.filter(({ proxy, server }) => proxies.has(proxy) && server !== 'BACKEND');
  return (
    served.length === wanted.length &&
    wanted.every(
      ({ member, row }) =>
        row?.weight === member.weight &&
        row.status.startsWith('MAINT') === !member.enabled &&
        // Drained until a first check that the agent which waited for it did not live to see.
        (!row.status.startsWith('DRAIN') || member.weight === 0),
    )
  );
}

function boundBy(config: string): Set<string> {
  return new Set([...config.matchAll(/^ {2}(?:bind|peer '[^']+') '([^']+)'/gm)].map(([, endpoint]) => endpoint ?? ''));
}
