import type { Logger } from 'pino';
import { type Db, inTransaction } from '../db/connect';
import { type EngineConnection, listSilentEngines, recordHeartbeats, silenceEngine } from '../db/engineConnections';
import { recordEvents } from '../db/events';
import { listHeard } from '../db/masterships';
import type { Connections, EngineLink } from './connections';
import type { HealthSettings } from './settings';
import { watchForStorm } from './storm';

/**
 * Who is alive. An engine that is not heard of for `heartbeatTimeout` is silent, whether its socket is open or not; one that
 * its neighbours on the data network miss, too, needs to be late by two heartbeats alone.
 */
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
  readonly settings: Pick<HealthSettings, 'heartbeatInterval' | 'heartbeatTimeout' | 'startGrace' | 'flushInterval'>;
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
  /** Ended for their silence: noted as absent before they close. */
  const ended = new WeakSet<EngineLink>();
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

  const silenceAll = createSilencing(deps, absent);
  return {
    arrived(link) {
      absent.delete(link.engineId);
      trustFrom = Math.max(trustFrom, storm.arrived() ?? trustFrom);
    },
    left(link) {
      if (!ended.has(link)) absent.set(link.engineId, absenceOf(link));
    },
    async check() {
      forgiveOwnPause();
      const missed = new Set(await listMissed(deps));
      const isOver = (link: EngineLink): boolean => isSilent(link) || missed.has(link);
      for (const link of connections.all().filter(isOver)) {
        ended.add(link);
        absent.set(link.engineId, absenceOf(link));
        link.terminate();
      }
      const all = new Set([...missed].map(({ engineId }) => engineId));
      await silenceAll([...absent.values()].filter((one) => isSilent(one) || all.has(one.engineId)));
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

type Silencing = (engines: readonly Named[]) => Promise<void>;

/** Marks engines as silent; who was absent until then is not any more. */
function createSilencing(deps: LivenessDeps, absent: Map<string, Absence>): Silencing {
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
  // All of them before anything follows from it: how many they are matters.
  return async (engines) => {
    const silenced: Silenced[] = [];
    for (const engine of engines) silenced.push(...[await trySilence(engine)].filter((it) => it !== undefined));
    if (silenced.length === 0) return;
    await deps
      .heal?.()
      .catch((err: unknown) => deps.log.warn({ err }, 'what was lost could not be healed; tried again'));
    for (const { engineId, loadBalancerIds } of silenced) await deps.onSilent(engineId, loadBalancerIds);
  };
}

function absenceOf({ engineId, epoch, engineName, lastSeen }: EngineLink): Absence {
  return { engineId, epoch, engineName, lastSeen };
}

/**
 * Connections that are late by two heartbeats, of engines that all who would hear them miss: hung, or gone with their hosts.
 * An agent that is only started again ends its connection, and is given all the time. A database that is away says nothing.
 */
async function listMissed({ db, log, connections, settings, now }: LivenessDeps): Promise<readonly EngineLink[]> {
  const isLate = ({ lastSeen }: EngineLink): boolean => now() - lastSeen > 2 * settings.heartbeatInterval;
  const late = connections.all().filter(isLate);
  if (late.length === 0) return [];
  try {
    const heard = await listHeard(
      db,
      late.map(({ engineId }) => engineId),
    );
    return late.filter((link) => heard.get(link.engineId) === false && isLate(link));
  } catch (err) {
    log.info({ err }, 'the neighbours of engines that are late could not be asked after');
    return [];
  }
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
