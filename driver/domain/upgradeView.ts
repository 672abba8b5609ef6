import type { EngineStatus } from './engine';

/** What a rolling upgrade looks at, and what it says. Times are milliseconds. */

/** What a rolling upgrade is doing. Those in `WORKING` are carried on with. */
export type UpgradeStatus = 'RUNNING' | 'PAUSED' | 'STOPPING' | 'STOPPED' | 'UNDOING' | 'DONE' | 'UNDONE';

/** The statuses in which there is something to do. */
export const WORKING: readonly UpgradeStatus[] = ['RUNNING', 'STOPPING', 'UNDOING'];

/** How far the replacement of one engine has come. */
export type UpgradePhase =
  /** The new engine is being made. */
  | 'making'
  /** One load balancer is on the first new engine, to see how that does. */
  | 'trying'
  /** Load balancers move from the old engine to the new one. */
  | 'moving'
  /** Nobody is on the old engine: it is taken down. */
  | 'retiring'
  /** The new engine was not good: its load balancers move back, and it is taken down. */
  | 'failing';

export interface UpgradeStep {
  readonly oldEngineId: string;
  readonly newEngineId: string;
  readonly phase: UpgradePhase;
  /** When the phase began. */
  readonly since: number;
  readonly trial: UpgradeTrial | null;
}

export interface UpgradeTrial {
  readonly loadBalancerId: string;
  /** Members of it that were down before. */
  readonly membersDown: number;
  /** Since when the new engine serves it in the old one's stead; null: not yet. */
  readonly since: number | null;
}

/** Of one upgrade: plain data, kept in its row. */
export interface UpgradeState {
  readonly status: UpgradeStatus;
  /** Engines that are replaced at a time; one until the first new engine has proved itself. */
  readonly parallel: number;
  /** What the engines bear that it makes. */
  readonly mark: string;
  /** It replaces the engines that bear this; null: all that do not bear `mark`. */
  readonly replaces: string | null;
  /** The first new engine is as good as the old one was. */
  readonly proven: boolean;
  /** Replacements under way. */
  readonly steps: readonly UpgradeStep[];
  /** Engines replaced so far. */
  readonly replaced: number;
  /** Why it stopped. */
  readonly reason: string | null;
}

export interface UpgradeEngine {
  readonly id: string;
  readonly status: EngineStatus;
  readonly deleting: boolean;
  readonly connected: boolean;
  readonly slotsUsed: number;
  /** Of the upgrade that made it, or during which it was made. */
  readonly mark: string | null;
  /** Its image is named by the flavor of who is on it: it is left alone. */
  readonly ownImage: boolean;
}

/** A load balancer on an engine of a step, the one to try a new engine with first. */
export interface UpgradeLoadBalancer {
  readonly id: string;
  /** Engines it is on, whatever becomes of that. */
  readonly engineIds: readonly string[];
  /** Those of them that it is leaving already. */
  readonly leaving: readonly string[];
  /** Those that have it in force. */
  readonly confirmed: readonly string[];
  /** What engines refuse of it, by engine. */
  readonly refusals: Readonly<Record<string, string>>;
  readonly membersDown: number;
  /** By engine, since it came there. */
  readonly traffic: Readonly<Record<string, { readonly requests: number; readonly errors: number }>>;
}

export interface UpgradeView {
  /** Of the group. */
  readonly engines: readonly UpgradeEngine[];
  /** On the engines of the steps. */
  readonly loadBalancers: readonly UpgradeLoadBalancer[];
  /** Ids for engines to be made; as many as may be made at a time. */
  readonly freshIds: readonly string[];
  readonly times: UpgradeTimes;
}

export interface UpgradeTimes {
  /** An engine has this long to be READY. */
  readonly boot: number;
  /** All load balancers of an engine have this long to be on another. */
  readonly move: number;
  /** The first new engine is watched for this long. */
  readonly soak: number;
}

export type UpgradeAction =
  /** Make an engine like the old one, with the new image, under this id. */
  | { readonly kind: 'make'; readonly oldEngineId: string; readonly newEngineId: string }
  /**
   * Ask load balancers to leave the one engine for the other, or for any. One that is still on the other, and leaving it, is
   * called back there. Who is in the middle of a change is asked again.
   */
  | {
      readonly kind: 'move';
      readonly loadBalancerIds: readonly string[];
      readonly from: string;
      readonly to: string | null;
    }
  /** Take the engine down, unless somebody has come to be on it. */
  | { readonly kind: 'retire'; readonly engineId: string; readonly oldEngineId: string; readonly newEngineId: string }
  /** From now on whoever makes an engine of the group uses the new image. */
  | { readonly kind: 'prove'; readonly newEngineId: string }
  | { readonly kind: 'stop'; readonly reason: string }
  | { readonly kind: 'finish'; readonly status: 'DONE' | 'UNDONE' | 'STOPPED' };

export interface UpgradePlan {
  readonly actions: readonly UpgradeAction[];
  /** To be kept: in one transaction with what is made and taken down. */
  readonly state: UpgradeState;
}
