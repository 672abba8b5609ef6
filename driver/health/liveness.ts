import type { Logger } from 'pino';
import { type Db, inTransaction } from '../db/connect';
import { type EngineConnection, listSilentEngines, recordHeartbeats, silenceEngine } from '../db/engineConnections';
import { recordEvents } from '../db/events';
import type { Connections, EngineLink } from './connections';
import type { HealthSettings } from './settings';
import { watchForStorm } from './storm';

/** Who is alive. An engine that is not heard of for `heartbeatTimeout` is silent, whether its socket is open or not. */
export interface Liveness {
  /** The engine has a connection here. */
  arrived(link: EngineLink): void;
  /** Its connection has ended: it may come back in time, here or elsewhere. */
  left(link: EngineLink): void;
  /** To be called every so often, at least a few times within `heartbeatTimeout`. */
  check(): Promise<void>;
  /** Writes what was heard, finds connections that are not the newest any more, and engines nobody hears of. */
  flush(): Promise<void>;
}

export interface LivenessDeps {
  readonly db: Db;
  readonly log: Logger;
  /** This health-manager. */
  readonly id: string;
  readonly settings: Pick<HealthSettings, 'heartbeatTimeout' | 'startGrace' | 'flushInterval'>;
  readonly connections: Connections;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Engines were silenced: what was lost with them is to be healed, or it is to be seen that too much was. */
  readonly heal?: () => Promise<void>;
  /** The engine was silenced: its load balancers are to be looked at. */
  readonly onSilent: (engineId: string, loadBalancerIds: readonly string[]) => Promise<void>;
}

type Named = EngineConnection & { readonly engineName?: string };

interface Silenced {
  readonly engineId: string;
  /** Of what is placed on it. */
  readonly loadBalancerIds: readonly string[];
}

interface Absence extends EngineConnection {
  readonly engineName: string;
  readonly lastSeen: number;
}

export function createLiveness(deps: LivenessDeps): Liveness {
  const { connections, settings, now } = deps;
  const absent = new Map<string, Absence>();
  let checkedAt = now();
  /** Before this nothing in the database says that an engine is silent: nobody may have been there to write it. */
  let trustFrom = now() + settings.startGrace;
  const storm = watchForStorm(now, settings.startGrace);

  const forgiveOwnPause = (): void => {
    const pause = now() - checkedAt;
    checkedAt = now();
    if (pause < settings.heartbeatTimeout / 2) return;
    // This process was held up, so that it heard nobody: that is not the engines' silence.
    for (const link of connections.all()) link.lastSeen += pause;
    for (const [id, absence] of absent) absent.set(id, { ...absence, lastSeen: absence.lastSeen + pause });
  };
  const isSilent = ({ lastSeen }: { lastSeen: number }): boolean => now() - lastSeen > settings.heartbeatTimeout;

  const silence = async (engine: Named): Promise<Silenced | undefined> => {
    const silenced = await inTransaction(deps.db, async (trx) => {
      const result = await silenceEngine(trx, engine);
      if (result?.wentDown) await recordEvents(trx, [downEvent(engine)], { engineId: engine.engineId });
      return result;
    });
    absent.delete(engine.engineId);
    return silenced && { engineId: engine.engineId, loadBalancerIds: silenced.loadBalancerIds };
  };
  const trySilence = (engine: Named): Promise<Silenced | undefined> =>
    silence(engine).catch((err: unknown) => {
      deps.log.warn({ err, engine: engine.engineId }, 'a silent engine could not be marked; tried again');
      return undefined;
    });
  /** All of them before anything follows from it: how many they are matters. */
  const silenceAll = async (engines: readonly Named[]): Promise<void> => {
    const silenced: Silenced[] = [];
    for (const engine of engines) silenced.push(...[await trySilence(engine)].filter((it) => it !== undefined));
    if (silenced.length === 0) return;
    await deps
      .heal?.()
      .catch((err: unknown) => deps.log.warn({ err }, 'what was lost could not be healed; tried again'));
    for (const { engineId, loadBalancerIds } of silenced) await deps.onSilent(engineId, loadBalancerIds);
  };
  return {
    arrived(link) {
      absent.delete(link.engineId);
      trustFrom = Math.max(trustFrom, storm.arrived() ?? trustFrom);
    },
    left(link) {
      const { engineId, epoch, engineName, lastSeen } = link;
      absent.set(engineId, { engineId, epoch, engineName, lastSeen });
    },
    async check() {
      forgiveOwnPause();
      for (const link of connections.all()) if (isSilent(link)) link.terminate();
      await silenceAll([...absent.values()].filter(isSilent));
    },
    async flush() {
      try {
        await flushHeard(deps);
        if (now() < trustFrom) return;
        const silent = await listSilentEngines(deps.db, databaseTimeout(settings));
        await silenceAll(silent.filter(({ engineId }) => !connections.get(engineId)?.open));
      } catch (err) {
        trustFrom = now() + settings.startGrace;
        deps.log.warn({ err }, 'heartbeats could not be written');
      }
    },
  };
}

/** Seconds. What was heard reaches the database up to two flushes later. */
function databaseTimeout({ heartbeatTimeout, flushInterval }: LivenessDeps['settings']): number {
  return (heartbeatTimeout + 2 * flushInterval) / 1000;
}

async function flushHeard({ db, id, connections, now, settings }: LivenessDeps): Promise<void> {
  const heard = connections.all().filter(({ lastSeen }) => now() - lastSeen <= settings.heartbeatTimeout);
  const superseded = await recordHeartbeats(db, id, heard);
  for (const { engineId, epoch } of superseded) {
    const link = connections.get(engineId);
    if (link?.epoch === epoch) link.close('a newer connection of this engine came in');
  }
}

function downEvent({ engineId, engineName }: { engineId: string; engineName?: string }) {
  return {
    name: 'ENGINE_DOWN',
    severity: 'error' as const,
    message: `service engine ${engineName ?? engineId} is silent`,
  };
}
