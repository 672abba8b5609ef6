import { existsSync } from 'node:fs';
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

/** The file of one load balancer's counters. Old workers are let go beside the queue of its work: one write at a time. */
export interface CountersFile {
  /** Writes what `read` gives when it is its turn, unless that is there already. */
  store(read: () => StoredCounters): Promise<void>;
}

export function openCountersFile(paths: UnitPaths): CountersFile {
  let last: Promise<void> = Promise.resolve();
  let written = '';
  const write = async (read: () => StoredCounters) => {
    const text = JSON.stringify(read());
    if (text === written && existsSync(paths.counters)) return;
    await writeAtomically(paths.counters, text, false);
    written = text;
  };
  return {
    store(read) {
      last = last.catch(() => undefined).then(() => write(read));
      return last;
    },
  };
}
