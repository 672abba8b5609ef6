import type { NetworkDriver } from '../clouds/network/port';
import type { Db } from '../db/connect';

/** What an import works with. */
export interface ImportDeps {
  /** Ours. */
  readonly db: Db;
  /** Octavia's own database. */
  readonly octavia: Db;
  readonly network: NetworkDriver;
  /** Has a worker look at the load balancer now; without it the sweep finds it. */
  readonly hint: (loadBalancerId: string) => Promise<void>;
  readonly settings: ImportSettings;
  readonly now: () => Date;
}

export interface ImportSettings {
  /** Names under which our driver answers; a provider of Octavia's that is none of them is given the default one. */
  readonly providers: readonly string[];
  readonly defaultProvider: string;
  readonly sctp: boolean;
  /** Seconds a load balancer has to become ACTIVE after each step. */
  readonly patience: number;
  /** Seconds until a PENDING status of ours ends in ERROR. */
  readonly pendingDeadline: number;
  /** Milliseconds between two looks. */
  readonly poll: number;
}

/** Why a load balancer cannot be brought further; nothing is lost, and the step can be tried again. */
export class ImportError extends Error {}
