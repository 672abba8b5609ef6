import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { version as agentVersion } from '../../package.json';
import { PROTOCOL_VERSIONS } from '../protocol/messages';
import { type AgentConfig, checkRunDirectory, logSocket, metricsSocket } from './config';
import { type Link, openLink } from './link/controllerLink';
import { openMetricsServer } from './metrics/server';
import { createNginxFinder } from './nginx/find';
import { haproxyVersion } from './process/checkConfig';
import { identify, isAlive, ProcessIdentity, signal } from './process/identity';
import { openEngine } from './serve/engine';
import { openLogFiles } from './serve/logFiles';
import { findPing } from './serve/pinger';
import { createSlots } from './serve/slots';
import { writeAtomically } from './state/files';
import { closeMaterialsHome, openMaterialsHome } from './state/memoryDirectory';
import { agentRecord, prepareDirectories } from './state/specStore';

export type { AgentConfig } from './config';

/** An agent at work. */
export interface RunningAgent {
  /** `keepServing`: its haproxies stay, for the next agent to take over; else they are ended. */
  stop(options: { keepServing: boolean }): Promise<void>;
}

/** haproxies that are checked, started or reloaded at a time. */
const SLOTS = 4;
/** Milliseconds the controller is left waiting while what was stored is taken over; the rest of it comes after. */
const LONGEST_RECOVERY = 3000;

/**
 * Starts a Service Engine's agent: it takes over what an earlier agent left, serves what is stored, and dials the
 * controller; all of that goes on in the background. Throws if haproxy is missing or a directory cannot be used. An earlier
 * agent of the same state directory that still lives is ended.
 */
export async function runAgent(config: AgentConfig, { log }: { log: Logger }): Promise<RunningAgent> {
  checkRunDirectory(config.runDir);
  await prepareDirectories(config.stateDir, config.runDir);
  await takeOver(config.stateDir, log);
  const home = await openMaterialsHome(config);
  if (home.problem !== null) log.warn({ problem: home.problem }, 'no certificates can be served');
  const haproxyPath = config.haproxyPath ?? 'haproxy';
  const daemons: Record<string, string> = { haproxy: await haproxyVersion(haproxyPath) };
  const findNginx = createNginxFinder(config.nginxPath);
  const nginx = await findNginx();
  if ('problem' in nginx) log.warn({ problem: nginx.problem }, 'no UDP listeners can be served');
  else daemons['nginx'] = nginx.version;
  const bootId = randomUUID();

  let link: Link | null = null;
  const engine = await openEngine(
    {
      config: { ...config, materialsDir: home.directory },
      materialsHome: home,
      haproxyPath,
      findNginx,
      log,
      slots: createSlots(SLOTS),
      ping: findPing(),
      onReport: () => link?.reportChanged(),
    },
    {
      acknowledge: (ack) => link?.acknowledge(ack),
      event: (name, loadBalancerId, message) => {
        log.warn({ event: name, loadBalancer: loadBalancerId }, message);
        link?.event(name, loadBalancerId, message);
      },
    },
  );
  const logFiles = await openLogFiles(logSocket(config), engine.logFile, log);
  const metrics = await openMetricsServer(metricsSocket(config), engine.metrics, log);
  // The first heartbeat is taken for complete.
  await Promise.race([engine.recovered, sleep(LONGEST_RECOVERY, undefined, { ref: false })]);
  const { engineId, token, controllers } = config;
  const versions = [...PROTOCOL_VERSIONS];
  link = openLink({
    controllers,
    log,
    engine,
    random: Math.random,
    hello: () => ({
      type: 'hello',
      versions,
      engineId,
      token,
      bootId,
      agentVersion,
      daemons,
      held: engine.held(),
      managesNetworks: false,
      networksDigest: null,
    }),
  });
  return {
    async stop(options) {
      link?.close();
      await metrics.close();
      await engine.stop(options);
      await logFiles.close();
      if (!options.keepServing) await closeMaterialsHome(home);
    },
  };
}

/** Two agents on one directory would fight over it. The newer one wins: the older may have lost its parent. */
async function takeOver(stateDir: string, log: Logger): Promise<void> {
  const path = agentRecord(stateDir);
  const earlier = await readIdentity(path);
  const self = identify(process.pid);
  if (earlier !== null && earlier.pid !== process.pid && isAlive(earlier)) {
    log.warn({ pid: earlier.pid }, 'an earlier agent still serves this state directory: ending it');
    signal(earlier, 'SIGKILL');
    while (isAlive(earlier)) await sleep(10);
  }
  await writeAtomically(path, JSON.stringify(self), false);
}

async function readIdentity(path: string): Promise<ProcessIdentity | null> {
  try {
    return ProcessIdentity.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}
