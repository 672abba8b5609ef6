import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ProcessName } from '../../driver/cli/processes';
import { freePorts } from './freePorts';
import { waitUntil } from './wait';

/** One process of the service, as an operator starts it. */
export interface Controller {
  readonly name: ProcessName;
  /** Where it serves; of an API, its API. */
  readonly url: string;
  /** Where it serves `/healthcheck` and `/metrics`. */
  readonly telemetryUrl: string;
  readonly pid: number;
  /** Its log so far. */
  output(): string;
  /** SIGTERM, or the signal given; resolves with its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** The processes of one site, in any number, on one database and one broker. */
export interface Controllers {
  start(name: ProcessName): Promise<Controller>;
  /** Stops all that still run and removes what they wrote. */
  dispose(): Promise<void>;
}

export interface ControllersOptions {
  /** Migrated. */
  readonly databaseUrl: string;
  readonly transportUrl: string;
  /** More of the configuration, whole sections; the no-op drivers and noauth are given. */
  readonly config?: string;
}

const CLI = path.resolve(__dirname, '../../dist/driver/cli.js');
const START_TIMEOUT = 60_000;

/** What each says once it does its work. */
const UP: Readonly<Record<ProcessName, string>> = {
  api: 'the API is up',
  worker: 'the worker is up',
  'health-manager': 'the health-manager is up',
  housekeeping: 'housekeeping is up',
  'driver-agent': 'the driver agent is up',
};

export function createControllers(options: ControllersOptions): Controllers {
  const folder = mkdtempSync(path.join(tmpdir(), 'ss-controllers-'));
  const running: Controller[] = [];
  let count = 0;
  return {
    async start(name) {
      count += 1;
      const controller = await startController(path.join(folder, `${count}-${name}`), name, options);
      running.push(controller);
      return controller;
    },
    async dispose() {
      await Promise.all(running.map((it) => it.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startController(base: string, name: ProcessName, options: ControllersOptions): Promise<Controller> {
  const [port = 0, metricsPort = 0] = await freePorts(2);
  const configFile = `${base}.conf`;
  writeFileSync(configFile, configuration(options, { port, metricsPort }));
  const child = spawnLogged([CLI, name, '--config-file', configFile], `${base}.log`);
  const output = (): string => (existsSync(`${base}.log`) ? readFileSync(`${base}.log`, 'utf8') : '');
  await waitUntil(`${name} is up`, START_TIMEOUT, () => {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}:\n${output()}`);
    return output().includes(UP[name]);
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    name,
    url,
    telemetryUrl: name === 'api' ? url : `http://127.0.0.1:${metricsPort}`,
    pid: child.pid ?? 0,
    output,
    stop: (signal = 'SIGTERM') => end(child, signal),
  };
}

function configuration(
  { databaseUrl, transportUrl, config = '' }: ControllersOptions,
  { port, metricsPort }: { port: number; metricsPort: number },
): string {
  return [
    `[DEFAULT]\ntransport_url = ${transportUrl}`,
    `[database]\nconnection = ${databaseUrl}`,
    `[api_settings]\nauth_strategy = noauth\nbind_port = ${port}`,
    `[controller_worker]\nnetwork_driver = noop\ncompute_driver = noop\nmetrics_port = ${metricsPort}`,
    `[health_manager]\nbind_port = ${port}\nmetrics_port = ${metricsPort}`,
    `[house_keeping]\nmetrics_port = ${metricsPort}`,
    config,
    '',
  ].join('\n');
}

/** A child that the kernel ends with this process, even if that is killed. */
function spawnLogged(args: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, 'a');
  const stdio = ['ignore', log, log] as const;
  const setpriv = '/usr/bin/setpriv';
  if (!existsSync(setpriv)) return spawn(process.execPath, args, { stdio: [...stdio] });
  return spawn(setpriv, ['--pdeathsig', 'KILL', process.execPath, ...args], { stdio: [...stdio] });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return ended;
}
