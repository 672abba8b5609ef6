import type { Logger } from 'pino';
import type { Bus } from '../bus/port';
import type { ComputeDriver, Server } from '../clouds/compute/port';
import type { NetworkDriver, Port, PortRequest } from '../clouds/network/port';
import type { Db } from '../db/connect';
import { type Lease, releaseLease } from '../db/leases';
import type { Engine } from '../domain/engine';
import { UnavailableError } from '../domain/errors';
import type { Sealer } from '../domain/sealing';
import type { RoutingOptions, Vnic } from '../domain/vnic';
import type { ContrailParts } from './contrailTarget';
import type { BeforeStep } from './kind';
import type { BackOff } from './outcome';

/** An engine that has served has lost its server, or what was on it: another engine takes its place. */
export class LostServerError extends UnavailableError {}

/** Nothing is wrong: somebody else has something under way that comes first. */
export class NotYetError extends UnavailableError {}

/** What the engine's unit works with; made once a process. */
export interface EngineParts {
  readonly db: Db;
  readonly bus: Bus;
  readonly compute: ComputeDriver;
  readonly network: NetworkDriver;
  /** Where VIPs are wired, if not in the network service. */
  readonly contrail?: ContrailParts;
  readonly log: Logger;
  /** Holder of the leases: new for every process. */
  readonly owner: string;
  /** Where engines find their controllers: WebSocket URLs. */
  readonly controllers: readonly string[];
  /** Of the certificate of the controllers' CA; absent where they speak in clear. */
  readonly caFingerprint?: string | undefined;
  /** Seals tokens; absent where the configuration has no key. */
  readonly sealer?: Pick<Sealer, 'digest'> | undefined;
  readonly settings: EngineSettings;
  /** Where engines call home from. Absent: the compute service sees to it, or needs nothing of the kind. */
  readonly management?: ManagementNetwork;
  /** What the ports of vNICs are made with besides. */
  readonly vnicPort?: (vnic: Vnic) => Promise<Pick<PortRequest, 'securityGroupIds' | 'portSecurity' | 'qosPolicyId'>>;
  /** Told when an engine is gone, or vNICs of it; what fails there is left to the sweep. */
  readonly onGone?: (engine: Engine) => Promise<void>;
  /** Absent: no static routes. */
  readonly routing?: RoutingOptions;
  /** Told of every step before it begins. Tests crash runs here. */
  readonly trace?: (step: string) => void;
}

export interface ManagementNetwork {
  readonly networkId: string;
  /** Of the ports there. */
  readonly securityGroupIds: readonly string[];
}

export interface EngineSettings {
  /** How long a lease is held; longer than any call to a cloud. */
  readonly leaseSeconds: number;
  /** Seconds after which a server that has not called home is a ghost. */
  readonly engineCreateTimeout: number;
  /** Stands on everything of this installation in a cloud; `slipstream` by default. */
  readonly ownerTag?: string;
  readonly backOff: BackOff;
}

/** What an engine's unit compares with the clouds. */
export interface EngineTarget {
  readonly engine: Engine;
  readonly vnics: readonly Vnic[];
}

/** What the kinds of an engine's unit work with: the parts, and what they note for each other and for the unit. */
export type EngineClouds = EngineParts & { readonly notes: RunNotes };

/** Of one run. */
export interface RunNotes {
  /** The port the engine calls home by. */
  managementPort?: Port;
  /** As the compute service shows it. */
  server?: Server;
  /** vNICs that are not as wanted; the others are. */
  readonly troubles: Trouble[];
}

export interface Trouble {
  /** Null for a port of which no row is known. */
  readonly vnicId: string | null;
  readonly reason: string;
  /** It is a matter of time alone. */
  readonly passes: boolean;
}

/** One run of an engine's unit, under its lease. */
export interface EngineRun {
  readonly parts: EngineParts;
  readonly engine: Engine;
  readonly lease: Lease;
  readonly log: Logger;
  readonly before: BeforeStep;
}

/** Ends a run. A lease that was lost has a new holder, who settles. */
export async function release({ parts, lease }: EngineRun, last: Readonly<Record<string, unknown>>): Promise<void> {
  await releaseLease(parts.db, lease, last);
}

/** How everything of this installation begins. */
export function ownerTagOf({ settings }: Pick<EngineParts, 'settings'>): string {
  return settings.ownerTag ?? 'slipstream';
}

/** Whether vNICs have to be plugged into the engines' servers: processes of this host have none. */
export function plugsPorts({ compute }: Pick<EngineParts, 'compute'>): boolean {
  return compute.attachPort !== undefined;
}
