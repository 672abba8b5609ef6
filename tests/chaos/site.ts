import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectDatabase, type Db } from '../../driver/db/connect';
import { type Daemon, waitUntilUp } from '../bench/processes';
import { freePorts } from '../support/freePorts';
import { type RabbitMq, startRabbitMq } from '../support/rabbitmq';
import { signalDaemon, startBound } from './daemons';
import { type ChaosDatabase, startChaosDatabase } from './database';
import { type EngineYard, openEngineYard } from './engineYard';

export type Role = 'api' | 'worker' | 'health-manager' | 'housekeeping';

/** One process of the site. */
export interface Actor {
  readonly role: Role;
  /** Of an API. */
  readonly url: string;
  readonly daemon: Daemon;
  /** Arms the fault it was started with. */
  arm(): void;
  pause(): void;
  resume(): void;
  kill(): Promise<void>;
  /** SIGTERM; waits until it has ended. */
  stop(): Promise<void>;
}

/** Where a worker ends or stops itself once armed: at the `point`-th statement, message or call from then on. */
export interface Fault {
  readonly point: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}

/** The whole control plane as separate processes on a database and a broker of its own, with engines that call it. */
export interface ChaosSite {
  readonly database: ChaosDatabase;
  readonly broker: RabbitMq;
  readonly yard: EngineYard;
  /** For looking at the rows. */
  readonly db: Db;
  /** Those that have not been ended by us. */
  actors(role: Role): readonly Actor[];
  start(role: Role, fault?: Fault): Promise<Actor>;
  /** The last lines of every process that ended by itself or said something bad. */
  logs(): string;
  dispose(): Promise<void>;
}

const ROOT = path.resolve(__dirname, '../..');
const CLI = path.join(ROOT, 'dist/driver/cli.js');
const ENTRY = path.join(ROOT, 'tests/chaos/process.ts');
const UP: Readonly<Record<Role, string>> = {
  api: 'the API is up',
  worker: 'the worker is up',
  'health-manager': 'the health-manager is up',
  housekeeping: 'housekeeping is up',
};

export interface SiteOptions {
  /** Seconds a worker owns what it reconciles; short, so that its loss is soon made good. */
  readonly leaseTime?: number;
  /** More of the configuration, whole sections. */
  readonly config?: string;
  /** Of every process. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function openChaosSite({
  leaseTime = 4,
  config = '',
  env: shared = {},
}: SiteOptions = {}): Promise<ChaosSite> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ss-chaos-'));
  mkdirSync(path.join(folder, 'db'));
  const [database, broker, yard] = await Promise.all([
    startChaosDatabase(path.join(folder, 'db')),
    startRabbitMq(),
    openEngineYard(),
  ]);
  const db = await connectDatabase(database.url, { maxPoolSize: 4 });
  const actors = new Set<Actor>();
  let count = 0;
  const tellEngines = (): void =>
    yard.callAt([...actors].filter(({ role }) => role === 'health-manager').map(({ url }) => url));

  const start = async (role: Role, fault?: Fault): Promise<Actor> => {
    count += 1;
    const base = path.join(folder, `${count}-${role}`);
    const [port = 0, metricsPort = 0] = await freePorts(2);
    const places = { databaseUrl: database.url, transportUrl: broker.url(), port, metricsPort, leaseTime };
    const text = configuration(role, places);
    writeFileSync(`${base}.conf`, `${text}\n${config}\n`);
    const env = {
      ...shared,
      CHAOS_YARD: yard.url,
      ...(fault && { CHAOS_POINT: String(fault.point), CHAOS_SIGNAL: fault.signal }),
    };
    const daemon = startBound([process.execPath, ...programOf(role, `${base}.conf`)], { logFile: `${base}.log`, env });
    await waitUntilUp(daemon, async () => daemon.output().includes(UP[role]));
    const actor = anActor(
      role,
      daemon,
      role === 'health-manager' ? `ws://127.0.0.1:${port}` : `http://127.0.0.1:${port}`,
      () => {
        actors.delete(actor);
        tellEngines();
      },
    );
    actors.add(actor);
    tellEngines();
    return actor;
  };
  return {
    database,
    broker,
    yard,
    db,
    actors: (role) => [...actors].filter((actor) => actor.role === role && !actor.daemon.hasEnded()),
    start,
    logs: () => [...actors].map(({ role, daemon }) => `--- ${role}\n${daemon.output().slice(-1500)}`).join('\n'),
    async dispose() {
      await Promise.all([...actors].map((actor) => actor.kill()));
      await yard.stop();
      await db.destroy();
      await Promise.all([broker.stop(), database.kill()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Whether its engines stand in the yard. */
function standsInYard(role: Role): boolean {
  return role === 'worker' || role === 'housekeeping';
}

/** What users start, but for the processes whose engines stand in the yard. */
function programOf(role: Role, configFile: string): string[] {
  if (standsInYard(role)) {
    return [path.join(ROOT, 'devstack/run-ts.cjs'), ENTRY, role, configFile];
  }
  return [CLI, role, '--config-file', configFile];
}

function anActor(role: Role, daemon: Daemon, url: string, onEnd: () => void): Actor {
  const end = (signal: NodeJS.Signals) => async (): Promise<void> => {
    onEnd();
    if (signal === 'SIGKILL' && !daemon.hasEnded()) process.kill(daemon.pid, 'SIGCONT');
    await signalDaemon(daemon, signal);
  };
  const send = (signal: NodeJS.Signals) => (): void => {
    if (!daemon.hasEnded()) process.kill(daemon.pid, signal);
  };
  return {
    role,
    url,
    daemon,
    arm: send('SIGUSR2'),
    pause: send('SIGSTOP'),
    resume: send('SIGCONT'),
    kill: end('SIGKILL'),
    stop: end('SIGTERM'),
  };
}

interface Places {
  readonly databaseUrl: string;
  readonly transportUrl: string;
  readonly port: number;
  readonly metricsPort: number;
  readonly leaseTime: number;
}

function configuration(role: Role, { databaseUrl, transportUrl, port, metricsPort, leaseTime }: Places): string {
  return [
    `[DEFAULT]\ntransport_url = ${transportUrl}`,
    '[oslo_messaging_rabbit]\nrabbit_retry_interval = 0.2\nrabbit_interval_max = 1',
    `[database]\nconnection = ${databaseUrl}`,
    `[api_settings]\nauth_strategy = noauth\nbind_port = ${port}`,
    `[controller_worker]\nnetwork_driver = noop\ncompute_driver = ${standsInYard(role) ? 'local' : 'noop'}\nmetrics_port = ${metricsPort}\nlease_time = ${leaseTime}`,
    `[health_manager]\nbind_port = ${port}\nmetrics_port = ${metricsPort}\nstart_grace = 2`,
    `[house_keeping]\nmetrics_port = ${metricsPort}\nsweep_interval = 1\nrelay_interval = 0.5`,
    '[embedded]\nslots = 100000',
  ].join('\n');
}
