import ipaddr from 'ipaddr.js';
import type { SecurityGroupRule } from '../domain/securityGroup';
import type { FirewallRule } from '../protocol/spec';

/** Addresses and CIDRs of the ports that have a group. */
export type AddressesOfGroup = (groupId: string) => readonly string[];

/**
 * What the user's groups let in to VIPs. Groups that rules name become the addresses of their ports. Rules about what no
 * VIP speaks are left out, and so is what cannot be resolved: it lets nobody in. Pure; equal groups give equal rules, in
 * whatever order they come.
 */
export function firewallRules(rules: readonly SecurityGroupRule[], addressesOf: AddressesOfGroup): FirewallRule[] {
  const merged = new Map<string, FirewallRule>();
  for (const rule of rules.filter(({ direction }) => direction === 'ingress')) {
    const protocol = protocolOf(rule);
    const ports = protocol === undefined ? undefined : portsOf(rule, protocol);
    if (protocol === undefined || ports === undefined) continue;
    const key = JSON.stringify([rule.etherType, protocol, ports]);
    const sources = new Set([...(merged.get(key)?.sources ?? []), ...sourcesOf(rule, addressesOf)]);
    merged.set(key, { protocol, ...ports, sources: [...sources].sort() });
  }
  return [...merged.entries()]
    .filter(([, { sources }]) => sources.length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, rule]) => rule);
}

type Protocol = FirewallRule['protocol'];

/** Neutron takes names and numbers; `icmp` of IPv6 is that of IPv6. Undefined for what no VIP speaks. */
function protocolOf({ protocol, etherType }: SecurityGroupRule): Protocol | undefined {
  const icmp = etherType === 'IPv6' ? 'ipv6-icmp' : 'icmp';
  switch (protocol?.toLowerCase() ?? 'any') {
    case 'any':
    case '0':
      return null;
    case 'tcp':
    case '6':
      return 'tcp';
    case 'udp':
    case '17':
      return 'udp';
    case 'icmp':
    case '1':
      return icmp;
    case 'icmpv6':
    case 'ipv6-icmp':
    case '58':
      return etherType === 'IPv6' ? 'ipv6-icmp' : undefined;
    default:
      return undefined;
  }
}

/** An ICMP rule has a type there; VIPs answer echo requests and nothing else. */
const ECHO: Readonly<Record<'icmp' | 'ipv6-icmp', number>> = { icmp: 8, 'ipv6-icmp': 128 };
const ANY = { portMin: null, portMax: null };

function portsOf(
  { portMin, portMax }: SecurityGroupRule,
  protocol: Protocol,
): Pick<FirewallRule, 'portMin' | 'portMax'> | undefined {
  if (protocol === null) return ANY;
  if (protocol === 'icmp' || protocol === 'ipv6-icmp') {
    return portMin === null || portMin === ECHO[protocol] ? ANY : undefined;
  }
  return { portMin, portMax };
}

function sourcesOf(rule: SecurityGroupRule, addressesOf: AddressesOfGroup): readonly string[] {
  const { etherType, remotePrefix, remoteGroupId, remoteAddressGroupId } = rule;
  if (remoteAddressGroupId !== null) return [];
  if (remoteGroupId !== null) return addressesOf(remoteGroupId).flatMap((it) => toCidr(it, etherType) ?? []);
  if (remotePrefix !== null) return toCidr(remotePrefix, etherType) ?? [];
  return [etherType === 'IPv6' ? '::/0' : '0.0.0.0/0'];
}

/** Undefined for an address of the other family. */
function toCidr(text: string, etherType: SecurityGroupRule['etherType']): [string] | undefined {
  const full = text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`;
  if (!ipaddr.isValidCIDR(full)) return undefined;
  const [address, prefix] = ipaddr.parseCIDR(full);
  if ((address.kind() === 'ipv6') !== (etherType === 'IPv6')) return undefined;
  const family = etherType === 'IPv6' ? ipaddr.IPv6 : ipaddr.IPv4;
  const network = family.networkAddressFromCIDR(full);
  return [`${network.toString()}/${prefix}`];
}
