import ipaddr from 'ipaddr.js';
import type { DomainSpec, VnicSpec } from '../../protocol/engineSpec';
import type { Family } from './ip';

/** An address of a load balancer. */
export interface Vip {
  readonly address: string;
  /** Neighbours are told that it is here; else it is only taken in when it comes. */
  readonly answered: boolean;
}

/** How a namespace is to be, as far as `ip` can make it so. Addresses are written as the kernel does. */
export interface Wanted {
  readonly links: readonly WantedLink[];
  /** On `lo`. */
  readonly local: readonly WantedAddress[];
  readonly routes: readonly WantedRoute[];
  /** Sources whose packets are routed by the table of the VIPs. */
  readonly rules: readonly WantedRule[];
}

export interface WantedLink {
  readonly vnic: VnicSpec;
  readonly name: string;
  readonly addresses: readonly WantedAddress[];
}

export interface WantedAddress {
  readonly family: Family;
  /** With prefix length. */
  readonly cidr: string;
  /** Never chosen for a source by the kernel. IPv6 only; of IPv4 the first address in the subnet is. */
  readonly deprecated: boolean;
}

export interface WantedRoute {
  readonly family: Family;
  readonly table: number;
  /** A CIDR. */
  readonly destination: string;
  /** Null: the destination is on the link. */
  readonly nextHop: string | null;
  readonly device: string;
  readonly metric: number;
  /** The next hop is in none of the interface's subnets. */
  readonly onLink: boolean;
  readonly vnicId: string;
}

export interface WantedRule {
  readonly family: Family;
  readonly source: string;
}

export const MAIN_TABLE = 254;
/**
 * What leaves from a VIP leaves by the VIP's vNIC, also to a client in a member network, whence the answer would be taken
 * for spoofed.
 */
export const VIP_TABLE = 100;
export const RULE_PRIORITY = 1000;
/** What the kernel makes of IPv6 metric 0. */
const DEFAULT_METRIC_6 = 1024;

/** How an interface is called in its namespace: hypervisors and udev give names that may come twice. */
export function interfaceName({ macAddress }: Pick<VnicSpec, 'macAddress'>): string {
  return `v${macAddress.replaceAll(':', '')}`;
}

/** What a domain's spec and the VIPs in it come to. Throws on an address that is none. */
export function wantedOf({ vnics, routes }: DomainSpec, vips: readonly Vip[]): Wanted {
  const [first] = vnics;
  const answered = vips.filter((vip) => vip.answered && first !== undefined).map(vipAddress);
  const links = vnics.map((vnic) => ({
    vnic,
    name: interfaceName(vnic),
    addresses: [...vnic.addresses.map(ownAddress), ...(vnic === first ? answered : [])],
  }));
  const wantedRoutes = routes.flatMap((route): WantedRoute[] => {
    const vnic = vnics.find(({ id }) => id === route.vnicId);
    if (vnic === undefined) return [];
    const one = routeOf(vnic, route);
    return vnic === first ? [one, { ...one, table: VIP_TABLE }] : [one];
  });
  return {
    links,
    local: vips.filter((vip) => !vip.answered || first === undefined).map(vipAddress),
    routes:
      first === undefined ? wantedRoutes : [...wantedRoutes, ...first.addresses.map((cidr) => onLink(first, cidr))],
    rules: first === undefined ? [] : rulesOf(first, vips),
  };
}

function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}

function ownAddress(cidr: string): WantedAddress {
  const [address, length] = ipaddr.parseCIDR(cidr);
  return { family: familyOf(cidr), cidr: `${kernelText(address)}/${length}`, deprecated: false };
}

function vipAddress({ address }: Vip): WantedAddress {
  const parsed = ipaddr.parse(address);
  const isV6 = parsed.kind() === 'ipv6';
  return { family: isV6 ? 6 : 4, cidr: `${kernelText(parsed)}/${isV6 ? 128 : 32}`, deprecated: isV6 };
}

function routeOf(vnic: VnicSpec, route: DomainSpec['routes'][number]): WantedRoute {
  const family = familyOf(route.destination);
  const hop = ipaddr.parse(route.nextHop);
  const near = vnic.addresses.some((cidr) => familyOf(cidr) === family && hop.match(ipaddr.parseCIDR(cidr)));
  return {
    family,
    table: MAIN_TABLE,
    destination: networkOf(route.destination),
    nextHop: kernelText(hop),
    device: interfaceName(vnic),
    metric: family === 6 && route.metric === 0 ? DEFAULT_METRIC_6 : route.metric,
    onLink: !near && !(family === 6 && hop.range() === 'linkLocal'),
    vnicId: vnic.id,
  };
}

function onLink(vnic: VnicSpec, cidr: string): WantedRoute {
  const family = familyOf(cidr);
  return {
    family,
    table: VIP_TABLE,
    destination: networkOf(cidr),
    nextHop: null,
    device: interfaceName(vnic),
    metric: family === 6 ? DEFAULT_METRIC_6 : 0,
    onLink: false,
    vnicId: vnic.id,
  };
}

/** One for each subnet of the VIPs' interface, and one for each VIP that is in none. */
function rulesOf(first: VnicSpec, vips: readonly Vip[]): WantedRule[] {
  const subnets = [...new Set(first.addresses.map(networkOf))];
  const others = vips
    .filter(({ address }) => {
      const parsed = ipaddr.parse(address);
      return !subnets.some((cidr) => familyOf(cidr) === familyOf(address) && parsed.match(ipaddr.parseCIDR(cidr)));
    })
    .map((vip) => vipAddress(vip).cidr);
  return [...subnets, ...others].map((source) => ({ family: familyOf(source), source }));
}

/** The network that a CIDR is in, without the bits of the host. */
export function networkOf(cidr: string): string {
  const [address, length] = ipaddr.parseCIDR(cidr.includes('/') ? cidr : `${cidr}/${cidr.includes(':') ? 128 : 32}`);
  const bytes = address.toByteArray();
  const masked = bytes.map((byte, index) => byte & (0xff << Math.max(0, 8 - Math.max(0, length - index * 8))) & 0xff);
  return `${kernelText(ipaddr.fromByteArray(masked))}/${length}`;
}

/** Shortened, as `ip` and `nft` print it. */
export function kernelText(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  return address.kind() === 'ipv6' ? (address as ipaddr.IPv6).toRFC5952String() : address.toString();
}
