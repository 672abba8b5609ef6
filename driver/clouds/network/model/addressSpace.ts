import ipaddr from 'ipaddr.js';
import type { AllocationPool } from './records';

/** The addresses of one subnet: which are taken, and which comes next. Pure bookkeeping, no I/O. */
export interface AddressSpace {
  /** True if the address may be given to a port at all: inside the CIDR, neither its network nor its broadcast address. */
  contains(address: string): boolean;
  /** False when it is taken already. */
  take(address: string): boolean;
  /** The next free address of the pools, now taken; undefined when there is none. */
  takeNext(): string | undefined;
  release(address: string): void;
  /** Free addresses in the pools. */
  countFree(): number;
}

/**
 * Allocation goes on where the last one ended and comes back to the start at the end of the pools: the usual cost does
 * not depend on how many addresses are taken, and an address just released is not given to somebody else at once.
 */
export function createAddressSpace(cidr: string, pools: readonly AllocationPool[]): AddressSpace {
  const range = rangeOf(cidr);
  const ranges = pools.map(({ start, end }) => ({ first: toNumber(start), last: toNumber(end) }));
  const size = ranges.reduce((sum, { first, last }) => sum + (last - first + 1n), 0n);
  const inPools = (value: bigint): boolean => ranges.some(({ first, last }) => first <= value && value <= last);
  const taken = new Set<bigint>();
  let takenInPools = 0n;
  let cursor = ranges[0]?.first ?? 0n;

  const add = (value: bigint): boolean => {
    if (taken.has(value)) return false;
    taken.add(value);
    if (inPools(value)) takenInPools += 1n;
    return true;
  };
  const after = (value: bigint): bigint => {
    const at = ranges.findIndex(({ first, last }) => first <= value && value <= last);
    if (value !== ranges[at]?.last) return value + 1n;
    return (ranges[at + 1] ?? ranges[0])?.first ?? value;
  };

  return {
    contains: (address) => {
      if (versionOf(address) !== range.version) return false;
      const value = toNumber(address);
      return range.first <= value && value <= range.last;
    },
    take: (address) => add(toNumber(address)),
    takeNext() {
      if (takenInPools >= size) return undefined;
      while (taken.has(cursor)) cursor = after(cursor);
      const value = cursor;
      add(value);
      cursor = after(cursor);
      return toAddress(value, range.version);
    },
    release(address) {
      const value = toNumber(address);
      if (taken.delete(value) && inPools(value)) takenInPools -= 1n;
    },
    countFree: () => Number(size - takenInPools),
  };
}

/** All usable addresses of the CIDR but the gateway: what Neutron makes of a subnet without pools of its own. */
export function defaultPools(cidr: string, gateway: string | null): AllocationPool[] {
  const { first, last, version } = rangeOf(cidr);
  const pool = (from: bigint, to: bigint): AllocationPool[] =>
    from > to ? [] : [{ start: toAddress(from, version), end: toAddress(to, version) }];
  const hole = gateway === null ? -1n : toNumber(gateway);
  if (hole < first || hole > last) return pool(first, last);
  return [...pool(first, hole - 1n), ...pool(hole + 1n, last)];
}

/** The lowest usable address of the CIDR: Neutron's gateway where none is given. */
export function firstAddress(cidr: string): string {
  const { first, version } = rangeOf(cidr);
  return toAddress(first, version);
}

/** True if the two CIDRs have an address in common. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [spanOf(one), spanOf(other)];
  return a.version === b.version && a.first <= b.last && b.first <= a.last;
}

/** The network address with the prefix length, canonical; undefined for what is no CIDR. */
export function canonicalCidr(text: string): string | undefined {
  if (!ipaddr.isValidCIDR(text)) return undefined;
  const { first, version, prefix } = spanOf(text);
  return `${toAddress(first, version)}/${prefix}`;
}

/** True for an IPv4 or IPv6 address as Neutron takes it. */
export function isAddress(text: string): boolean {
  return versionOf(text) !== undefined;
}

/** The address in its one written form. @throws Error for what is no address */
export function canonicalAddress(text: string): string {
  return ipaddr.parse(text).toString();
}

interface Span {
  readonly first: bigint;
  readonly last: bigint;
  readonly version: 4 | 6;
  readonly prefix: number;
}

function spanOf(cidr: string): Span {
  const [address, prefix] = ipaddr.parseCIDR(cidr);
  const version = address.kind() === 'ipv4' ? 4 : 6;
  const hostBits = BigInt((version === 4 ? 32 : 128) - prefix);
  const first = (toNumber(address.toString()) >> hostBits) << hostBits;
  return { first, last: first + (1n << hostBits) - 1n, version, prefix };
}

/** The usable addresses: all of them in the smallest networks, else without the first and, in IPv4, the last. */
function rangeOf(cidr: string): Span {
  const span = spanOf(cidr);
  if (span.last - span.first < 2n) return span;
  return { ...span, first: span.first + 1n, last: span.version === 4 ? span.last - 1n : span.last };
}

/** IPv4 in four decimal parts only (`127.1` is an address to some parsers), IPv6 without a zone. */
function versionOf(address: string): 4 | 6 | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return 4;
  return ipaddr.IPv6.isValid(address) && !address.includes('%') ? 6 : undefined;
}

function toNumber(address: string): bigint {
  return ipaddr
    .parse(address)
    .toByteArray()
    .reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function toAddress(value: bigint, version: 4 | 6): string {
  const length = version === 4 ? 4 : 16;
  const bytes = Array.from({ length }, (_, at) => Number((value >> BigInt(8 * (length - 1 - at))) & 255n));
  return ipaddr.fromByteArray(bytes).toString();
}
