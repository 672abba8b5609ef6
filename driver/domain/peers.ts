import { type Vnic, vnicRank } from './vnic';

/** How the engines of one load balancer reach one another to share what they learn of its clients. Pure. */

/** A place other engines can reach. */
export interface Peer {
  readonly engineId: string;
  /** Of the engine's own, never a VIP. */
  readonly address: string;
}

/** An engine among the others of its load balancer. All of them listen at the same port. */
export interface Peers extends Peer {
  readonly port: number;
  /** By id. */
  readonly others: readonly Peer[];
}

/**
 * The ports of peers, on the engines' own addresses: of so many load balancers in one VIP network each has its own. Below
 * those the kernel gives to connections (from 32768), clear of BGP, BFD and heartbeats (179, 3784 to 3786, 4784).
 */
export const PEER_PORTS = { first: 10_000, count: 20_000 } as const;

/**
 * A port that nobody has, or null when all are taken. Where it is looked for first depends on the load balancer, so that
 * those who choose at the same time seldom choose alike.
 */
export function choosePeerPort(seed: number, taken: ReadonlySet<number>): number | null {
  for (let step = 0; step < PEER_PORTS.count; step += 1) {
    const port = PEER_PORTS.first + ((seed + step) % PEER_PORTS.count);
    if (!taken.has(port)) return port;
  }
  return null;
}

/**
 * Where the engines that have these vNICs are for one another: the domain's first vNIC of each, as far as it is in the
 * same network for all that have one there, by IPv4 if every one of them has such an address. An engine that has no vNIC
 * yet is left out.
 */
export function listPeers(vnics: readonly Vnic[]): readonly Peer[] {
  const firsts = [...firstVnics(vnics)].sort((a, b) => (a.engineId < b.engineId ? -1 : 1));
  const [best] = [...firsts].sort((a, b) => vnicRank(a) - vnicRank(b));
  const here = firsts.filter(({ networkId }) => networkId === best?.networkId);
  const family = here.every((vnic) => addressOf(vnic, 4) !== undefined) ? 4 : 6;
  return here.flatMap((vnic) => {
    const address = addressOf(vnic, family);
    return address === undefined ? [] : [{ engineId: vnic.engineId, address }];
  });
}

/** Undefined for an engine that is not among them. */
export function peersOf(engineId: string, all: readonly Peer[], port: number): Peers | undefined {
  const own = all.find((peer) => peer.engineId === engineId);
  return own && { ...own, port, others: all.filter((peer) => peer !== own) };
}

function firstVnics(vnics: readonly Vnic[]): Iterable<Vnic> {
  const usable = vnics.filter(({ deleting, facts, portId }) => !deleting && facts !== null && portId !== null);
  const firsts = new Map<string, Vnic>();
  for (const vnic of usable) {
    const known = firsts.get(vnic.engineId);
    if (known === undefined || vnicRank(vnic) < vnicRank(known)) firsts.set(vnic.engineId, vnic);
  }
  return firsts.values();
}

function addressOf({ facts }: Vnic, family: 4 | 6): string | undefined {
  const own = (facts?.addresses ?? []).map((cidr) => cidr.split('/')[0] ?? '');
  return own.filter((address) => address.includes(':') === (family === 6)).sort()[0];
}
