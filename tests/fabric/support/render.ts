import {
  type Instance,
  isV6,
  leakInward,
  leakOutward,
  type Path,
  type Plan,
  type Tap,
  type Translation,
  tapOf,
  tunnelTo,
  UNDERLAY,
} from './plan';
import type { BgpSession } from './view';

/**
 * A routing instance as the kernel takes it. Table 100 has the routes of this host alone, for what comes out of a tunnel.
 * Each device has a table of its own with the prefixes that lead over it: a flow stays on its path, by its connection
 * mark, as long as that path is one of its destination's; vRouters keep the path in their flow tables likewise.
 */
export interface KernelState {
  /** `table prefix` -> the line for `ip -batch`. */
  readonly routes: ReadonlyMap<string, string>;
  /** Lines that add; the same with `del` take away. */
  readonly neighbours: readonly string[];
  /** For `nft -f -`. */
  readonly rules: string;
}

export const ROUTER_MAC = '00:00:5e:00:01:00';
/** On any device: what is at its other end, known by a neighbour entry that never ages. */
export const NEXT_HOP4 = '169.254.1.1';
export const NEXT_HOP6 = 'fe80::5e';
export const LOCAL_TABLE = 100;
export const FIRST_MARK = 1000;

/** Of the control-nodes: the first is found behind the gateway's address, the second behind the name service's. */
export const CONTROL_NODES = ['198.19.255.1', '198.19.255.2'] as const;

export interface Numbers {
  /** For each device, from FIRST_MARK. */
  readonly markOf: (device: string) => number;
  /** Of the host, in the underlay. */
  readonly computeAddress: string;
}

export function renderInstance(instance: Instance, plan: Plan, { markOf, computeAddress }: Numbers): KernelState {
  const routes = new Map<string, string>();
  const add = (table: number, prefix: string, paths: readonly Path[]) => {
    routes.set(`${table} ${prefix}`, renderRoute(table, prefix, paths));
  };
  for (const [prefix, paths] of instance.routes) {
    if (paths.length > 0) add(254, prefix, paths);
    for (const path of paths) add(markOf(path.device), prefix, [path]);
  }
  for (const [prefix, paths] of instance.localRoutes) add(LOCAL_TABLE, prefix, paths);
  if (instance.defaultDevice !== null) {
    for (const everything of ['0.0.0.0/0', '::/0']) {
      add(254, everything, [{ device: instance.defaultDevice, weight: 1 }]);
    }
  }
  const neighbours = instance.taps.flatMap(({ device, neighbours: known }) =>
    known.map((address) => `neigh add proxy ${address} dev ${device}`),
  );
  return { routes, neighbours, rules: renderRules(instance, devicesOf(instance, plan), { markOf, computeAddress }) };
}

/** All but those of the underlay. */
export function devicesOf({ place, networkId, taps }: Instance, { instances, leaks }: Plan): string[] {
  const others = instances.filter((one) => one.networkId === networkId && one.place !== place);
  const here = leaks.filter((leak) => leak.place === place);
  return [
    ...taps.map(({ device }) => device),
    ...others.map((one) => tunnelTo(one.place)),
    ...here.filter(({ inner }) => inner === networkId).map(({ outer }) => leakOutward(outer)),
    ...here.filter(({ outer }) => outer === networkId).map(({ inner }) => leakInward(inner)),
  ];
}

function renderRoute(table: number, prefix: string, paths: readonly Path[]): string {
  const hop = ({ device }: Path) => `via ${isV6(prefix) ? NEXT_HOP6 : NEXT_HOP4} dev ${device}`;
  const [first] = paths;
  const via =
    paths.length === 1 && first
      ? `${hop(first)} onlink`
      : paths.map((path) => `nexthop ${hop(path)} weight ${path.weight} onlink`).join(' ');
  return `route replace ${prefix} table ${table} ${via}`;
}

/** The line that takes away what a line of `routes` has put in. */
export function renderRemoval(key: string): string {
  const [table = '', prefix = ''] = key.split(' ');
  return `route del ${prefix} table ${table}`;
}

function renderRules(instance: Instance, devices: readonly string[], { markOf, computeAddress }: Numbers): string {
  const { taps, translations, sessions } = instance;
  const marks = devices.map((device) => `"${device}" : ${markOf(device)}`).join(', ');
  return [
    'add table inet vrouter',
    'delete table inet vrouter',
    'table inet vrouter {',
    '  chain sources {',
    '    type filter hook prerouting priority raw; policy accept;',
    ...taps.flatMap(renderSources),
    '  }',
    '  chain flow_in {',
    '    type filter hook prerouting priority mangle; policy accept;',
    '    ct direction original ct mark != 0 meta mark set ct mark',
    ...translations.map((one) => renderChoice(one, markOf)),
    ...sessions.map(({ interfaceId }) => `    iifname "${tapOf(interfaceId)}" tcp dport 179 ip ttl set 64`),
    '    iifname "u0" ip ttl set 64',
    '  }',
    '  chain flow_out {',
    '    type filter hook postrouting priority mangle; policy accept;',
    ...(marks === '' ? [] : [`    ct direction original ct mark set oifname map { ${marks} }`]),
    '  }',
    '  chain inward {',
    '    type nat hook prerouting priority dstnat; policy accept;',
    ...translations.flatMap((one) => renderInward(one, markOf)),
    ...sessions.flatMap((session) => renderCall(instance, session)),
    '  }',
    '  chain outward {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    ...translations.flatMap(renderOutward),
    ...sessions.map(
      ({ address, sourcePort }) =>
        `    oifname "${UNDERLAY}" ip saddr ${address} tcp dport 179 snat ip to ${computeAddress}:${sourcePort}`,
    ),
    '  }',
    '}',
    '',
  ].join('\n');
}

/** To the control-nodes, as the agent does it for BGPaaS: whatever hop limit the engine's speaker has set. */
function renderCall({ speakers }: Instance, { interfaceId, address }: BgpSession): string[] {
  const from = `    iifname "${tapOf(interfaceId)}" ip saddr ${address}`;
  const lead = (speaker: string, node: string | undefined) =>
    `${from} ip daddr ${speaker} tcp dport 179 dnat ip to ${node}`;
  return [
    ...speakers.first.filter((one) => !isV6(one)).map((one) => lead(one, CONTROL_NODES[0])),
    ...speakers.second.filter((one) => !isV6(one)).map((one) => lead(one, CONTROL_NODES[1])),
  ];
}

const word = (address: string): string => (isV6(address) ? 'ip6' : 'ip');

function renderSources({ device, sources }: Tap): string[] {
  if (sources === null) return [];
  const of = (v6: boolean) => sources.filter((one) => isV6(one) === v6);
  const four = ['0.0.0.0', ...of(false)].join(', ');
  const six = ['::', 'fe80::/10', ...of(true)].join(', ');
  return [
    `    iifname "${device}" ip saddr != { ${four} } counter drop`,
    `    iifname "${device}" ip6 saddr != { ${six} } counter drop`,
  ];
}

/** Chooses among the interfaces that have the floating IP, which may be fewer than have its fixed address. */
function renderChoice({ outer, targets }: Translation, markOf: (device: string) => number): string {
  const choice = targets.map(({ device }, index) => `${index} : ${markOf(device)}`).join(', ');
  const flow = `jhash ${word(outer)} saddr . th sport mod ${targets.length}`;
  return `    iifname "x*" ct mark 0 ${word(outer)} daddr ${outer} meta mark set ${flow} map { ${choice} }`;
}

function renderInward({ outer, targets }: Translation, markOf: (device: string) => number): string[] {
  return targets.map(({ device, inner }) => {
    const family = word(outer);
    return `    iifname "x*" meta mark ${markOf(device)} ${family} daddr ${outer} dnat ${family} to ${inner}`;
  });
}

function renderOutward({ outer, targets }: Translation): string[] {
  const inner = [...new Set(targets.map((one) => one.inner))];
  return inner.map((one) => `    oifname "x*" ${word(one)} saddr ${one} snat ${word(one)} to ${outer}`);
}
