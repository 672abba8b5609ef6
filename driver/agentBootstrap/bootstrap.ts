import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { EngineIdentity, readIdentity } from './identity';
import { configureManagementNic, readManagementNic } from './managementNic';
import type { Source } from './source';

export interface BootstrapDeps {
  /** In the order in which they are asked. */
  readonly sources: readonly Source[];
  /** Keeps what was read, for starts at which no source answers. */
  readonly stateDir: string;
  readonly log: Logger;
  /** Ends the search. */
  readonly signal: AbortSignal;
  /** Milliseconds between two rounds: the first pause, which doubles up to the longest. */
  readonly pause?: { readonly first: number; readonly longest: number };
}

const PAUSE = { first: 1_000, longest: 15_000 };
const FILES = ['meta_data.json', 'network_data.json'] as const;
const KEPT = 'identity.json';

/**
 * Finds out whose server this is, sees that its management NIC has an address, and keeps what it has read: at a later
 * start that is enough. Nova's word goes before what is kept, which may be a copy of another engine's disk. A server that
 * is told nothing goes on asking, and logs with every round what is missing. Undefined once the signal ends it.
 */
export async function bootstrap(deps: BootstrapDeps): Promise<EngineIdentity | undefined> {
  const { log, signal, stateDir, pause = PAUSE } = deps;
  for (let wait = pause.first; !signal.aborted; wait = Math.min(2 * wait, pause.longest)) {
    const { identity, missing } = await askAll(deps);
    if (identity) {
      await keep(stateDir, identity);
      return identity;
    }
    const kept = await readKept(stateDir);
    if (kept) {
      log.info(
        { engine: kept.engineId, missing },
        'nobody tells this engine who it is; it goes by what it was told before',
      );
      return kept;
    }
    log.warn(
      { missing, retryAfter: wait / 1000 },
      'this engine does not know who it is and whom to call; it asks again',
    );
    await sleep(wait, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

interface Round {
  readonly identity?: EngineIdentity;
  readonly missing: readonly string[];
}

async function askAll({ sources, log }: BootstrapDeps): Promise<Round> {
  const missing: string[] = [];
  for (const source of sources) {
    try {
      const [metaData, networkData] = await source.read(FILES);
      // Before anything that may fail: without an address nobody can be called.
      if (networkData !== undefined) await seeToManagementNic(networkData, log);
      if (metaData === undefined) throw new Error(`${source.name} has no ${FILES[0]}`);
      const identity = readIdentity(metaData);
      log.info({ engine: identity.engineId, source: source.name }, 'this engine knows who it is');
      return { identity, missing };
    } catch (error) {
      missing.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { missing };
}

/** One that cannot be configured is no reason to give up: it may be reached all the same. */
async function seeToManagementNic(networkData: string, log: Logger): Promise<void> {
  try {
    const nic = readManagementNic(networkData);
    const given = nic ? await configureManagementNic(nic) : [];
    if (given.length > 0) log.info({ addresses: given }, 'the management NIC has its addresses now');
  } catch (err) {
    log.warn({ err }, 'the management NIC could not be given its addresses');
  }
}

async function readKept(stateDir: string): Promise<EngineIdentity | undefined> {
  try {
    return EngineIdentity.parse(JSON.parse(await readFile(join(stateDir, KEPT), 'utf8')));
  } catch {
    return undefined;
  }
}

/** With its token: nobody else may read it. */
async function keep(stateDir: string, identity: EngineIdentity): Promise<void> {
  await mkdir(stateDir, { recursive: true });
  const path = join(stateDir, KEPT);
  await writeFile(`${path}.new`, JSON.stringify(identity), { mode: 0o600 });
  await chmod(`${path}.new`, 0o600);
  await rename(`${path}.new`, path);
}
