import type { LoadBalancerTree } from '../domain/tree';
import { contentOf, type FlowSeen, problemOf, type TraceFacts, type VRouterNextHop } from './facts';
import { describeNextHop } from './lines/planes';
import type { Draft } from './lines/rows';
import { hostPrefix, listed, subject, type VipAt, vipSides, vipsOf } from './lookup';

/** A client's end of a connection to the VIP. */
export interface Flow {
  readonly source: string;
  readonly port: number;
}

/** The VIP that a flow can be to. */
export function vipFor(tree: LoadBalancerTree, { source }: Flow): VipAt | undefined {
  return vipsOf(tree).find(({ address }) => address.includes(':') === source.includes(':'));
}

/**
 * Which engine a flow takes: with several that is the choice of the vRouter that the client's packets enter by, over the
 * members of its composite next hop; its flow table has it as long as the flow lives. Where it does not, or the client is
 * not in the VIP's network, what can be said is between whom it chooses, and that it stays with its choice.
 */
export function flowLines(facts: TraceFacts, flow: Flow): Draft[] {
  const vip = vipFor(facts.tree, flow);
  if (!vip) return [];
  const at = { section: 'vRouters', subject: 'flow', status: 'info' as const };
  const engines = vipSides(facts).map(({ engine }) => engine.name);
  const what = `flow from ${flow.source}:${flow.port} to ${vip.address}`;
  if (engines.length < 2) {
    return [{ ...at, text: `${what}: takes engine ${engines[0] ?? '(none)'}`, read: 'database' }];
  }
  const seen = contentOf(facts.flow);
  if (facts.flow && seen) return [{ ...at, text: `${what}, ${chosen(facts, seen)}`, read: facts.flow.at }];
  const problem = problemOf(facts.flow);
  return [
    ...(facts.flow && problem !== undefined
      ? [{ ...at, status: 'unknown' as const, text: `${what}: ${problem}`, read: facts.flow.at }]
      : []),
    ...choices(facts, { what, prefix: hostPrefix(vip.address), engines }),
  ];
}

/** By the flow table of the vRouter by which it enters. */
function chosen(facts: TraceFacts, { host, route, record }: FlowSeen): string {
  const entering = `entering at ${host}`;
  if (!route) return `${entering}: that vRouter has no route for it`;
  const { members } = route.nextHop;
  if (!record && members.length > 1) return `${entering}: not there yet; ${choicesOf(route.nextHop)}`;
  const member = members[record?.index ?? 0] ?? members[0] ?? route.nextHop;
  const engines = enginesBehind(facts, host, member);
  const takes = engines.length > 0 ? `engine ${listed(engines)}` : 'somebody who is not known';
  const of = members.length > 1 ? `, path ${(record?.index ?? 0) + 1} of ${members.length}` : '';
  return `${entering}: takes ${takes} (${describeNextHop(member)}${of})`;
}

/** Those of a host share what comes by its tunnel. */
function enginesBehind(facts: TraceFacts, host: string, { target }: VRouterNextHop): string[] {
  const sides = vipSides(facts);
  const own = facts.vRouters
    .filter((vRouter) => vRouter.host === host)
    .flatMap(({ interfaces }) => contentOf(interfaces) ?? [])
    .find(({ device }) => device === target);
  if (own) return sides.filter(({ portId }) => portId === own.portId).map(({ engine }) => engine.name);
  const far = contentOf(facts.survey)?.vRouters.find(({ address }) => address === target)?.name;
  return sides.filter(({ port, engine }) => (port?.host ?? engine.host) === far).map(({ engine }) => engine.name);
}

interface Asked {
  readonly what: string;
  readonly prefix: string;
  readonly engines: readonly string[];
}

function choices(facts: TraceFacts, { what, prefix, engines }: Asked): Draft[] {
  const at = { section: 'vRouters', status: 'info' as const };
  const spread = facts.vRouters.flatMap(({ host, routes }) =>
    (contentOf(routes) ?? [])
      .filter((route) => route.prefix === prefix)
      .map(({ nextHop }) => ({ host, nextHop, read: routes.at })),
  );
  const general = `${what}: one of ${listed(engines)}, by the hash (5-tuple, unless ecmp_hashing_include_fields says otherwise) of the vRouter where it enters; the flow then stays there`;
  return [
    { ...at, subject: 'flow', text: general, read: 'database' },
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
