import type { TraceFacts } from '../facts';
import type { Line } from '../line';
import { answering, isOffNetwork, subject, vipsOf } from '../lookup';

/** A line before it is judged: without a status it is as good as the verdict says nothing about its subject. */
export type Draft = Omit<Line, 'status'> & { readonly status?: Line['status'] | undefined };

const DATABASE = 'database';

export function loadBalancerLines({ tree, group, networkDriver }: TraceFacts): Draft[] {
  const at = { section: 'load balancer', read: DATABASE };
  const vips = vipsOf(tree).map(({ address }) => address);
  const statuses = `${tree.provisioningStatus}/${tree.operatingStatus}`;
  const settled = `generation ${tree.settledGeneration} of ${tree.generation} settled`;
  const mode = tree.vipMode ?? networkDriver;
  const how = isOffNetwork(tree) ? `${mode}, off the network` : mode;
  const where = group ? `; group ${group.name} (${group.haMode})` : '';
  return [
    {
      ...at,
      subject: subject.loadBalancer,
      text: `${tree.name || tree.id}: ${statuses}, ${settled}; VIP ${vips.join(', ') || 'none'} by ${how}${where}`,
    },
    ...tree.listeners
      .filter(({ deleting }) => !deleting)
      .map((it) => ({
        ...at,
        subject: subject.listener(it.id),
        text: `listener ${it.name || it.id}: ${it.protocol} ${it.protocolPort}, ${it.enabled ? it.operatingStatus : 'disabled'}`,
      })),
    ...tree.pools
      .filter(({ deleting }) => !deleting)
      .map((it) => ({
        ...at,
        subject: subject.pool(it.id),
        text: `pool ${it.name || it.id}: ${it.members.length} members, ${it.operatingStatus}, ${it.monitor ? `checked by ${it.monitor.type}` : 'not checked'}`,
      })),
  ];
}

export function engineLines(facts: TraceFacts): Draft[] {
  const wired = new Set(answering(facts).map(({ id }) => id));
  return facts.engines.map((engine) => {
    const placement = facts.tree.placements.find(({ engineId }) => engineId === engine.id);
    const confirmed = `generation ${placement?.confirmedGeneration ?? -1} of ${placement?.wantedGeneration ?? -1} confirmed`;
    const role = placement?.draining ? 'draining' : (placement?.role ?? 'not placed');
    const state = `${engine.status}, ${engine.connected ? 'connected' : 'not connected'}`;
    return {
      section: 'engines',
      subject: subject.engine(engine.id),
      text: `${engine.name} on host ${engine.host ?? '(not known)'}: ${state}; ${role}, ${confirmed}${wired.has(engine.id) ? '' : '; not in the wiring'}`,
      read: DATABASE,
    };
  });
}

export function eventLines({ events }: TraceFacts): Draft[] {
  return events.map(({ at, name, severity, message }) => ({
    section: 'events',
    subject: 'event',
    status: 'info' as const,
    text: `${at} ${severity} ${name}: ${message.slice(0, 300)}`,
    read: DATABASE,
  }));
}
