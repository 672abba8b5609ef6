import type { Link, Route, Rule, Step } from './ip';
import {
  MAIN_TABLE,
  RULE_PRIORITY,
  VIP_TABLE,
  type Wanted,
  type WantedAddress,
  type WantedLink,
  type WantedRoute,
} from './wanted';

/** A step, and whose problem it is if it fails. */
export interface PlannedStep extends Step {
  readonly vnicId: string | null;
}

/** What makes the interfaces that are there as wanted. Missing ones are none of its business. */
export function planLinks(wanted: Wanted, links: readonly Link[]): PlannedStep[] {
  const lo = links.find(({ ifname }) => ifname === 'lo');
  return [
    ...wanted.links.flatMap((want) => {
      const link = links.find(({ ifname }) => ifname === want.name);
      return link === undefined ? [] : planLink(want, link);
    }),
    ...(lo === undefined ? [] : planAddresses(wanted.local, lo, null)),
  ];
}

function planLink({ vnic, name, addresses }: WantedLink, link: Link): PlannedStep[] {
  const step = (words: string): PlannedStep => ({ family: 4, words, vnicId: vnic.id });
  return [
    ...(link.mtu === vnic.mtu ? [] : [step(`link set dev ${name} mtu ${vnic.mtu}`)]),
    ...(link.flags.includes('UP') ? [] : [step(`link set dev ${name} up`)]),
    ...planAddresses(addresses, link, vnic.id),
  ];
}

/** Link-local addresses and those of `lo` are the kernel's. */
function planAddresses(wanted: readonly WantedAddress[], link: Link, vnicId: string | null): PlannedStep[] {
  const have = new Map(
    link.addr_info
      .filter((entry) => entry !== null)
      .filter(({ scope, local }) => scope !== 'link' && scope !== 'host' && local !== '::1')
      .map(({ local, prefixlen }) => [`${local}/${prefixlen}`, local.includes(':') ? (6 as const) : (4 as const)]),
  );
  const keep = new Set(wanted.map(({ cidr }) => cidr));
  const surplus = [...have].filter(([cidr]) => !keep.has(cidr));
  return [
    ...surplus.map(([cidr, family]) => ({ family, vnicId, words: `address delete ${cidr} dev ${link.ifname}` })),
    ...wanted
      .filter(({ cidr }) => !have.has(cidr))
      .map(({ cidr, family, deprecated }) => ({
        family,
        vnicId,
        words: addition(cidr, link.ifname, { family, deprecated }),
      })),
  ];
}

function addition(
  cidr: string,
  device: string,
  { family, deprecated }: Pick<WantedAddress, 'family' | 'deprecated'>,
): string {
  const words = [`address add ${cidr} dev ${device}`];
  if (family === 6) words.push('nodad');
  if (deprecated) words.push('preferred_lft 0');
  return words.join(' ');
}

/** What is there of routing: our routes have protocol `static`, BIRD's and the kernel's are their own. */
export interface Routing {
  readonly routes: readonly (Route & { readonly family: 4 | 6 })[];
  readonly rules: readonly (Rule & { readonly family: 4 | 6 })[];
}

/** What makes routes and rules as wanted; routes by interfaces that are not there are left out. */
export function planRouting(wanted: Wanted, { routes, rules }: Routing, present: ReadonlySet<string>): PlannedStep[] {
  const wantedRoutes = new Map(
    wanted.routes.filter(({ device }) => present.has(device)).map((route) => [describe(route), route]),
  );
  const wantedRules = new Map(wanted.rules.map((rule) => [rule.source, rule]));
  const haveRoutes = new Map(routes.map((route) => [describeFound(route), route.family]));
  const haveRules = new Map(
    rules.filter(({ priority }) => priority === RULE_PRIORITY).map((rule) => [sourceOf(rule), rule.family]),
  );
  const ruleWords = (source: string) => `from ${source} lookup ${VIP_TABLE} pref ${RULE_PRIORITY}`;
  // The same destination with the same metric is changed at one blow, without a moment that has no route.
  const replaced = new Set([...wantedRoutes.keys()].map(placeOf));
  return [
    ...[...haveRoutes]
      .filter(([text]) => !wantedRoutes.has(text) && !replaced.has(placeOf(text)))
      .map(([text, family]) => ({ family, vnicId: null, words: `route delete ${text}` })),
    ...[...haveRules]
      .filter(([source]) => !wantedRules.has(source))
      .map(([source, family]) => ({ family, vnicId: null, words: `rule delete ${ruleWords(source)}` })),
    // What is on the link first: next hops are.
    ...[...wantedRoutes]
      .filter(([text]) => !haveRoutes.has(text))
      .sort(([, one], [, other]) => Number(one.nextHop !== null) - Number(other.nextHop !== null))
      .map(([text, { family, vnicId, onLink }]) => ({
        family,
        vnicId,
        words: `route replace ${text} proto static${onLink ? ' onlink' : ''}`,
      })),
    ...[...wantedRules.values()]
      .filter(({ source }) => !haveRules.has(source))
      .map(({ family, source }) => ({ family, vnicId: null, words: `rule add ${ruleWords(source)}` })),
  ];
}

function describe({
  destination,
  nextHop,
  device,
  metric,
  table,
}: Omit<WantedRoute, 'family' | 'onLink' | 'vnicId'>): string {
  const words = [destination, ...(nextHop === null ? [] : ['via', nextHop]), 'dev', device, 'table', String(table)];
  return [...words, ...(metric === 0 ? [] : ['metric', String(metric)])].join(' ');
}

/** A description without the way. */
function placeOf(description: string): string {
  return description.replace(/(?: via \S+)? dev \S+/, '');
}

function describeFound({ family, dst, gateway, dev, metric, table }: Routing['routes'][number]): string {
  const whole = family === 6 ? '::/0' : '0.0.0.0/0';
  const host = family === 6 ? '/128' : '/32';
  return describe({
    destination: dst === 'default' ? whole : dst.includes('/') ? dst : `${dst}${host}`,
    nextHop: gateway ?? null,
    device: dev ?? '',
    metric: metric ?? 0,
    table: table === undefined ? MAIN_TABLE : Number(table),
  });
}

function sourceOf({ family, src, srclen }: Routing['rules'][number]): string {
  return `${src}/${srclen ?? (family === 6 ? 128 : 32)}`;
}
