import type { EngineCandidate, EngineDemand, GroupLimits } from './candidate';
import type { GroupProperties } from './group';

/** What elasticity looks at, and what it says. Times are milliseconds, loads percent of what an engine can do. */

/** What an operator decides. */
export interface ElasticitySettings {
  /** Off: what the load asks for is only told. Idle engines are retired all the same. */
  readonly autoRebalance: boolean;
  /** Between two looks. */
  readonly interval: number;
  /** Above it an engine has too much to do. */
  readonly maxLoad: number;
  /** Below it an engine has too little to do. */
  readonly minLoad: number;
  /** After which an engine that serves nobody is retired; 0: never. */
  readonly deprovisionDelay: number;
}

/** An engine of the group. */
export interface ElasticEngine extends EngineCandidate {
  /** Null while it has not told lately: nothing is concluded from that. */
  readonly load: number | null;
}

/** That a load balancer is on an engine and is to stay there. */
export interface ElasticPlacement {
  readonly engineId: string;
  /** Of the engine's load: 0..1. */
  readonly share: number;
}

/** A load balancer of the group. Those on engines that have neither much nor little to do need not be in the view. */
export interface ElasticLoadBalancer {
  readonly id: string;
  readonly demand: EngineDemand;
  readonly placements: readonly ElasticPlacement[];
  /** Engines it is served by at least and at most, by its HA mode, its flavor and its group. */
  readonly least: number;
  readonly most: number;
  /** Nothing is under way with it. */
  readonly settled: boolean;
}

/** Of the group. */
export type ElasticGroup = GroupLimits & Pick<GroupProperties, 'minEngines' | 'bufferEngines' | 'slotsPerEngine'>;

export interface ElasticityView {
  readonly group: ElasticGroup;
  readonly engines: readonly ElasticEngine[];
  readonly loadBalancers: readonly ElasticLoadBalancer[];
  /** What the look before has left. */
  readonly state: ElasticityState;
}

export type LoadLevel = 'high' | 'normal' | 'low';

/** What one look leaves for the next: plain data, kept with the group. */
export interface ElasticityState {
  /** By engine. */
  readonly levels: Readonly<Record<string, { readonly level: LoadLevel; readonly told: boolean }>>;
  /** By engine: how loaded it has been, of late: when, and percent. */
  readonly lately: Readonly<Record<string, readonly (readonly [at: number, load: number])[]>>;
  /** By engine: since when it serves nobody. */
  readonly idleSince: Readonly<Record<string, number>>;
  /** By engine or load balancer: when something was last done with it. */
  readonly actedAt: Readonly<Record<string, number>>;
}

export const NOTHING_SEEN: ElasticityState = { levels: {}, lately: {}, idleSince: {}, actedAt: {} };

/** What is to be done. `engineId` is the engine because of which. */
export type ElasticDecision =
  /** Serve the load balancer from so many engines more. */
  | {
      readonly kind: 'scaleOut';
      readonly loadBalancerId: string;
      readonly count: number;
      readonly engineId: string;
      readonly reason: string;
    }
  /** Take the load balancer off the engine. */
  | {
      readonly kind: 'scaleIn';
      readonly loadBalancerId: string;
      readonly engineId: string;
      readonly reason: string;
    }
  /** Move the load balancer from the engine to another. */
  | {
      readonly kind: 'migrate';
      readonly loadBalancerId: string;
      readonly engineId: string;
      readonly to: string;
      readonly reason: string;
    }
  /** Make an engine like the one because of which, for what cannot be relieved otherwise. */
  | { readonly kind: 'makeEngine'; readonly engineId: string; readonly reason: string }
  | { readonly kind: 'retireEngine'; readonly engineId: string; readonly reason: string };

/** An engine's load has come to another level. */
export interface LoadCrossing {
  readonly engineId: string;
  readonly level: LoadLevel;
  readonly load: number;
}

export interface ElasticityPlan {
  /** To be done now. */
  readonly decisions: readonly ElasticDecision[];
  /** Would be done if auto-rebalance were on; told once a crossing. */
  readonly advice: readonly ElasticDecision[];
  readonly crossings: readonly LoadCrossing[];
  /** Engines with too much to do for whom nothing can be done, and why; told once a crossing. */
  readonly stuck: readonly { readonly engineId: string; readonly reason: string }[];
  /** To be kept for the next look. */
  readonly state: ElasticityState;
}
