import ipaddr from 'ipaddr.js';
import type { BgpPlace, BgpService } from '../domain/bgp';
import type { Vnic, VnicFacts } from '../domain/vnic';
import type { BgpPeerSpec, BgpSpec } from '../protocol/engineSpec';

/** Where nobody watches by BFD the times are of no account. */
const NO_BFD = { interval: 1_000, multiplier: 3 };

/**
 * How VIPs are announced by the vNIC; undefined when it is in no service of BGP, or the far ends of its sessions are not
 * known. There is a session with each control node: the gateway of the subnet leads to the one, its DNS address to the
 * other. They take sessions by IPv4 where the vNIC has an address, and carry both families.
 */
export function buildBgp(
  vnic: Pick<Vnic, 'engineId'> & { readonly facts: VnicFacts },
  service: BgpService | undefined,
): BgpSpec | undefined {
  if (!service) return undefined;
  const { localAs, remoteAs, timers, md5Secret } = service;
  const session = { remoteAs, md5Secret, bfd: timers.bfd !== null };
  const peers = farEnds(vnic.facts, service.places).map((address): BgpPeerSpec => ({ address, ...session }));
  if (peers.length === 0) return undefined;
  const { interval, multiplier } = timers.bfd ?? NO_BFD;
  return {
    ...{ localAs, keepalive: timers.keepalive, hold: timers.hold, connectRetry: timers.connectRetry, peers },
    routerId: addressesOf(vnic.facts, 'ipv4')[0] ?? idFrom(vnic.engineId),
    bfd: { transmitInterval: interval, receiveInterval: interval, multiplier },
    multihop: null,
    communities: [],
  };
}

function farEnds(facts: VnicFacts, places: readonly BgpPlace[]): string[] {
  const kind = addressesOf(facts, 'ipv4').length > 0 ? 'ipv4' : 'ipv6';
  const own = places.filter(({ subnetId }) => facts.subnetIds.includes(subnetId));
  const ends = own.flatMap(({ gateway, dnsServer }) => [gateway ?? [], dnsServer ?? []].flat());
  return [...new Set(ends)].filter((address) => ipaddr.isValid(address) && ipaddr.parse(address).kind() === kind);
}

function addressesOf({ addresses }: VnicFacts, kind: 'ipv4' | 'ipv6'): string[] {
  const plain = addresses.map((address) => address.split('/')[0] ?? '').sort();
  return plain.filter((address) => ipaddr.isValid(address) && ipaddr.parse(address).kind() === kind);
}

/** Looks like an address and is none: the id of a router has to be unlike all others, no more. */
function idFrom(engineId: string): string {
  const hex = engineId.replace(/[^0-9a-f]/gi, '').padEnd(8, '0');
  const bytes = [0, 2, 4, 6].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  return [Math.max(1, (bytes[0] ?? 1) % 224), ...bytes.slice(1)].join('.');
}
