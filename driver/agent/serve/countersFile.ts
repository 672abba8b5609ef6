import type { UnitPaths } from '../config';
import { readIfPresent, writeAtomically } from '../state/files';
import { StoredCounters } from './counters';

/** What was counted before; null if nothing was, or if it cannot be read. */
export async function loadCounters(paths: UnitPaths): Promise<StoredCounters | null> {
  try {
    const text = await readIfPresent(paths.counters);
    return text === null ? null : StoredCounters.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

export function storeCounters(paths: UnitPaths, counters: StoredCounters): Promise<void> {
  return writeAtomically(paths.counters, JSON.stringify(counters), false);
}
