import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ObjectKind } from '../../protocol/messages';
import { LoadBalancerSpec } from '../../protocol/spec';
import { loadBalancersDirectory, type UnitPaths } from '../config';
import type { Fault } from '../haproxy/fault';
import { readIfPresent, writeAtomically } from './files';

const StoredFault = z.object({
  kind: ObjectKind,
  id: z.string(),
  reason: z.string(),
  heals: z.enum(['never', 'later']),
  effect: z.enum(['left-out', 'degraded']),
  certificate: z.string().exactOptional(),
}) satisfies z.ZodType<Fault>;

/** A spec the engine has taken on, and how far it got with it. */
export const HeldSpec = z.object({
  spec: LoadBalancerSpec,
  /** `refused`: nothing of this spec is in force, an earlier one may be. */
  outcome: z.enum(['applied', 'refused']),
  faults: z.array(StoredFault),
});
export type HeldSpec = z.infer<typeof HeldSpec>;

/**
 * Keeps the spec over restarts and power failures. Throws what the file system says; what is there already needs no room, so
 * that an agent can take over what it serves while the disk is full.
 */
export async function storeSpec(paths: UnitPaths, held: HeldSpec): Promise<void> {
  const text = JSON.stringify(held);
  if ((await readIfPresent(paths.spec)) === text) return;
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  await writeAtomically(paths.spec, text, true);
}

/** The stored spec; null if there is none or it cannot be read (then the controller will send it again). */
export async function loadSpec(paths: UnitPaths): Promise<HeldSpec | null> {
  try {
    const text = await readIfPresent(paths.spec);
    return text === null ? null : HeldSpec.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

export async function forgetSpec(paths: UnitPaths): Promise<void> {
  await rm(paths.directory, { recursive: true, force: true });
}

/** The ids of all load balancers that have files here. */
export async function listStored(stateDir: string): Promise<string[]> {
  const entries = await readdir(loadBalancersDirectory(stateDir), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Creates the directories an agent needs. Throws what the file system says. */
export async function prepareDirectories(stateDir: string, runDir: string): Promise<void> {
  for (const directory of [stateDir, loadBalancersDirectory(stateDir), runDir]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
}

/** Where an agent leaves its own identity, so that two of them never serve the same directory. */
export function agentRecord(stateDir: string): string {
  return join(stateDir, 'agent.json');
}
