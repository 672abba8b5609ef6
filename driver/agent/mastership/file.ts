import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readIfPresent, writeAtomically } from '../state/files';

/** What of masterships survives an agent. */
const Stored = z.object({
  /** Of the machine: who was the master before it was booted is not any more. */
  machine: z.string(),
  masterships: z.record(z.string(), z.object({ term: z.number(), master: z.boolean(), peerId: z.string().nullable() })),
});
export type StoredMasterships = z.infer<typeof Stored>['masterships'];

/** Nothing if there is no file or it cannot be read. */
export async function loadMasterships(stateDir: string): Promise<StoredMasterships> {
  try {
    const text = await readIfPresent(fileOf(stateDir));
    if (text === null) return {};
    const { machine, masterships } = Stored.parse(JSON.parse(text));
    if (machine === thisBoot()) return masterships;
    return Object.fromEntries(Object.entries(masterships).map(([id, one]) => [id, { ...one, master: false }]));
  } catch {
    return {};
  }
}

export function storeMasterships(stateDir: string, masterships: StoredMasterships): Promise<void> {
  return writeAtomically(fileOf(stateDir), JSON.stringify({ machine: thisBoot(), masterships }), false);
}

function thisBoot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function fileOf(stateDir: string): string {
  return join(stateDir, 'masterships.json');
}
