/** How loaded a service engine is, as one number. Pure. */

/** What an engine says of its load, averaged over about a minute. What it does not say is null. */
export interface EngineLoadSample {
  /** 0..100 of all cores. */
  readonly cpuPercent: number;
  /** 0..100. */
  readonly memoryPercent: number;
  /** Open ones. */
  readonly connections: number;
  /** Both directions together. */
  readonly bytesPerSecond: number | null;
  readonly packetsPerSecond: number | null;
  readonly connectionsPerSecond: number | null;
}

export const LOAD_CRITERIA = ['cpu', 'pps', 'mbps', 'open_conns', 'cps'] as const;
/** What is looked at; Avi's words without their prefix. */
export type LoadCriterion = (typeof LOAD_CRITERIA)[number];

/** A criterion, and what an engine can do of it. */
export interface LoadMeasure {
  readonly criterion: LoadCriterion;
  /** In the criterion's unit; of `cpu` percent. */
  readonly capacity: number;
}

/** By which an engine is judged unless its group says otherwise. */
export const CPU_ALONE: readonly LoadMeasure[] = [{ criterion: 'cpu', capacity: 100 }];

/** Percent of what the engine can do: of the measure that is closest to its end. May be more than 100. */
export function loadOf(sample: EngineLoadSample, measures: readonly LoadMeasure[]): number {
  const shares = measures.map(({ criterion, capacity }) =>
    capacity > 0 ? (100 * amountOf(sample, criterion)) / capacity : 0,
  );
  return Math.max(0, ...shares);
}

function amountOf(sample: EngineLoadSample, criterion: LoadCriterion): number {
  switch (criterion) {
    case 'cpu':
      return sample.cpuPercent;
    case 'pps':
      return sample.packetsPerSecond ?? 0;
    case 'mbps':
      return ((sample.bytesPerSecond ?? 0) * 8) / 1_000_000;
    case 'open_conns':
      return sample.connections;
    case 'cps':
      return sample.connectionsPerSecond ?? 0;
  }
}
