import { HOUR } from './clock';

/** What is counted while a simulation runs. Times in milliseconds. */
export interface Tally {
  readonly faults: Map<string, number>;
  readonly moves: Hourly;
  readonly availability: Map<string, Availability>;
  /** How long load balancers that had served were less than whole, for clients. */
  readonly outages: number[];
  /** From an engine's loss until its load balancers had as many engines again as they are to have. */
  readonly heals: number[];
  readonly violations: Violation[];
  /** Each look at how many engines there are, and how few would do. */
  readonly sizes: { readonly engines: number; readonly ideal: number }[];
  /** What followed from the load, by kind. */
  readonly acts: Map<string, number>;
  /** When what was done because of load, by load balancer or group. */
  readonly turns: Map<string, Turn[]>;
  /** How upgrades ended. */
  readonly upgrades: string[];
  /** Time of engines, of such above their upper bound, and of such that were asked for more than they can do. */
  engineTime: number;
  loadedTime: number;
  overloadedTime: number;
  enginesMade: number;
  ghosts: number;
  retired: number;
  isolated: number;
  /** Engines that were cut from a network of VIPs alone. */
  cut: number;
  trips: number;
  /** Placements that the group had no room for. */
  lacks: number;
  takeOvers: number;
  /** Time with two masters that could not know of each other, over all pairs. */
  splitMasters: number;
  /** When what was counted was counted up. */
  booksClosedAt: number;
}

export interface Turn {
  readonly at: number;
  readonly way: string;
  /** Of every load balancer of the group, as it was then. */
  readonly demands: ReadonlyMap<string, number>;
  /** Load balancers on the engines it was on. */
  readonly near: ReadonlySet<string>;
  /** An engine of the load balancer was away. */
  readonly isForced: boolean;
}

export interface Violation {
  readonly at: number;
  readonly what: string;
  readonly after: string;
}

/** Counts by the hour. */
export class Hourly {
  private readonly counts: number[] = [];

  add(now: number, count: number): void {
    const hour = Math.floor(now / HOUR);
    while (this.counts.length <= hour) this.counts.push(0);
    this.counts[hour] = (this.counts[hour] ?? 0) + count;
  }

  get all(): readonly number[] {
    return this.counts;
  }
}

export function newTally(): Tally {
  return {
    ...{ faults: new Map(), moves: new Hourly(), availability: new Map(), outages: [], heals: [] },
    ...{ violations: [], sizes: [] },
    ...{
      enginesMade: 0,
      acts: new Map(),
      turns: new Map(),
      upgrades: [],
      engineTime: 0,
      loadedTime: 0,
      overloadedTime: 0,
      ghosts: 0,
      retired: 0,
      isolated: 0,
      cut: 0,
      trips: 0,
      lacks: 0,
      takeOvers: 0,
      splitMasters: 0,
      booksClosedAt: 0,
    },
  };
}

/** What clients see of a load balancer, whatever the controllers believe: kept from one change of it to the next. */
export interface Availability {
  /** Share of what is sent to it that is answered, since `from`. */
  share: number;
  from: number;
  readonly born: number;
  /** Milliseconds of full outage that its time comes to. */
  lost: number;
  /** When it began to be less than whole; null: it is. */
  impairedSince: number | null;
}
