import { renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { Generation } from '../nginx/generation';
import { readIfPresent } from '../state/files';
import type { UdpPaths, UdpUnit } from './unit';

/** What is on disk about the nginxes of a load balancer, so that a later agent finds them again. */
const ProcessFile = z.object({
  sequence: z.number().int(),
  generations: z.array(Generation),
  /** Members known to be down when the current one was started, by `memberKey`. */
  down: z.array(z.string()),
});
type ProcessFile = z.infer<typeof ProcessFile>;

/** Synchronous: between the birth of a process and its record there must be no point where the agent can stop. */
export function recordProcesses({ paths, sequence, generations, health }: UdpUnit): void {
  const down = [...health].filter(([, state]) => state === 'DOWN').map(([key]) => key);
  const content: ProcessFile = { sequence, generations, down };
  const temporary = `${paths.process}.new`;
  writeFileSync(temporary, JSON.stringify(content), { mode: 0o600 });
  renameSync(temporary, paths.process);
}

/** What an earlier agent left; null if nothing, or if it cannot be read. */
export async function readProcesses(paths: UdpPaths): Promise<ProcessFile | null> {
  try {
    const text = await readIfPresent(paths.process);
    return text === null ? null : ProcessFile.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
