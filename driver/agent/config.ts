import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { RenderSettings } from './haproxy/render';

/** What an agent is started with. */
export interface AgentConfig {
  /** The engine's id, by which the controller knows it. */
  readonly engineId: string;
  /** `ws://` or `wss://` URLs of the controller's engine port; one of them is used at a time. */
  readonly controllers: readonly string[];
  /** What proves the engine's identity: at every connection, or once, to get a certificate. */
  readonly token: string;
  /** SHA-256 of the certificate of the controllers' CA, hex. With it nothing but mutual TLS is spoken. */
  readonly caFingerprint?: string;
  /** Survives restarts: accepted specs, rendered configurations, counters. Absolute. */
  readonly stateDir: string;
  /** For unix sockets: short, at most 60 bytes. Absolute. */
  readonly runDir: string;
  /** For private keys: on a tmpfs. Default: in `runDir` if that is on one, else below /dev/shm. Absolute. */
  readonly materialsDir?: string;
  /** Of haproxy, where it has Lua: `RenderSettings.napScript`. */
  readonly napScript?: string;
  /** Default: `haproxy`, by PATH. */
  readonly haproxyPath?: string;
  /** Default: `nginx`, by PATH and where Debian has daemons. */
  readonly nginxPath?: string;
  /** Default: `bird`, by PATH and where Debian has daemons. */
  readonly birdPath?: string;
  /** The machine is the agent's own: it makes namespaces and moves NICs as it is told. False by default. */
  readonly managesNetworks?: boolean;
  /** How the program that checks members of UDP pools from within a namespace is started. Default: the one built beside. */
  readonly checkerCommand?: readonly string[];
}

/** The files of one load balancer. */
export interface UnitPaths {
  readonly directory: string;
  readonly spec: string;
  readonly config: string;
  readonly candidate: string;
  readonly process: string;
  /** Who of its workers is finishing connections. */
  readonly retired: string;
  readonly counters: string;
  readonly serverState: string;
  readonly log: string;
  readonly masterSocket: string;
  readonly peerSocket: string;
  /** The agent's own, shared by all load balancers. */
  readonly metricsSocket: string;
  readonly logSocket: string;
  readonly napScript?: string;
  workerSocket(sequence: number): string;
  /** Private keys and certificates; on a tmpfs. */
  readonly materials: string;
  /** The certificates of one worker. */
  tlsDirectory(sequence: number): string;
}

/** A unix socket's path may have 107 bytes, and haproxy binds it under a temporary name that is longer. */
const LONGEST_SOCKET_PATH = 85;

export function loadBalancersDirectory(stateDir: string): string {
  return join(stateDir, 'lb');
}

/** Where the files of a load balancer are. The id must be usable as a file name. */
export function unitPaths(config: AgentConfig, loadBalancerId: string): UnitPaths {
  const directory = join(loadBalancersDirectory(config.stateDir), loadBalancerId);
  // Sixteen digits of a hash: a UUID would take 36 bytes of a path that has few.
  const short = createHash('sha256').update(loadBalancerId).digest('hex').slice(0, 16);
  const socket = (suffix: string) => join(config.runDir, `${short}.${suffix}`);
  const materials = join(config.materialsDir ?? join(config.runDir, 'tls'), short);
  return {
    directory,
    spec: join(directory, 'spec.json'),
    config: join(directory, 'haproxy.cfg'),
    candidate: join(directory, 'candidate.cfg'),
    process: join(directory, 'process.json'),
    retired: join(directory, 'retired.json'),
    counters: join(directory, 'counters.json'),
    serverState: join(directory, 'servers.state'),
    log: join(directory, 'haproxy.log'),
    masterSocket: socket('m'),
    peerSocket: socket('p'),
    metricsSocket: metricsSocket(config),
    logSocket: logSocket(config),
    ...(config.napScript !== undefined && { napScript: config.napScript }),
    workerSocket: (sequence) => socket(`w${sequence}`),
    materials,
    tlsDirectory: (sequence) => join(materials, `w${sequence}`),
  };
}

/** Where the agent answers what PROMETHEUS listeners are asked. */
export function metricsSocket({ runDir }: AgentConfig): string {
  return join(runDir, 'metrics');
}

/** Where the agent takes lines of connections that go to files. */
export function logSocket({ runDir }: AgentConfig): string {
  return join(runDir, 'lines');
}

/** Throws if sockets in this directory would have paths that are too long. */
export function checkRunDirectory(runDir: string): void {
  const longest = Buffer.byteLength(join(runDir, `${'0'.repeat(16)}.w999999`));
  if (longest <= LONGEST_SOCKET_PATH) return;
  const allowed = LONGEST_SOCKET_PATH - (longest - Buffer.byteLength(runDir));
  throw new Error(
    `the run directory ${runDir} is too long for unix sockets: at most ${allowed} bytes, e.g. /run/slipstream`,
  );
}

const MOST_CONNECTIONS = 20_000;
const MOST_THREADS = 8;

/** The settings of a load balancer's haproxy: as many connections as the limit of open files allows, two files each. */
export function renderSettings(paths: UnitPaths, sequence: number): RenderSettings {
  const files = openFileLimit();
  const reserve = Math.min(3000, Math.floor(files / 4));
  return {
    workerSocket: paths.workerSocket(sequence),
    peerSocket: paths.peerSocket,
    metricsSocket: paths.metricsSocket,
    logSocket: paths.logSocket,
    ...(paths.napScript !== undefined && { napScript: paths.napScript }),
    serverStateFile: paths.serverState,
    keptDirectory: paths.directory,
    tlsDirectory: paths.tlsDirectory(sequence),
    maxConnections: Math.min(MOST_CONNECTIONS, Math.floor((files - reserve) / 2)),
    threads: Math.min(MOST_THREADS, availableParallelism()),
  };
}

/** How many files a process of this engine may open. */
export function openFileLimit(): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  const limit = Number(hard);
  return Number.isFinite(limit) ? limit : 2 * MOST_CONNECTIONS + 4000;
}
