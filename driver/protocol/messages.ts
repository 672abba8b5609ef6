import { z } from 'zod';
import { EngineSpec, NetworkProblem } from './engineSpec';
import { Inspect, Inspection } from './inspection';
import { LoadBalancerSpec } from './spec';

/**
 * What controller and agent say to each other: one JSON object a WebSocket message, `type` first. The engine dials,
 * says `hello`, is answered `welcome` (with the highest common version) and what differs from what it holds; from then on
 * it sends `heartbeat` each second, `counters` every 10 s, and one `ack` for each spec or removal.
 */

/** Versions of this protocol the present code speaks: the current and the previous one. */
export const PROTOCOL_VERSIONS = [3, 2] as const;
/** WebSocket messages above this size (bytes) are refused on both sides. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const uuid = z.string().min(1).max(64);
const counter = z.string().regex(/^\d+$/);

/** An object of the tree, as refusals and statuses name it. */
export const ObjectKind = z.enum(['loadbalancer', 'listener', 'pool', 'member', 'healthmonitor', 'l7policy', 'l7rule']);
export type ObjectKind = z.infer<typeof ObjectKind>;

/** Why an object of a spec is not in force. `reason` is shown to operators in an event. */
export const Refusal = z.object({ kind: ObjectKind, id: uuid, reason: z.string() });
export type Refusal = z.infer<typeof Refusal>;

/** A spec the engine holds, for the comparison after a reconnection. */
export const Held = z.object({
  id: uuid,
  generation: z.number().int(),
  epoch: z.number().int(),
  digest: z.string(),
  refusals: z.array(Refusal),
  /** Digests of materials the spec names that the engine has not (after a reboot): it is to be sent again. */
  lacking: z.array(z.string()).default([]),
});
export type Held = z.infer<typeof Held>;

export const Hello = z.object({
  type: z.literal('hello'),
  versions: z.array(z.number().int()).min(1),
  engineId: uuid,
  /** What proves the engine's identity until it has a certificate. */
  token: z.string(),
  /** New at every start of the agent process. */
  bootId: uuid,
  agentVersion: z.string(),
  /** Versions of the daemons found, e.g. `{"haproxy": "2.6.12"}`. */
  daemons: z.record(z.string(), z.string()),
  held: z.array(Held),
  /** Whether it makes namespaces and moves interfaces into them: an agent that is root on a machine of its own. */
  managesNetworks: z.boolean().default(false),
  /** Digest of the `EngineSpec` that is in force on it as a whole; null: it is to be told, and tells what is wrong. */
  networksDigest: z.string().nullable().default(null),
  /** The engine's clock, milliseconds since 1970. */
  clock: z.number().exactOptional(),
  /** It answers `inspect`. Absent: it does not. */
  inspects: z.boolean().exactOptional(),
});
export type Hello = z.infer<typeof Hello>;

export const MemberState = z.enum(['UP', 'DOWN', 'DRAIN', 'MAINT', 'NO_CHECK', 'RESTARTING']);
export type MemberState = z.infer<typeof MemberState>;
export const ListenerState = z.enum(['OPEN', 'FULL']);
export type ListenerState = z.infer<typeof ListenerState>;
export const PoolState = z.enum(['UP', 'DOWN']);
export type PoolState = z.infer<typeof PoolState>;

/**
 * The full state of one load balancer on this engine. What is not named is not reported (Octavia's rules for a missing
 * listener, pool or member apply).
 */
export const LoadBalancerReport = z.object({
  id: uuid,
  generation: z.number().int(),
  listeners: z.record(uuid, ListenerState),
  pools: z.record(uuid, z.object({ state: PoolState, members: z.record(uuid, MemberState) })),
  /** Whether a request can be answered: a member of a pool that a listener uses takes traffic, or a listener needs none. Since version 3. */
  usable: z.boolean().exactOptional(),
});
export type LoadBalancerReport = z.infer<typeof LoadBalancerReport>;

export const EngineLoad = z.object({
  /** 0..100 of all cores. */
  cpuPercent: z.number(),
  /** 0..100. */
  memoryPercent: z.number(),
  connections: z.number().int(),
  /** Of what clients and load balancers send each other, over the last seconds. Absent: not known. */
  bytesPerSecond: z.number().exactOptional(),
  /** In and out of its data networks. */
  packetsPerSecond: z.number().exactOptional(),
  connectionsPerSecond: z.number().exactOptional(),
});
export type EngineLoad = z.infer<typeof EngineLoad>;

export const Heartbeat = z.object({
  type: z.literal('heartbeat'),
  seq: z.number().int(),
  load: EngineLoad,
  /** Those whose state differs from what was last reported on this connection; all of them in the first one. */
  changed: z.array(LoadBalancerReport),
});
export type Heartbeat = z.infer<typeof Heartbeat>;

/** Absolute since the spec first came to this engine; never falls, over reloads and restarts of the agent. Decimal strings. */
export const ListenerCounters = z.object({
  loadBalancerId: uuid,
  listenerId: uuid,
  bytesIn: counter,
  bytesOut: counter,
  activeConnections: z.number().int(),
  totalConnections: counter,
  requestErrors: counter,
});
export type ListenerCounters = z.infer<typeof ListenerCounters>;

export const Counters = z.object({ type: z.literal('counters'), listeners: z.array(ListenerCounters) });
export type Counters = z.infer<typeof Counters>;

/**
 * How a spec or a removal ended. `applied`: in force, less the objects in `refusals`. `refused`: nothing of it is in
 * force and the previous configuration serves on. Sent again, with the same generation, when a refusal goes away.
 */
export const Ack = z.object({
  type: z.literal('ack'),
  id: uuid,
  generation: z.number().int(),
  epoch: z.number().int(),
  digest: z.string(),
  outcome: z.enum(['applied', 'refused', 'removed']),
  refusals: z.array(Refusal),
});
export type Ack = z.infer<typeof Ack>;

/** Something an operator would ask about: a daemon that crashed, a configuration that was refused. */
export const EngineEvent = z.object({
  type: z.literal('event'),
  name: z.string(),
  loadBalancerId: uuid.nullable(),
  message: z.string(),
});
export type EngineEvent = z.infer<typeof EngineEvent>;

/** How an `EngineSpec` is in force; sent again whenever that changes: an interface that was awaited has come. */
export const NetworksAck = z.object({
  type: z.literal('networksAck'),
  generation: z.number().int(),
  digest: z.string(),
  /** Empty: all of it is in force. */
  problems: z.array(NetworkProblem),
});
export type NetworksAck = z.infer<typeof NetworksAck>;

/** The state of a domain's BGP sessions and announcements; sent whenever it changes, and for every domain with BGP after a welcome. Since version 3. */
export const BgpState = z.object({
  type: z.literal('bgp'),
  domainId: uuid,
  peers: z.array(
    z.object({
      address: z.string(),
      /** RFC 4271's, in lower case: `established`, `active`, ... */
      state: z.enum(['idle', 'connect', 'active', 'opensent', 'openconfirm', 'established', 'down']),
      /** The daemon's last error, e.g. `Received: Bad peer AS`; null: none. */
      lastError: z.string().nullable(),
    }),
  ),
  /** Prefixes that are announced now: `10.0.0.60/32`. */
  announced: z.array(z.string()),
});
export type BgpState = z.infer<typeof BgpState>;

/** What an engine has of a VIP network. */
export const ReachReport = z.object({
  domainId: uuid,
  /** Of the domain's default route. `unanswered`: it has not answered since the agent began. Null: there is none. */
  gateway: z.enum(['answers', 'silent', 'unanswered']).nullable(),
  /** Neighbours that are heard there. */
  heard: z.array(uuid),
  /** ... and those that were, and are not any more. */
  missed: z.array(uuid),
});
export type ReachReport = z.infer<typeof ReachReport>;

/** Which neighbours (`DomainSpec.heartbeat`) are heard, and by its own id whether the gateways of pairs answer; all of them, whenever that changes, and after a welcome. Since version 3. */
export const Neighbours = z.object({
  type: z.literal('neighbours'),
  heard: z.array(z.object({ engineId: uuid, heard: z.boolean() })),
  /** The same by VIP network. Absent: it does not say, and nothing follows. */
  reach: z.array(ReachReport).exactOptional(),
});
export type Neighbours = z.infer<typeof Neighbours>;

/** Of which load balancers of pairs the engine is the master; those that have changed, and all after a welcome. Since version 3. */
export const MastershipClaims = z.object({
  type: z.literal('masterships'),
  claims: z.array(
    z.object({ loadBalancerId: uuid, term: z.number().int().min(0), master: z.boolean(), reason: z.string() }),
  ),
});
export type MastershipClaims = z.infer<typeof MastershipClaims>;

/** A piece of a capture (pcapng, in order), base64. Since version 3. */
export const CaptureChunk = z.object({
  type: z.literal('captureChunk'),
  captureId: uuid,
  sequence: z.number().int().min(0),
  data: z.string().max(1024 * 1024),
});
export type CaptureChunk = z.infer<typeof CaptureChunk>;

/** A capture is over on this engine; `problem`: why it broke off or never began. Since version 3. */
export const CaptureEnd = z.object({
  type: z.literal('captureEnd'),
  captureId: uuid,
  packets: z.number().int().min(0),
  bytes: z.number().int().min(0),
  problem: z.string().nullable(),
});
export type CaptureEnd = z.infer<typeof CaptureEnd>;

export const FromEngine = z.discriminatedUnion('type', [
  Hello,
  Heartbeat,
  Counters,
  Ack,
  NetworksAck,
  EngineEvent,
  BgpState,
  Neighbours,
  MastershipClaims,
  CaptureChunk,
  CaptureEnd,
  Inspection,
]);
export type FromEngine = z.infer<typeof FromEngine>;

export const Welcome = z.object({
  type: z.literal('welcome'),
  version: z.number().int(),
  /** Milliseconds. */
  heartbeatInterval: z.number().int().min(10),
  /** Milliseconds. */
  countersInterval: z.number().int().min(10),
  /** The controller's clock, milliseconds since 1970: by it an engine judges when its certificate ends. */
  now: z.number().exactOptional(),
});
export type Welcome = z.infer<typeof Welcome>;

/**
 * Serve this. `materials`: the texts behind the digests the spec names, by digest (PEM; they hold private keys: never on
 * a persistent disk, never in a log). Answered by an ack, also when (generation, epoch) is lower than what is held: then with what is held. */
export const PutSpec = z.object({
  type: z.literal('put'),
  spec: LoadBalancerSpec,
  materials: z.record(z.string(), z.string()).default({}),
});
export type PutSpec = z.infer<typeof PutSpec>;

/** Stop serving this load balancer and forget it. */
export const RemoveSpec = z.object({
  type: z.literal('remove'),
  id: uuid,
  generation: z.number().int(),
  epoch: z.number().int(),
});
export type RemoveSpec = z.infer<typeof RemoveSpec>;

/** These are your networks. To agents of version 2 and later that say `managesNetworks`; answered by a networksAck. */
export const PutNetworks = z.object({ type: z.literal('networks'), spec: EngineSpec });
export type PutNetworks = z.infer<typeof PutNetworks>;

/** Capture what goes through a load balancer's interfaces on this engine. Since version 3; answered by chunks and an end. */
export const StartCapture = z.object({
  type: z.literal('capture'),
  captureId: uuid,
  loadBalancerId: uuid,
  /** In the language of pcap-filter(7); empty: everything of the load balancer's interfaces. */
  filter: z.string().max(1000),
  /** Milliseconds. */
  duration: z.number().int().min(1),
  packets: z.number().int().min(1),
  /** Bytes of the file at most. */
  size: z.number().int().min(1),
});
export type StartCapture = z.infer<typeof StartCapture>;

/** End a capture early. Since version 3. */
export const StopCapture = z.object({ type: z.literal('stopCapture'), captureId: uuid });
export type StopCapture = z.infer<typeof StopCapture>;

export const FromController = z.discriminatedUnion('type', [
  Welcome,
  PutSpec,
  RemoveSpec,
  PutNetworks,
  StartCapture,
  StopCapture,
  Inspect,
]);
export type FromController = z.infer<typeof FromController>;
