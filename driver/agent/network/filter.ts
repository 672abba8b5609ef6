import ipaddr from 'ipaddr.js';
import type { DomainSpec } from '../../protocol/engineSpec';
import type { FirewallRule, ListenerSpec, LoadBalancerSpec } from '../../protocol/spec';
import { interfaceName, kernelText, networkOf } from './wanted';

/**
 * The nftables of a domain. No rule asks for connection tracking, so that none takes place in the namespace: what comes
 * to a listener's port is decided by its addresses and port alone, and answers are known by the socket that awaits them.
 */

const TABLE = 'slipstream';
const FAMILIES = [4, 6] as const;
type Family = (typeof FAMILIES)[number];

/** A load balancer as it is served here: `closed` lets those go on who are in, and nobody in who is not. */
export type ServedSpec = LoadBalancerSpec & { readonly closed?: true };

/** Text for `nft -f -`, which puts all of it in force at one moment. Equal arguments give equal text. */
export function renderFilter({ vnics }: DomainSpec, specs: readonly ServedSpec[]): string {
  const all = distinct(specs).map((spec, index) => describeLoadBalancer(spec, index));
  const maps = FAMILIES.flatMap((family) => [
    ...mapLines(
      `ports${family}`,
      `ipv${family}_addr . inet_proto . inet_service`,
      all.flatMap((it) => it.ports[family]),
    ),
    ...mapLines(
      `echo${family}`,
      `ipv${family}_addr`,
      all.flatMap((it) => it.echo[family]),
    ),
  ]);
  const [first] = vnics;
  const doors = doorsOf(specs);
  const sets = FAMILIES.flatMap((family) => [
    ...setLines(`vips${family}`, `ipv${family}_addr`, vipsOf(specs, family)),
    ...doorSets(doors, family),
  ]);
  const lines = [
    ...sets,
    ...maps,
    ...all.flatMap(({ chains }) => chains),
    'chain input {',
    'type filter hook input priority filter; policy drop',
    ...(first === undefined ? [] : strangerLines(interfaceName(first))),
    ...closedLines(specs),
    ...(first === undefined ? [] : doorLines(doors, interfaceName(first))),
    'ip daddr . meta l4proto . th dport vmap @ports4',
    'ip6 daddr . meta l4proto . th dport vmap @ports6',
    // With a socket of exactly this connection, or bound to exactly this address: connections to members, and probes.
    'socket wildcard 0 accept',
    'icmp type echo-request ip daddr vmap @echo4',
    'icmpv6 type echo-request ip6 daddr vmap @echo6',
    'icmp type { echo-reply, destination-unreachable, time-exceeded, parameter-problem } accept',
    'icmpv6 type { echo-reply, destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept',
    'ip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept',
    // Those after the first fragment have no ports; without the first nothing comes of them. IPv4 is put together before.
    'frag frag-off != 0 accept',
    ...(first === undefined ? [] : routingLines(interfaceName(first))),
    '}',
    'chain forward {',
    'type filter hook forward priority filter; policy drop',
    '}',
  ];
  const table = `table inet ${TABLE}`;
  return [table, `delete ${table}`, `${table} {`, ...lines, '}', ''].join('\n');
}

/** Where a load balancer's engines come to one another, and who may. */
interface Door {
  readonly family: Family;
  readonly address: string;
  readonly port: number;
  /** This engine is one of them: an old worker hands over to the next. */
  readonly sources: readonly string[];
}

function doorsOf(specs: readonly LoadBalancerSpec[]): Door[] {
  return specs.flatMap(({ peers }) => {
    if (peers === undefined) return [];
    const own = ipaddr.parse(peers.address);
    const sources = [own, ...peers.others.map(({ address }) => ipaddr.parse(address))];
    const family = own.kind() === 'ipv4' ? 4 : 6;
    const alike = sources.filter((source) => source.kind() === own.kind()).map(kernelText);
    return [{ family, address: kernelText(own), port: peers.port, sources: alike }];
  });
}

function doorSets(doors: readonly Door[], family: Family): string[] {
  const here = doors.filter((door) => door.family === family);
  if (here.length === 0) return [];
  const ends = here.map(({ address, port }) => `${address} . ${port}`);
  const ways = here.flatMap(({ address, port, sources }) =>
    sources.map((source) => `${source} . ${address} . ${port}`),
  );
  const address = `ipv${family}_addr`;
  return [
    ...setLines(`doors${family}`, `${address} . inet_service`, [...new Set(ends)]),
    ...setLines(`peers${family}`, `${address} . ${address} . inet_service`, [...new Set(ways)]),
  ];
}

/** Before what sockets say: the ports are bound, and nobody else may come to them. */
function doorLines(doors: readonly Door[], device: string): string[] {
  return FAMILIES.filter((family) => doors.some((door) => door.family === family)).flatMap((family) => {
    const ip = headerOf(family);
    return [
      `iifname { "lo", "${device}" } ${ip} saddr . ${ip} daddr . tcp dport @peers${family} accept`,
      `${ip} daddr . tcp dport @doors${family} drop`,
    ];
  });
}

/** Two specs of one load balancer mostly differ in what is none of a filter's business. */
function distinct(specs: readonly LoadBalancerSpec[]): LoadBalancerSpec[] {
  const keyOf = ({ vips, firewall, listeners }: LoadBalancerSpec) =>
    JSON.stringify([
      vips,
      firewall,
      listeners.map(({ protocol, port, allowedCidrs }) => [protocol, port, allowedCidrs]),
    ]);
  return [...new Map(specs.map((spec) => [keyOf(spec), spec])).values()];
}

/** Whoever sends to a VIP by a member network is not who its address says: clients come by the VIP's network. */
function strangerLines(device: string): string[] {
  return FAMILIES.map((family) => `iifname != { "lo", "${device}" } ${headerOf(family)} daddr @vips${family} drop`);
}

/** Without an answer: whoever begins anew is to begin once more, elsewhere. */
function closedLines(specs: readonly ServedSpec[]): string[] {
  const closed = specs.filter((spec) => spec.closed);
  return FAMILIES.flatMap((family) => {
    const vips = vipsOf(closed, family);
    return vips.length === 0
      ? []
      : [`${headerOf(family)} daddr { ${vips.join(', ')} } tcp flags & (syn | ack) == syn drop`];
  });
}

function headerOf(family: Family): string {
  return family === 4 ? 'ip' : 'ip6';
}

function vipsOf(specs: readonly LoadBalancerSpec[], family: Family): string[] {
  const vips = specs.flatMap((spec) => spec.vips.map((vip) => ipaddr.parse(vip)));
  return [...new Set(vips.filter((vip) => vip.kind() === `ipv${family}`).map(kernelText))];
}

/**
 * BGP, BFD of one hop (and its echo) and of several, and what a vRouter's health check asks the interface's own address:
 * an engine without an answer has no routes.
 */
function routingLines(device: string): string[] {
  return [
    `iifname "${device}" tcp dport 179 accept`,
    `iifname "${device}" udp dport { 3784, 3785, 4784 } accept`,
    `iifname "${device}" icmp type echo-request ip daddr != @vips4 accept`,
    `iifname "${device}" icmpv6 type echo-request ip6 daddr != @vips6 accept`,
  ];
}

interface Described {
  readonly ports: Readonly<Record<Family, readonly string[]>>;
  readonly echo: Readonly<Record<Family, readonly string[]>>;
  readonly chains: readonly string[];
}

function setLines(name: string, type: string, elements: readonly string[]): string[] {
  const content = elements.length === 0 ? [] : [`elements = { ${elements.join(', ')} }`];
  return [`set ${name} {`, `type ${type}`, ...content, '}'];
}

function mapLines(name: string, type: string, elements: readonly string[]): string[] {
  const unique = [...new Map(elements.map((element) => [element.slice(0, element.indexOf(' : ')), element])).values()];
  const content = unique.length === 0 ? [] : [`elements = { ${unique.join(', ')} }`];
  return [`map ${name} {`, `type ${type} : verdict`, ...content, '}'];
}

function describeLoadBalancer(spec: LoadBalancerSpec, index: number): Described {
  const chains: string[] = [];
  const ports = { 4: [] as string[], 6: [] as string[] };
  const echo = { 4: [] as string[], 6: [] as string[] };
  for (const family of FAMILIES) {
    const vips = spec.vips.map((vip) => ipaddr.parse(vip)).filter((vip) => vip.kind() === `ipv${family}`);
    if (vips.length === 0) continue;
    for (const [place, listener] of spec.listeners.entries()) {
      const name = `listener_${index}_${place}_${family}`;
      const rules = listenerRules(listener, spec.firewall, family);
      if (rules !== null) chains.push(`chain ${name} {`, ...rules, 'drop', '}');
      const verdict = rules === null ? 'accept' : `goto ${name}`;
      ports[family].push(
        ...vips.map((vip) => `${kernelText(vip)} . ${transportOf(listener)} . ${listener.port} : ${verdict}`),
      );
    }
    const name = `echo_${index}_${family}`;
    const rules = spec.firewall === null ? null : echoRules(spec.firewall, family);
    if (rules !== null) chains.push(`chain ${name} {`, ...rules, 'drop', '}');
    echo[family].push(...vips.map((vip) => `${kernelText(vip)} : ${rules === null ? 'accept' : `goto ${name}`}`));
  }
  return { ports, echo, chains };
}

function transportOf({ protocol }: ListenerSpec): 'tcp' | 'udp' | 'sctp' {
  return protocol === 'UDP' ? 'udp' : protocol === 'SCTP' ? 'sctp' : 'tcp';
}

/** Who may talk to a listener; null: everyone. Both the allowed CIDRs and the user's groups must let them in. */
function listenerRules(
  listener: ListenerSpec,
  firewall: readonly FirewallRule[] | null,
  family: Family,
): string[] | null {
  const { allowedCidrs, port } = listener;
  const anyone = firewall === null;
  if (allowedCidrs.length === 0 && anyone) return null;
  const allowed = allowedCidrs.length === 0 ? [''] : matchSources(allowedCidrs, family);
  const stranger = allowed.length === 0 ? ['drop'] : [];
  if (anyone) return [...stranger, ...allowed.map((match) => `${match}accept`)];
  const transport = transportOf(listener);
  const fitting = firewall.filter(
    ({ protocol, portMin, portMax }) =>
      (protocol === null || protocol === transport) &&
      (portMin === null || portMin <= port) &&
      (portMax === null || port <= portMax),
  );
  // Of several matches in one rule all must hold.
  return allowed.flatMap((match) =>
    fitting.flatMap(({ sources }) => matchSources(sources, family).map((source) => `${match}${source}accept`)),
  );
}

function echoRules(firewall: readonly FirewallRule[], family: Family): string[] {
  const protocol = family === 4 ? 'icmp' : 'ipv6-icmp';
  return firewall
    .filter((rule) => rule.protocol === null || rule.protocol === protocol)
    .flatMap(({ sources }) => matchSources(sources, family).map((match) => `${match}accept`));
}

/** The beginning of a rule, or none if nobody is meant; `''` is everyone. */
function matchSources(cidrs: readonly string[], family: Family): string[] {
  const networks = outermost(cidrs.filter((cidr) => cidr.includes(':') === (family === 6)));
  if (networks.length === 0) return [];
  if (networks.some((network) => network.endsWith('/0'))) return [''];
  return [`${headerOf(family)} saddr { ${networks.join(', ')} } `];
}

/** Without those that lie in another one: a set takes no intervals that overlap. What is no network lets nobody in. */
function outermost(cidrs: readonly string[]): string[] {
  const networks = [...new Set(cidrs.flatMap(readNetwork))];
  const parsed = networks.map((text) => ({ text, range: ipaddr.parseCIDR(text) }));
  return parsed
    .filter(({ text, range: [address, length] }) =>
      parsed.every((other) => other.text === text || other.range[1] > length || !address.match(other.range)),
    )
    .map(({ text }) => text)
    .sort();
}

function readNetwork(cidr: string): string[] {
  try {
    return [networkOf(cidr)];
  } catch {
    return [];
  }
}
