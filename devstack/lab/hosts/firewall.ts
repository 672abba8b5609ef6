import type { Plan } from './topology';
import type { CloudView, Port, Rule } from './view';

/**
 * What the switch of a host lets through, as Neutron's agents do it: a port sends from its own addresses and those of its
 * address pairs alone, and takes what its security groups let in, besides answers. Rules have no connection tracking,
 * which bridges of containers' hosts lack: an answer by TCP is what is no SYN, by UDP what came from where the port has
 * sent to. Text for `nft -f -`; replaces what was there.
 */
export function renderFirewall(plan: Plan, view: Pick<CloudView, 'ports' | 'rules'>): string {
  const nics = plan.nodes.flatMap((node) => node.nics).filter(({ port }) => isFiltered(port));
  const verdicts = (prefix: string) => nics.map(({ link }) => `"${link}" : jump ${prefix}_${link}`).join(', ');
  const dispatch = (field: string, prefix: string) =>
    nics.length === 0 ? [] : [`    ${field} vmap { ${verdicts(prefix)} }`];
  return [
    'add table bridge ports',
    'flush table bridge ports',
    'table bridge ports {',
    '  set answers4 {',
    '    type ipv4_addr . inet_service . ipv4_addr . inet_service',
    '    flags dynamic,timeout',
    '    timeout 2m',
    '  }',
    '  set answers6 {',
    '    type ipv6_addr . inet_service . ipv6_addr . inet_service',
    '    flags dynamic,timeout',
    '    timeout 2m',
    '  }',
    ...nics.flatMap(({ link, port }) => [...renderOut(link, port), ...renderIn(link, port, view)]),
    '  chain from_ports {',
    '    type filter hook prerouting priority 0; policy accept;',
    ...dispatch('iifname', 'out'),
    '  }',
    '  chain to_ports {',
    '    type filter hook postrouting priority 0; policy accept;',
    ...dispatch('oifname', 'in'),
    '  }',
    '}',
    '',
  ].join('\n');
}

/** Neutron's own ports are not, and those whose owner has switched it off. */
function isFiltered({ hasPortSecurity, deviceOwner }: Port): boolean {
  return hasPortSecurity && !deviceOwner.startsWith('network:');
}

function renderOut(link: string, port: Port): string[] {
  const own = [...port.fixedIps.map(({ address }) => ({ address, macAddress: port.macAddress })), ...port.addressPairs];
  const macs = [...new Set([port.macAddress, ...own.map(({ macAddress }) => macAddress)])];
  return [
    `  chain out_${link} {`,
    ...macs.flatMap((mac) => [
      // Probes for an address, and what has none yet.
      `    ether saddr ${mac} ether type arp arp saddr ip 0.0.0.0 accept`,
      `    ether saddr ${mac} ip6 saddr { ::, fe80::/10 } accept`,
    ]),
    ...own.flatMap(({ address, macAddress: mac }) =>
      address.includes(':')
        ? [
            `    ether saddr ${mac} ip6 saddr ${address} meta l4proto udp update @answers6 { ip6 daddr . udp dport . ip6 saddr . udp sport }`,
            `    ether saddr ${mac} ip6 saddr ${address} accept`,
          ]
        : [
            `    ether saddr ${mac} ether type arp arp saddr ether ${mac} arp saddr ip ${address} accept`,
            `    ether saddr ${mac} ip saddr ${address} meta l4proto udp update @answers4 { ip daddr . udp dport . ip saddr . udp sport }`,
            `    ether saddr ${mac} ip saddr ${address} accept`,
          ],
    ),
    '    drop',
    '  }',
  ];
}

function renderIn(link: string, port: Port, { ports, rules }: Pick<CloudView, 'ports' | 'rules'>): string[] {
  const own = rules.filter(({ groupId }) => port.groupIds.includes(groupId));
  return [
    `  chain in_${link} {`,
    '    ether type arp accept',
    '    icmpv6 type { 1, 2, 3, 4, 129, 130, 131, 132, 134, 135, 136, 143 } accept',
    '    icmp type { echo-reply, destination-unreachable, time-exceeded, parameter-problem } accept',
    '    meta l4proto tcp tcp flags & (syn | ack) != syn accept',
    '    ether type ip meta l4proto udp ip saddr . udp sport . ip daddr . udp dport @answers4 accept',
    '    ether type ip6 meta l4proto udp ip6 saddr . udp sport . ip6 daddr . udp dport @answers6 accept',
    ...own.flatMap((rule) => renderRule(rule, ports)).map((rule) => `    ${rule} accept`),
    '    drop',
    '  }',
  ];
}

function renderRule(rule: Rule, ports: readonly Port[]): string[] {
  const family = rule.ethertype === 'IPv4' ? 'ip' : 'ip6';
  const what = [`ether type ${family}`, ...renderProtocol(rule)].join(' ');
  const remotes = remotesOf(rule, ports);
  if (remotes === null) return [what];
  const ofFamily = remotes.filter((remote) => remote.includes(':') === (family === 'ip6'));
  return ofFamily.map((remote) => `${family} saddr ${remote} ${what}`);
}

/** Null for everybody. */
function remotesOf({ remoteCidr, remoteGroupId }: Rule, ports: readonly Port[]): string[] | null {
  if (remoteGroupId !== null) {
    const members = ports.filter(({ groupIds }) => groupIds.includes(remoteGroupId));
    const addresses = members.flatMap(({ fixedIps, addressPairs }) => [...fixedIps, ...addressPairs]);
    return [...new Set(addresses.map(({ address }) => address))];
  }
  return remoteCidr === null || remoteCidr.endsWith('/0') ? null : [remoteCidr];
}

function renderProtocol({ protocol, portMin, portMax, ethertype }: Rule): string[] {
  if (protocol === null || protocol === 'any' || protocol === '0') return [];
  const isIcmp = ['icmp', '1', 'icmpv6', 'ipv6-icmp', '58'].includes(protocol);
  if (isIcmp) {
    const name = ethertype === 'IPv4' ? 'icmp' : 'icmpv6';
    return [`meta l4proto ${name}`, ...(portMin === null ? [] : [`${name} type ${portMin}`])];
  }
  const name = { '6': 'tcp', '17': 'udp' }[protocol] ?? protocol;
  const hasPorts = portMin !== null && ['tcp', 'udp'].includes(name);
  return [`meta l4proto ${name}`, ...(hasPorts ? [`${name} dport ${portMin}-${portMax ?? portMin}`] : [])];
}
