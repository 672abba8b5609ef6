import type { EngineFacts } from '../../protocol/inspection';
import {
  type ControlPath,
  contentOf,
  problemOf,
  type Read,
  type TraceFacts,
  type VRouterInterface,
  type VRouterNextHop,
} from '../facts';
import { nameOf, subject } from '../lookup';
import type { Draft } from './rows';

/** What control-nodes, vRouters and engines said themselves. */

export function controlNodeLines({ controlNodes, tree }: TraceFacts): Draft[] {
  // Where the VIP is not announced, others' sessions are on the same ports.
  const down: Draft['status'] = tree.vipMode === 'bgp' ? 'wrong' : 'info';
  const section = 'control-nodes';
  return controlNodes.flatMap(({ name, routes, peers }) => [
    ...unread({ section, subject: subject.controlNode(name) }, routes),
    ...(contentOf(peers) ?? []).map((peer) => ({
      section,
      subject: subject.controlNode(name),
      status: peer.state === 'Established' ? undefined : down,
      text: `${name}: session with ${peer.name} (${peer.address}, AS ${peer.peerAs ?? '?'}): ${peer.state}${peer.lastError ? `, ${peer.lastError}` : ''}`,
      read: peers.at,
    })),
    ...(contentOf(routes) ?? []).map(({ table, prefix, paths }) => ({
      section,
      subject: subject.controlRoute(name, prefix),
      text: `${name}: ${prefix} in ${table}: ${paths.map(describePath).join('; ') || 'no path'}${paths.filter(({ usable }) => usable).length > 1 ? ' (ECMP)' : ''}`,
      read: routes.at,
    })),
  ]);
}

function describePath({ nextHop, label, protocol, source, localPreference, asPath, usable }: ControlPath): string {
  const how = `${protocol} from ${source}${asPath === '' ? '' : `, AS path ${asPath}`}`;
  if (!usable) return `announced next hop ${nextHop} (${how})`;
  return `next hop ${nextHop} label ${label ?? '-'} (${how}, preference ${localPreference ?? '-'})`;
}

export function vRouterLines({ vRouters }: TraceFacts): Draft[] {
  const section = 'vRouters';
  return vRouters.flatMap(({ host, interfaces, routes }) => [
    ...unread({ section, subject: subject.vRouter(host) }, interfaces),
    ...(contentOf(interfaces) ?? []).map((it) => ({
      section,
      subject: subject.vRouterInterface(it.portId),
      text: `${host}: ${describeInterface(it)}`,
      read: interfaces.at,
    })),
    ...(contentOf(routes) ?? []).map(({ vrf, prefix, nextHop }) => ({
      section,
      subject: subject.vRouterRoute(host, prefix),
      text: `${host}: ${prefix} in ${vrf} -> ${describeNextHop(nextHop)}`,
      read: routes.at,
    })),
  ]);
}

function describeInterface(it: VRouterInterface): string {
  const floating = it.floatingIps.map(({ address, fixed }) => `; floating IP ${address} -> ${fixed || 'its own'}`);
  const health = it.healthCheckActive === null ? '' : `; health check ${it.healthCheckActive ? 'passes' : 'fails'}`;
  const state = it.active ? 'active' : 'not active';
  return `${it.device} ${it.address} ${state}, label ${it.label ?? '-'}; pairs ${it.pairs.join(', ') || 'none'}${floating.join('')}${health}`;
}

export function describeNextHop({ kind, index, label, target, members }: VRouterNextHop): string {
  const name = `${kind}${index === null ? '' : ` ${index}`}`;
  if (members.length > 0) return `${name} of ${members.length}: ${members.map(describeNextHop).join(' | ')}`;
  return `${name} ${target}${label === null ? '' : ` label ${label}`}`.trim();
}

function unread(line: Pick<Draft, 'section' | 'subject'>, read: Read<unknown>): Draft[] {
  const problem = problemOf(read);
  return problem === undefined ? [] : [{ ...line, status: 'unknown', text: problem, read: read.at }];
}

export function namespaceLines(facts: TraceFacts): Draft[] {
  return [...facts.inspections].flatMap(([engineId, read]) => {
    const at = { section: 'engine namespaces', subject: subject.inspection(engineId), read: read.at };
    const name = nameOf(facts, engineId);
    const told = contentOf(read);
    if (!told) return [{ ...at, status: 'unknown' as const, text: `engine ${name}: ${problemOf(read)}` }];
    return describeEngine(told).map((text) => ({ ...at, text: `engine ${name}: ${text}` }));
  });
}

function describeEngine(told: EngineFacts): string[] {
  const { namespace, bgp } = told;
  const place =
    namespace === null ? 'on its host' : `namespace ${namespace.name}${namespace.exists ? '' : ' (not there)'}`;
  const interfaces = told.interfaces.map(({ name, addresses, mtu, up }) => {
    const own = addresses.filter((it) => !it.startsWith('fe80'));
    return `${name} ${own.join(' ')} mtu ${mtu}${up ? '' : ' down'}`;
  });
  const ways = told.routes.filter(({ nextHop }) => nextHop !== null);
  const gateways = told.neighbours.filter(({ address }) => ways.some(({ nextHop }) => nextHop === address));
  const daemons = told.daemons.map(({ running, answers, detail }) => {
    const state = running ? (answers ? 'answers' : 'does not answer') : 'does not run';
    return `${state} (${detail ?? ''})`;
  });
  return [
    `${place}: ${interfaces.join('; ') || 'no interface of its own'}`,
    ...(ways.length > 0
      ? [
          `routes ${ways.map((it) => `${it.destination} via ${it.nextHop}`).join('; ')}; gateways ${gateways.map(({ address, state }) => `${address} ${state}`).join(', ') || 'not asked for yet'}`,
        ]
      : []),
    `haproxy ${daemons.join(', ') || 'has nothing to do'}; listeners ${Object.values(told.listeners).join(', ') || 'none'}`,
    ...(bgp
      ? [
          `BIRD ${bgp.peers.map(({ address, state }) => `${address} ${state}`).join(', ') || 'has no session'}; announces ${bgp.announced.join(', ') || 'nothing'}`,
        ]
      : []),
    ...told.unread.map((it) => `could not be read: ${it}`),
  ];
}
