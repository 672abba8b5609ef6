import type { Logger } from 'pino';
import { type Bus, ENGINES_TOPIC, HINTS_TOPIC, SETTLED_TOPIC } from '../bus/port';
import type { NetworkDriver } from '../clouds/network/port';
import type { Db } from '../db/connect';
import { type Lease, renewLease } from '../db/leases';
import type { TenancyMode } from '../domain/group';
import type { Settlement } from '../domain/settlement';
import type { LoadBalancerTree } from '../domain/tree';
import type { RoutingOptions } from '../target/networkNeeds';
import type { ContrailParts } from './contrailTarget';
import type { BeforeStep } from './kind';
import type { KeyManager } from './kinds/certificateConsumers';
import type { BackOff } from './outcome';
import type { Mutex } from './wiringTarget';

/** What the load balancer's unit works with; made once a process. */
export interface LoadBalancerParts {
  readonly db: Db;
  readonly bus: Bus;
  readonly network: NetworkDriver;
  /** Where VIPs are wired, if not in the network service. */
  readonly contrail?: ContrailParts;
  /** Absent where nobody keeps certificates. */
  readonly keyManager?: KeyManager;
  /** True: engines' vNICs are plugged in as load balancers need them, each in the routing domain of a VIP network. */
  readonly plugsVnics?: boolean;
  /** Absent: no static routes. */
  readonly routing?: RoutingOptions;
  /** The networks of subnets, as far as they have been asked for; made once a process. */
  readonly networkOfSubnet?: Map<string, string>;
  /** A subnet of IPv4 of each network that was looked for one and has it; made once a process. */
  readonly ipv4Subnets?: Map<string, string>;
  /** True: there are no engines, and a load balancer is served as soon as it is wanted. */
  readonly bootsNothing: boolean;
  readonly log: Logger;
  /** Holder of the leases: new for every process. */
  readonly owner: string;
  readonly settings: RunSettings;
  readonly alone: Mutex;
  /** Load balancers of these providers are left alone: somebody else carries them out and says so. */
  readonly externalProviders?: ReadonlySet<string>;
  /** Whether those who listen are told of what is done. */
  readonly notifies?: boolean;
  /** Told of every step before it begins. Tests stop and crash runs here. */
  readonly trace?: (step: string) => void | Promise<void>;
}

/** Times in seconds. */
export interface RunSettings {
  readonly leaseSeconds: number;
  /** Longest a single step may take: none starts unless the lease outlives it. */
  readonly stepSeconds: number;
  /** What a PENDING status is given, anew after the cloud was away. */
  readonly pendingDeadline: number;
  /** What an engine may take to boot; added to the deadline of those that wait for one. */
  readonly engineCreateTimeout: number;
  /** Start of the names of new engines. */
  readonly engineNamePrefix: string;
  /** `service` by default. */
  readonly tenancyMode?: TenancyMode;
  /** Within which engines tell what they count: only then is it known that a placement has no connections. 0 by default. */
  readonly drainSettle?: number;
  /** True where engines are processes of one host: zones, compute flavors and images are of no account. */
  readonly enginesAreAlike?: boolean;
  readonly backOff: BackOff;
}

/** One run of a load balancer's unit, under its lease. */
export interface Run {
  readonly parts: LoadBalancerParts;
  readonly tree: LoadBalancerTree;
  readonly lease: Lease;
  readonly log: Logger;
  readonly before: BeforeStep;
}

/** How a run would end; written by the unit, nowhere else. */
export type Verdict =
  /** `lookAgain`: seconds until something that nobody waits for is to be looked at. */
  | { readonly kind: 'settle'; readonly settlement: Settlement; readonly lookAgain?: number }
  /** `paused`: a cloud is away; that uses up nobody's deadline. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly paused?: boolean }
  | { readonly kind: 'failed'; readonly reason: string };

/** Renews the lease before a step that might outlast it. */
export function guardSteps({ parts, lease, takenAt }: StepGuard): BeforeStep {
  const { leaseSeconds, stepSeconds } = parts.settings;
  let since = takenAt;
  return async (step) => {
    await parts.trace?.(step);
    const left = leaseSeconds - (performance.now() - since) / 1000;
    if (left > stepSeconds) return;
    const now = performance.now();
    await renewLease(parts.db, lease, leaseSeconds);
    since = now;
  };
}

export interface StepGuard {
  readonly parts: LoadBalancerParts;
  readonly lease: Lease;
  /** `performance.now()` before the lease was taken. */
  readonly takenAt: number;
}

/** Tells the health-managers to look at these engines' placements. */
export async function hintEngines({ parts, tree, log }: Run, engineIds: Iterable<string>): Promise<void> {
  for (const engineId of engineIds) {
    const args = { engine_id: engineId, load_balancer_id: tree.id };
    await unlessLost(log, parts.bus.broadcast(ENGINES_TOPIC, { method: 'placements', args, loadBalancerId: tree.id }));
  }
}

/** Tells the health-managers that these engines' networks are others now. */
export async function hintEngineNetworks(
  { parts, log }: Pick<Run, 'log'> & { readonly parts: Pick<LoadBalancerParts, 'bus'> },
  engineIds: Iterable<string>,
): Promise<void> {
  for (const engineId of engineIds) {
    await unlessLost(log, parts.bus.broadcast(ENGINES_TOPIC, { method: 'networks', args: { engine_id: engineId } }));
  }
}

/** Tells the workers that these engines have something to be done about. */
export async function hintEngineUnits({ parts, log }: Run, engineIds: Iterable<string>): Promise<void> {
  for (const id of engineIds) {
    await unlessLost(log, parts.bus.publish(HINTS_TOPIC, { method: 'engine', args: { id } }));
  }
}

/** Wakes those who wait for the load balancer to be free. */
export async function announceSettled({ parts, tree, log }: Run): Promise<void> {
  const { id } = tree;
  await unlessLost(log, parts.bus.broadcast(SETTLED_TOPIC, { method: 'settled', args: { id }, loadBalancerId: id }));
}

/** A hint may be lost: whoever misses it looks by itself, later. */
async function unlessLost(log: Logger, sending: Promise<void>): Promise<void> {
  try {
    await sending;
  } catch (err) {
    log.warn({ err }, 'a hint could not be sent');
  }
}
