import { join } from 'node:path';
import { z } from 'zod';
import { EngineSpec } from '../../protocol/engineSpec';
import { readIfPresent, writeAtomically } from '../state/files';

/** What survives an agent: what it was last told, and the namespaces that may be there, by domain. */
const Stored = z.object({
  spec: EngineSpec.nullable(),
  namespaces: z.record(z.string(), z.string()),
});
export type Stored = z.infer<typeof Stored>;

/** Nothing if there is no file or it cannot be read: then the controller tells it again. */
export async function loadNetworks(stateDir: string): Promise<Stored> {
  try {
    const text = await readIfPresent(fileOf(stateDir));
    return text === null ? { spec: null, namespaces: {} } : Stored.parse(JSON.parse(text));
  } catch {
    return { spec: null, namespaces: {} };
  }
}

/**
 * Throws what the file system says, unless what cannot be written is no more than a newer spec: namespaces must not be
 * forgotten, a spec is told again. What is there already needs no room.
 */
export async function storeNetworks(stateDir: string, content: Stored): Promise<void> {
  const held = await loadNetworks(stateDir);
  if (JSON.stringify(held) === JSON.stringify(content)) return;
  try {
    await writeAtomically(fileOf(stateDir), JSON.stringify(content), true);
  } catch (error) {
    const known = Object.entries(content.namespaces).every(([id, name]) => held.namespaces[id] === name);
    if (!known) throw error;
  }
}

function fileOf(stateDir: string): string {
  return join(stateDir, 'networks.json');
}
