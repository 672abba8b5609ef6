import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { ComputeDriver, Server, ServerRequest } from './port';
import { findProcesses, isAlive, type ProcessIdentity, signalProcess } from './processes';
import { AGENT_CONFIG_VARIABLE, listServerDirectories, openServerFiles, type ServerFiles } from './serverFiles';
import { createSupervisor, DEFAULT_TIMINGS, type Supervisor, type SupervisorTimings } from './supervisor';

export interface LocalComputeDeps {
  /** Program and arguments of an agent, which finds its file by the environment variable SLIPSTREAM_AGENT_CONFIG. */
  readonly command: readonly [string, ...string[]];
  /** Holds a directory for each server. */
  readonly stateDir: string;
  /** Holds a directory of Unix sockets for each server, its name 9 bytes longer: keep it short, the agent takes up to 60. */
  readonly runDir: string;
  /** WebSocket URLs of the controllers of this site; servers of an earlier start are told anew. */
  readonly controllers: readonly string[];
  /** Of their CA; absent where they speak in clear. */
  readonly caFingerprint?: string | undefined;
  /** Default: `haproxy`, by PATH. */
  readonly haproxyPath?: string;
  readonly log: Logger;
  /** Further environment of the agents. */
  readonly env?: NodeJS.ProcessEnv;
  readonly timings?: Partial<SupervisorTimings>;
  /** Bytes of an agent's log before it is cut; one older part of the same size is kept. */
  readonly maxLogBytes?: number;
}

/**
 * Servers that are agent processes on this host. The contract with an agent: SIGTERM means "end what you run, then
 * yourself"; whatever else ends an agent (SIGKILL above all) leaves its haproxies serving, and the next agent with the
 * same state directory takes them over. Agents outlive a killed site; the next one adopts them.
 */
export interface LocalCompute extends ComputeDriver {
  /**
   * Ends the supervision. `keepServing` leaves the agents and all they run as they are, for the next start; otherwise
   * they end. The servers themselves stay known either way.
   */
  stop(options: { readonly keepServing: boolean }): Promise<void>;
}

interface LocalServer {
  readonly engineId: string;
  readonly name: string;
  readonly files: ServerFiles;
  readonly supervisor: Supervisor;
}

const LOG_CHECK_INTERVAL = 10_000;

/** Takes up the servers of earlier starts: adopts the agents that live, starts the others. @throws Error when the directory cannot be used */
export async function openLocalCompute(deps: LocalComputeDeps): Promise<LocalCompute> {
  const servers = new Map<string, LocalServer>();
  for (const engineId of listServerDirectories(deps.stateDir)) {
    const server = await resumeServer(deps, engineId);
    if (server) servers.set(engineId, server);
  }
  const logCheck = setInterval(() => boundLogs(servers, deps), LOG_CHECK_INTERVAL).unref();

  return {
    bootsNothing: false,
    listServers: async () => [...servers.values()].map(describe),
    async createServer(request) {
      const known = servers.get(request.engineId);
      const server = known ?? addServer(deps, request);
      servers.set(request.engineId, server);
      if (known) await retell(known, request);
      else server.supervisor.start();
      return describe(server);
    },
    async deleteServer(id) {
      const server = servers.get(id);
      if (!server) return;
      await server.supervisor.end();
      server.files.removeAll();
      servers.delete(id);
    },
    async stop({ keepServing }) {
      clearInterval(logCheck);
      const all = [...servers.values()].map(({ supervisor }) => supervisor);
      if (keepServing) for (const supervisor of all) supervisor.abandon();
      else await Promise.all(all.map((supervisor) => supervisor.end()));
    },
  };
}

function describe({ engineId, name, supervisor }: LocalServer): Server {
  const status = supervisor.isRunning() ? 'ACTIVE' : 'BUILD';
  return { id: engineId, engineId, name, status, managementAddress: '127.0.0.1', host: hostname() };
}

function addServer(deps: LocalComputeDeps, request: ServerRequest): LocalServer {
  const { engineId, name, token, controllers, caFingerprint } = request;
  const files = openServerFiles({ ...deps, engineId });
  files.writeConfig({ token, controllers, caFingerprint });
  files.writeRecord({ engineId, name });
  return assemble(deps, { engineId, name, files });
}

/** A directory without a complete record is of a creation that was cut short; whoever wanted it asks again. */
async function resumeServer(deps: LocalComputeDeps, engineId: string): Promise<LocalServer | undefined> {
  const files = openServerFiles({ ...deps, engineId });
  const record = files.readRecord();
  const config = files.readConfig();
  if (!record || !config) return undefined;

  files.writeConfig({ token: config.token, controllers: deps.controllers, caFingerprint: deps.caFingerprint });
  const server = assemble(deps, { engineId, name: record.name, files });
  const process = findAgent(deps, files, record.process);
  if (!process) {
    server.supervisor.start();
    return server;
  }
  deps.log.info({ engine: engineId, pid: process.pid }, 'an agent of an earlier start is adopted');
  server.supervisor.adopt(process);
  if (record.digest !== files.digestConfig()) await server.supervisor.replace();
  return server;
}

/** The agent that runs for these files; of several, which only a crash at the wrong moment leaves, the recorded one or else the first stays. */
function findAgent(
  { command }: LocalComputeDeps,
  { configPath }: ServerFiles,
  recorded: ProcessIdentity | undefined,
): ProcessIdentity | undefined {
  const running = findProcesses(command, `${AGENT_CONFIG_VARIABLE}=${configPath}`);
  const kept = recorded && isAlive(recorded) ? recorded : running[0];
  for (const process of running) if (process.pid !== kept?.pid) signalProcess(process, 'SIGKILL');
  return kept;
}

function assemble(
  { command, env, log, timings }: LocalComputeDeps,
  { engineId, name, files }: Omit<LocalServer, 'supervisor'>,
): LocalServer {
  const supervisor = createSupervisor({
    command,
    env: { ...process.env, ...env, [AGENT_CONFIG_VARIABLE]: files.configPath },
    logPath: files.logPath,
    log: log.child({ engine: engineId }),
    timings: { ...DEFAULT_TIMINGS, ...timings },
    onStarted: (started) =>
      files.writeRecord({ engineId, name, process: { ...started }, digest: files.digestConfig() }),
  });
  return { engineId, name, files, supervisor };
}

/** Gives a known server a new token or new controllers, if they are new. */
async function retell(
  { files, supervisor }: LocalServer,
  { token, controllers, caFingerprint }: ServerRequest,
): Promise<void> {
  const before = files.digestConfig();
  files.writeConfig({ token, controllers, caFingerprint });
  if (files.digestConfig() !== before) await supervisor.replace();
}

function boundLogs(
  servers: ReadonlyMap<string, LocalServer>,
  { maxLogBytes = 5_000_000, log }: LocalComputeDeps,
): void {
  for (const { engineId, files } of servers.values()) {
    try {
      files.boundLog(maxLogBytes);
    } catch (err) {
      log.warn({ err, engine: engineId }, 'the log of an agent could not be cut');
    }
  }
}
