import { join } from 'node:path';
import type { Logger } from 'pino';
import { NAP_SCRIPT } from '../haproxy/patience';
import { hasLua } from '../process/checkConfig';
import { writeAtomically } from './files';

/** Writes what haproxy is to load for its naps. Undefined when it cannot load it, or there is no room for it. */
export async function placeNapScript(stateDir: string, haproxyPath: string, log: Logger): Promise<string | undefined> {
  if (!(await hasLua(haproxyPath))) return undefined;
  const path = join(stateDir, 'nap.lua');
  try {
    await writeAtomically(path, NAP_SCRIPT, false);
    return path;
  } catch (err) {
    log.warn({ err }, 'clients known by a cookie of their application may be misled at reloads');
    return undefined;
  }
}
