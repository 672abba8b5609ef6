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

/** Throws what the file system says. */
export async function storeNetworks(stateDir: string, content: Stored): Promise<void> {
  await writeAtomically(fileOf(stateDir), JSON.stringify(content), true);
}

function fileOf(stateDir: string): string {
  return join(stateDir, 'networks.json');
}
