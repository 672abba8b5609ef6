import ipaddr from 'ipaddr.js';
import type { Database, Entity } from './database';
import { conflict, Fault, page } from './fault';
import { type Json, listOf, memberOf, textOf } from './json';
import { repr } from './python';

/** A subnet of a network, with its addresses as numbers. */
export interface Subnet {
  readonly uuid: string;
  readonly version: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
  readonly cidr: string;
  readonly gateway: string;
  readonly dns: string;
  readonly fromStart: boolean;
  readonly pools: readonly { readonly from: bigint; readonly to: bigint }[];
}

/** What is asked of a network's addresses. */
export interface AddressRequest {
  /** Who gets it. */
  readonly owner: string;
  readonly address?: string | undefined;
  readonly subnetUuid?: string | undefined;
  readonly family?: string | undefined;
  /** The status of the refusal when nothing is free: it depends on what was made. */
  readonly whenFull: number;
}

export interface Allocation {
  readonly address: string;
  readonly subnetUuid: string;
}

export function subnetsOf(network: Entity): Subnet[] {
  const links = [...(network.refs.get('network-ipam')?.values() ?? [])];
  return links.flatMap(({ attr }) => listOf(memberOf(attr, 'ipam_subnets')).map(readSubnet));
}

export function readSubnet(of: Json): Subnet {
  const subnet = memberOf(of, 'subnet');
  const prefix = `${memberOf(subnet, 'ip_prefix')}/${memberOf(subnet, 'ip_prefix_len')}`;
  const { version, first, last } = range(prefix);
  const pools = listOf(memberOf(of, 'allocation_pools')).map((pool) => ({
    from: toNumber(String(memberOf(pool, 'start'))),
    to: toNumber(String(memberOf(pool, 'end'))),
  }));
  return {
    ...{ version, first, last, pools, cidr: prefix },
    uuid: textOf(memberOf(of, 'subnet_uuid')) ?? '',
    gateway: textOf(memberOf(of, 'default_gateway')) ?? '',
    dns: textOf(memberOf(of, 'dns_server_address')) ?? '',
    fromStart: memberOf(of, 'addr_from_start') === true,
  };
}

/** First and last address of a prefix. */
export function range(cidr: string): { version: 4 | 6; first: bigint; last: bigint } {
  const [address = '', length = ''] = cidr.split('/');
  const version = address.includes(':') ? 6 : 4;
  const rest = BigInt((version === 4 ? 32 : 128) - Number(length));
  const first = (toNumber(address) >> rest) << rest;
  return { version, first, last: first + (1n << rest) - 1n };
}

export function toNumber(address: string): bigint {
  return BigInt(`0x${Buffer.from(ipaddr.parse(address).toByteArray()).toString('hex')}`);
}

export function toAddress(number: bigint, version: 4 | 6): string {
  const bytes = Buffer.from(number.toString(16).padStart(version === 4 ? 8 : 32, '0'), 'hex');
  return ipaddr.fromByteArray([...bytes]).toString();
}

/** Takes an address of the network: the one that is asked for, or the next one. */
export function allocate(db: Database, network: Entity, request: AddressRequest): Allocation {
  const book = bookOf(db, network.uuid);
  const subnets = subnetsOf(network);
  if (request.address !== undefined) return allocateThis(subnets, book, request, network);
  const candidates = subnets
    .filter(({ uuid, version }) => (request.subnetUuid ? uuid === request.subnetUuid : fits(version, request.family)))
    .sort((one, other) => one.version - other.version);
  for (const subnet of candidates) {
    const address = nextFree(subnet, book);
    if (address === undefined) continue;
    book.set(address, request.owner);
    return { address, subnetUuid: subnet.uuid };
  }
  throw exhausted(network, request.whenFull);
}

function fits(version: 4 | 6, family: string | undefined): boolean {
  return family === undefined || family === `v${version}`;
}

function allocateThis(
  subnets: readonly Subnet[],
  book: Map<string, string>,
  { address: asked = '', owner, whenFull }: AddressRequest,
  network: Entity,
): Allocation {
  if (!ipaddr.isValid(asked)) throw page(500, `failed to detect a valid IP address from ${repr(asked)}`);
  const number = toNumber(asked);
  const version = asked.includes(':') ? 6 : 4;
  const subnet = subnets.find((one) => one.version === version && one.first <= number && number <= one.last);
  if (!subnet) throw exhausted(network, whenFull);
  const address = toAddress(number, version);
  // The gateway's address is nobody's: it may be given to any port, and to more than one.
  if (address === subnet.gateway) return { address, subnetUuid: subnet.uuid };
  if (book.has(address) || isReserved(subnet, number, address)) throw conflict('IP address already in use');
  book.set(address, owner);
  return { address, subnetUuid: subnet.uuid };
}

function isReserved({ dns, first, last }: Subnet, number: bigint, address: string): boolean {
  return address === dns || number === first || number === last;
}

/** Where the search may begin, by subnet: all before it is taken, as long as nothing of the network is let go. */
const hints = new WeakMap<ReadonlyMap<string, string>, Map<string, bigint>>();

function nextFree(subnet: Subnet, book: ReadonlyMap<string, string>): string | undefined {
  const { first, last, version, fromStart, gateway } = subnet;
  const pools = subnet.pools.length > 0 ? subnet.pools : [{ from: first + 1n, to: last - 1n }];
  const hinted = hints.get(book) ?? new Map<string, bigint>();
  hints.set(book, hinted);
  const step = fromStart ? 1n : -1n;
  for (const { from, to } of fromStart ? pools : pools.toReversed()) {
    const key = `${subnet.uuid} ${from} ${to}`;
    for (let number = hinted.get(key) ?? (fromStart ? from : to); number >= from && number <= to; number += step) {
      hinted.set(key, number);
      const address = toAddress(number, version);
      if (address !== gateway && !book.has(address) && !isReserved(subnet, number, address)) return address;
    }
  }
  return undefined;
}

/** An address was let go: the search begins anew. */
export function forgetHints(book: ReadonlyMap<string, string>): void {
  hints.delete(book);
}

/** Lets go of the address, if it is still the owner's. */
export function release(db: Database, network: Entity | undefined, address: string, owner: string): void {
  const book = network && db.addresses.get(network.uuid);
  if (book?.get(address) !== owner) return;
  book.delete(address);
  forgetHints(book);
}

export function bookOf(db: Database, network: string): Map<string, string> {
  const book = db.addresses.get(network) ?? new Map<string, string>();
  db.addresses.set(network, book);
  return book;
}

export function exhausted(network: Entity, status: number): Fault {
  return new Fault(status, `Virtual-Network(${repr(network.fqName)}) has exhausted subnet([])`);
}

/** An address of the subnet that something has. */
export function addressInUse(db: Database, network: Entity, { first, last, version }: Subnet): string | undefined {
  return [...bookOf(db, network.uuid).keys()].find((address) => {
    if (address.includes(':') !== (version === 6)) return false;
    const number = toNumber(address);
    return first <= number && number <= last;
  });
}
