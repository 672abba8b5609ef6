import { contentOf, type TraceFacts, type VRouterNextHop } from './facts';
import { describeNextHop } from './lines/planes';
import type { Draft } from './lines/rows';
import { hostPrefix, listed, subject, vipSides, vipsOf } from './lookup';

/** A client's end of a connection to the VIP. */
export interface Flow {
  readonly source: string;
  readonly port: number;
}

/**
 * Which engine a flow takes: with several that is the hash of the vRouter that the client's packets enter by, over the
 * members of its composite next hop; the hash is the vRouter's own, and known to nobody else. What can be said is between
 * whom it chooses, and that it stays with its choice.
 */
export function flowLines(facts: TraceFacts, { source, port }: Flow): Draft[] {
  const vip = vipsOf(facts.tree).find(({ address }) => address.includes(':') === source.includes(':'));
  if (!vip) return [];
  const at = { section: 'vRouters', subject: 'flow', status: 'info' as const };
  const engines = vipSides(facts).map(({ engine }) => engine.name);
  const what = `flow from ${source}:${port} to ${vip.address}`;
  if (engines.length < 2) {
    return [{ ...at, text: `${what}: takes engine ${engines[0] ?? '(none)'}`, read: 'database' }];
  }
  const prefix = hostPrefix(vip.address);
  const spread = facts.vRouters.flatMap(({ host, routes }) =>
    (contentOf(routes) ?? [])
      .filter((route) => route.prefix === prefix)
      .map(({ nextHop }) => ({ host, nextHop, read: routes.at })),
  );
  const general = `${what}: one of ${listed(engines)}, by the hash (5-tuple, unless ecmp_hashing_include_fields says otherwise) of the vRouter where it enters; the flow then stays there`;
  return [
    { ...at, text: general, read: 'database' },
    ...spread.map(({ host, nextHop, read }) => ({
      ...at,
      subject: subject.vRouterRoute(host, prefix),
      text: `${what}, entering at ${host}: ${choicesOf(nextHop)}`,
      read,
    })),
  ];
}

function choicesOf(nextHop: VRouterNextHop): string {
  return nextHop.members.length > 1
    ? `hashed over ${nextHop.members.map(describeNextHop).join(' | ')}`
    : `always ${describeNextHop(nextHop.members[0] ?? nextHop)}`;
}
