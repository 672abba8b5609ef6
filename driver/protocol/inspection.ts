import { z } from 'zod';

/**
 * What an engine tells of how it serves a load balancer, when somebody looks into trouble: as it is at the moment, and
 * not as it was asked for. Lists are cut off at `MOST`, texts at `LONGEST`.
 */

export const MOST = 400;
const LONGEST = 500;
const text = z.string().max(LONGEST);
const uuid = z.string().min(1).max(64);

export const InspectedInterface = z.object({
  name: text,
  /** Null: it is none of the domain's vNICs. */
  vnicId: uuid.nullable(),
  macAddress: text.nullable(),
  mtu: z.number().int(),
  /** Null: nobody says. */
  wantedMtu: z.number().int().nullable(),
  up: z.boolean(),
  /** With prefix length. */
  addresses: z.array(text).max(MOST),
  /** Packets whose source is not reached by this interface are dropped. */
  reversePathCheck: z.boolean(),
});
export type InspectedInterface = z.infer<typeof InspectedInterface>;

export const InspectedRoute = z.object({
  destination: text,
  /** Null: it is on the link. */
  nextHop: text.nullable(),
  device: text.nullable(),
  metric: z.number().int(),
  /** It was asked for, or follows from an address of an interface. */
  wanted: z.boolean(),
});
export type InspectedRoute = z.infer<typeof InspectedRoute>;

export const InspectedNeighbour = z.object({
  address: text,
  device: text,
  macAddress: text.nullable(),
  /** The kernel's word: REACHABLE, STALE, FAILED, ... */
  state: text,
});
export type InspectedNeighbour = z.infer<typeof InspectedNeighbour>;

export const InspectedDaemon = z.object({
  name: text,
  running: z.boolean(),
  /** It answers on its control socket. */
  answers: z.boolean(),
  detail: text.nullable(),
});
export type InspectedDaemon = z.infer<typeof InspectedDaemon>;

export const InspectedMember = z.object({
  poolId: uuid,
  memberId: uuid,
  /** haproxy's word: UP, DOWN, MAINT, DRAIN, no check. */
  status: text,
  /** What the last check came to: L4CON, L7STS/503, ... */
  check: text.nullable(),
});
export type InspectedMember = z.infer<typeof InspectedMember>;

export const EngineFacts = z.object({
  /** Generation of what is held, and of what is in force; null: nothing is. */
  held: z.number().int().nullable(),
  inForce: z.number().int().nullable(),
  refusals: z.array(z.object({ kind: text, id: uuid, reason: text })).max(MOST),
  /** Null: the load balancer is served where the agent itself is. */
  namespace: z
    .object({ name: text, exists: z.boolean(), ready: z.boolean(), problems: z.array(text).max(MOST) })
    .nullable(),
  interfaces: z.array(InspectedInterface).max(MOST),
  /** VIPs that are nowhere on it. */
  missingAddresses: z.array(text).max(MOST),
  routes: z.array(InspectedRoute).max(MOST),
  missingRoutes: z.array(z.object({ destination: text, nextHop: text.nullable() })).max(MOST),
  neighbours: z.array(InspectedNeighbour).max(MOST),
  daemons: z.array(InspectedDaemon).max(MOST),
  /** Null: no BGP speaker is to run there. */
  bgp: z
    .object({
      peers: z.array(z.object({ address: text, state: text, lastError: text.nullable() })).max(MOST),
      announced: z.array(text).max(MOST),
    })
    .nullable(),
  listeners: z.record(uuid, text),
  members: z.array(InspectedMember).max(MOST),
  /** Certificates it has not: name and reason. */
  certificates: z.array(z.object({ name: text, reason: text })).max(MOST),
  /** What could not be looked at, and why. */
  unread: z.array(text).max(MOST),
});
export type EngineFacts = z.infer<typeof EngineFacts>;

/** Look how a load balancer is served. To agents whose hello says `inspects`; answered by one inspection. */
export const Inspect = z.object({ type: z.literal('inspect'), inspectionId: uuid, loadBalancerId: uuid });
export type Inspect = z.infer<typeof Inspect>;

export const Inspection = z.object({
  type: z.literal('inspection'),
  inspectionId: uuid,
  /** Null: there are facts. */
  problem: text.nullable(),
  facts: EngineFacts.nullable(),
});
export type Inspection = z.infer<typeof Inspection>;
