import ipaddr from 'ipaddr.js';
import type { BgpPeerSpec, BgpSpec, DomainSpec, VnicSpec } from '../../protocol/engineSpec';
import { errorMessage } from '../systemError';
import {
  address,
  block,
  community,
  fixed,
  hostPrefix,
  innerBlock,
  integer,
  isQuotable,
  quote,
  statement,
} from './words';

/** A VIP that peers are told of. */
export interface Route {
  /** An address. */
  readonly address: string;
  /** With the community GRACEFUL_SHUTDOWN: whoever has another way takes it. */
  readonly graceful: boolean;
}

export interface RenderedBird {
  readonly text: string;
  /** Why there is no session with a peer, by its address. */
  readonly without: ReadonlyMap<string, string>;
}

/** A domain that has a BGP speaker. */
export type SpeakingDomain = DomainSpec & { readonly bgp: BgpSpec };

/** RFC 8326, section 5. */
const GRACEFUL_SHUTDOWN = '65535:0';
/** Bytes, tcp(7). */
const LONGEST_SECRET = 80;
/** Bytes. */
const LARGEST_LOG = 262_144;
/** Seconds. BIRD's own waits are minutes long after an error; a session is what keeps a VIP reachable. */
const TIMING = ['connect delay time 1', 'error wait time 1, 15', 'error forget time 60', 'startup hold time 30'];

/**
 * The bird.conf of a domain. Nothing a peer says is taken in, and there is no kernel protocol: routes of the namespace are
 * the agent's. VIPs are static routes of BIRD's own table. Equal arguments give equal text.
 * @throws RangeError on a value that is not what it should be
 */
export function renderBird(domain: SpeakingDomain, routes: readonly Route[], logPath: string): RenderedBird {
  const { bgp, vnics } = domain;
  const without = new Map<string, string>();
  const peers = bgp.peers.flatMap((peer) => {
    try {
      return [peerLines(peer, domain)];
    } catch (error) {
      without.set(peer.address, errorMessage(error));
      return [];
    }
  });
  const lines = [
    '# Written by the agent of this service engine.',
    statement(fixed('log'), quote(logPath), integer(LARGEST_LOG), quote(`${logPath}.old`), fixed('all')),
    statement(fixed('router id'), address(bgp.routerId)),
    ...block([fixed('protocol device')], ['scan time 5;']),
    ...(vnics.length > 0 ? bfdLines(domain) : []),
    ...staticLines(4, routes, bgp),
    ...staticLines(6, routes, bgp),
    ...peers.flat(),
    '',
  ];
  return { text: lines.join('\n'), without };
}

/** How a peer's protocol is called in the configuration. */
export function protocolName(peerAddress: string): string {
  return `peer_${address(peerAddress).text.replaceAll(/[.:]/g, '_')}`;
}

/** The addresses that a configuration announces. */
export function announcedBy(text: string): Set<string> {
  return new Set([...text.matchAll(/^ {2}route (\S+)\/\d+ blackhole/gm)].map(([, found]) => found ?? ''));
}

/**
 * Towards peers on the link there are two sessions: the one that BGP asks for goes with a vRouter's check of the port, the
 * one of several hops with its check of BGP sessions, which tells its logs alone and nothing here.
 */
function bfdLines({ bgp, vnics }: SpeakingDomain): string[] {
  const peers = bgp.peers.filter(({ bfd }) => bfd).map(({ address: far }) => far);
  if (peers.length === 0) return [];
  const times = [
    statement(fixed('min tx interval'), integer(bgp.bfd.transmitInterval), fixed('ms')),
    statement(fixed('min rx interval'), integer(bgp.bfd.receiveInterval), fixed('ms')),
    statement(fixed('multiplier'), integer(bgp.bfd.multiplier)),
  ];
  const watched = bgp.multihop === null ? peers.filter((far) => addressesOf(vnics[0], familyOf(far)).length > 0) : [];
  return block(
    [fixed('protocol bfd')],
    [
      ...innerBlock([fixed('interface "*"')], times),
      ...innerBlock([fixed('multihop')], times),
      ...watched.map((far) =>
        statement(
          fixed('neighbor'),
          address(far),
          fixed('local'),
          address(localAddress(vnics[0], far)),
          fixed('multihop on'),
        ),
      ),
    ],
  );
}

function staticLines(family: 4 | 6, routes: readonly Route[], bgp: BgpSpec): string[] {
  const own = routes.filter((route) => familyOf(route.address) === family);
  const lines = own
    .map((route) => ({ prefix: hostPrefix(route.address), communities: communitiesOf(route, bgp) }))
    .sort((one, other) => (one.prefix.text < other.prefix.text ? -1 : 1))
    .map(({ prefix, communities }) =>
      communities.length === 0
        ? statement(fixed('route'), prefix, fixed('blackhole'))
        : statement(fixed('route'), prefix, fixed('blackhole {'), ...communities.map(addition), fixed('}')),
    );
  return block([fixed(`protocol static vips${family}`)], [`ipv${family} { import all; export none; };`, ...lines]);
}

function communitiesOf({ graceful }: Route, { communities }: BgpSpec): string[] {
  return graceful ? [...communities, GRACEFUL_SHUTDOWN] : [...communities];
}

function addition(text: string) {
  const { attribute, value } = community(text);
  return fixed(`${attribute.text}.add(${value.text});`);
}

function peerLines(peer: BgpPeerSpec, { bgp, vnics }: SpeakingDomain): string[] {
  const own = localAddress(vnics[0], peer.address);
  const { md5Secret } = peer;
  if (md5Secret !== null && (!isQuotable(md5Secret) || Buffer.byteLength(md5Secret) > LONGEST_SECRET)) {
    throw new RangeError('its MD5 secret has more than 80 bytes, or characters that BIRD cannot take');
  }
  const seconds = (name: string, value: number) => (value === 0 ? [] : [statement(fixed(name), integer(value))]);
  return block(
    [fixed(`protocol bgp ${protocolName(peer.address)}`)],
    [
      statement(fixed('local'), address(own), fixed('as'), integer(bgp.localAs)),
      statement(fixed('neighbor'), address(peer.address), fixed('as'), integer(peer.remoteAs)),
      bgp.multihop === null ? 'direct;' : statement(fixed('multihop'), integer(bgp.multihop)),
      // Only this address listens to BGP: a listener of a VIP may have the port.
      'strict bind yes;',
      statement(fixed('hold time'), integer(bgp.hold)),
      ...seconds('keepalive time', bgp.keepalive),
      ...seconds('connect retry time', bgp.connectRetry),
      ...TIMING.map((words) => statement(fixed(words))),
      ...(md5Secret === null ? [] : [statement(fixed('password'), quote(md5Secret))]),
      ...(peer.bfd ? ['bfd on;'] : []),
      ...channels(peer, { bgp, vnics }, own),
    ],
  );
}

/**
 * Of the peer's family, and of the other one, too, unless there are peers of that: a vRouter speaks both over IPv4, with the
 * engine's own address of the family for a next hop.
 */
function channels(
  { address: peer }: BgpPeerSpec,
  { bgp, vnics }: Pick<SpeakingDomain, 'bgp' | 'vnics'>,
  own: string,
): string[] {
  const family = familyOf(peer);
  const other = family === 4 ? 6 : 4;
  const hasPeers = bgp.peers.some((it) => familyOf(it.address) === other);
  const nextHop = hasPeers ? undefined : addressesOf(vnics[0], other)[0];
  return [
    ...channel(family, own),
    ...(nextHop === undefined ? [] : channel(other, ipaddr.parseCIDR(nextHop)[0].toString())),
  ];
}

function channel(family: 4 | 6, nextHop: string): string[] {
  const lines = [
    'import none;',
    `export where proto = "vips${family}";`,
    statement(fixed('next hop address'), address(nextHop)),
  ];
  return innerBlock([fixed(`ipv${family}`)], lines);
}

/** The engine's address that is nearest to the peer. Throws when it has none of the family. */
function localAddress(vnic: VnicSpec | undefined, peer: string): string {
  const own = addressesOf(vnic, familyOf(peer));
  const parsed = ipaddr.parse(peer);
  const near = own.find((cidr) => parsed.match(ipaddr.parseCIDR(cidr))) ?? own[0];
  if (near === undefined) throw new Error(`the engine has no IPv${familyOf(peer)} address in this network`);
  return ipaddr.parseCIDR(near)[0].toString();
}

function addressesOf(vnic: VnicSpec | undefined, family: 4 | 6): string[] {
  return (vnic?.addresses ?? []).filter((cidr) => familyOf(cidr) === family);
}

export function familyOf(text: string): 4 | 6 {
  return text.includes(':') ? 6 : 4;
}
