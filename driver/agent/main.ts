import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { version as agentVersion } from '../../package.json';
import { type Hello, PROTOCOL_VERSIONS } from '../protocol/messages';
import { type AgentConfig, checkRunDirectory, logSocket, metricsSocket } from './config';
import { type Link, openLink } from './link/controllerLink';
import { openMetricsServer } from './metrics/server';
import { createNetworks, type Networks, type NetworksNotices, noNetworks } from './network/networks';
import { createNginxFinder } from './nginx/find';
import { haproxyVersion } from './process/checkConfig';
import { identify, isAlive, ProcessIdentity, signal } from './process/identity';
import { type Engine, openEngine } from './serve/engine';
import { openLogFiles } from './serve/logFiles';
import { findPing } from './serve/pinger';
import { createSlots } from './serve/slots';
import { writeAtomically } from './state/files';
import { closeMaterialsHome, openMaterialsHome } from './state/memoryDirectory';
import { agentRecord, prepareDirectories } from './state/specStore';
import { createChecker } from './udp/checker';

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
  const tools = await findTools(config, log);
  const bootId = randomUUID();

  let link: Link | null = null;
  let engine: Engine | null = null;
  const networks = await openNetworks(config, log, {
    acknowledge: (ack) => link?.acknowledge(ack),
    onReady: () => engine?.retry(),
  });
  const checker = createChecker(config.checkerCommand);
  const deps = { ...tools, materialsHome: home, log, slots: createSlots(SLOTS), networks, checker };
  engine = await openEngine(
    { ...deps, config: { ...config, materialsDir: home.directory }, onReport: () => link?.reportChanged() },
    {
      acknowledge: (ack) => link?.acknowledge(ack),
      event: (name, loadBalancerId, message) => {
        log.warn({ event: name, loadBalancer: loadBalancerId }, message);
        link?.event(name, loadBalancerId, message);
      },
    },
  );
  const logFiles = await openLogFiles(logSocket(config), engine.logTarget, log);
  const metrics = await openMetricsServer(metricsSocket(config), engine.metrics, log);
  // The first heartbeat is taken for complete.
  await Promise.race([engine.recovered, sleep(LONGEST_RECOVERY, undefined, { ref: false })]);
  const { controllers, engineId, token } = config;
  const running = { engine, networks };
  const hello = helloOf({ engineId, token, bootId, daemons: tools.daemons }, running);
  link = openLink({ controllers, log, ...running, random: Math.random, hello });
  return {
    async stop(options) {
      link?.close();
      await metrics.close();
      await running.engine.stop(options);
      await networks.stop(options);
      checker.stop();
      await logFiles.close();
      if (!options.keepServing) await closeMaterialsHome(home);
    },
  };
}

/** The daemons and commands of this machine. Throws if haproxy is missing. */
async function findTools({ haproxyPath = 'haproxy', nginxPath }: AgentConfig, log: Logger) {
  const daemons: Record<string, string> = { haproxy: await haproxyVersion(haproxyPath) };
  const findNginx = createNginxFinder(nginxPath);
  const nginx = await findNginx();
  if ('problem' in nginx) log.warn({ problem: nginx.problem }, 'no UDP listeners can be served');
  else daemons['nginx'] = nginx.version;
  return { daemons, haproxyPath, findNginx, ping: findPing() };
}

async function openNetworks(config: AgentConfig, log: Logger, notices: NetworksNotices): Promise<Networks> {
  const { managesNetworks, engineId, stateDir } = config;
  return managesNetworks ? createNetworks({ engineId, stateDir, log, notices }) : noNetworks;
}

type Self = Pick<Hello, 'engineId' | 'token' | 'bootId' | 'daemons'>;

/** What is said of this agent at each connection: what is held changes. */
function helloOf(self: Self, { engine, networks }: { engine: Engine; networks: Networks }): () => Hello {
  return () => ({
    type: 'hello',
    versions: [...PROTOCOL_VERSIONS],
    agentVersion,
    ...self,
    held: engine.held(),
    managesNetworks: networks.managed,
    networksDigest: networks.digest(),
  });
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
