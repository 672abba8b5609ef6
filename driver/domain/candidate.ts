import type { GroupProperties } from './group';

/** What placement looks at: an engine, what a load balancer asks of one, and what the group allows. */

/** An engine of the group as placement sees it. */
export interface EngineCandidate {
  readonly id: string;
  readonly status: 'BUILDING' | 'READY' | 'DRAINING' | 'DELETING' | 'DOWN' | 'GHOST';
  readonly deleting: boolean;
  readonly connected: boolean;
  readonly slots: number;
  readonly slotsUsed: number;
  /** Null until the compute service has said it. */
  readonly host: string | null;
  readonly zone: string | null;
  readonly computeFlavor: string | null;
  readonly imageTag: string | null;
  /** The project whose load balancers alone it serves; null: several, or none. */
  readonly projectId: string | null;
  /** It serves load balancers whose flavor gives them engines of their own. */
  readonly perApp: boolean;
  /** The project it lives in, and serves alone; null: that of this service. */
  readonly ownerProjectId: string | null;
  /** Others are preferred to it: it has too much to do, or is about to be replaced. */
  readonly avoided?: boolean;
  /** VIP networks from which it is cut. Absent: none. */
  readonly cutFrom?: readonly string[];
  /** Keys of its vNICs beside the management one: see `vnicKey`. */
  readonly vnics: readonly string[];
}

/** What a load balancer asks of an engine. */
export interface EngineDemand {
  readonly projectId: string;
  /** The project its engines have to live in; null: that of this service. */
  readonly ownerProjectId: string | null;
  /** Its flavor gives it engines of its own. */
  readonly perApp: boolean;
  /** Null: any will do. */
  readonly zone: string | null;
  /** Null: as the configuration says. */
  readonly computeFlavor: string | null;
  readonly imageTag: string | null;
  /** Keys of the vNICs it needs; the VIP's first. None where nothing is plugged in. */
  readonly vnics: readonly string[];
}

/** What of a group placement looks at. */
export type GroupLimits = Pick<
  GroupProperties,
  'maxEngines' | 'algorithm' | 'hostRedundancy' | 'tenancy' | 'perApp' | 'maxVnics'
>;

/** Names a vNIC by where it is: the routing domain (the VIP's network; null where there are none) and its network. */
export function vnicKey(domainId: string | null, networkId: string): string {
  return `${domainId ?? '-'}/${networkId}`;
}
