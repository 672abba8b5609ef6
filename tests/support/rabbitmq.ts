import { type ChildProcess, spawn } from 'node:child_process';
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { freePorts } from './freePorts';
import { waitUntil } from './wait';

/** A private broker on loopback, of one test file: its own directories, node name and port mapper. */
export interface RabbitMq {
  /** A transport_url; the password is one that must be percent-encoded. */
  url(virtualHost?: string): string;
  readonly port: number;
  /** With `tls` given. */
  readonly tlsPort: number;
  /** Of the broker itself; for signals. */
  pid(): number;
  /** Ends it as a failing machine would. What is durable is there after the next start. */
  kill(): Promise<void>;
  /** After `kill`: the same broker at the same port. */
  start(): Promise<void>;
  /** Ends broker and port mapper and removes what they wrote. */
  stop(): Promise<void>;
}

export interface RabbitMqOptions {
  /** Besides `/`. */
  readonly virtualHosts?: readonly string[];
  /** Paths of PEM files, for a second listener that speaks TLS. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string };
}

export const RABBITMQ_USER = 'slipstream';
export const RABBITMQ_PASSWORD = 'p@ss/w:rd %';
/** Some clients cannot have a slash in a password: oslo.messaging 14 is one. */
const USERS = [
  [RABBITMQ_USER, RABBITMQ_PASSWORD],
  ['guest', 'guest'],
] as const;

const PROGRAM = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/** Whether the Debian package rabbitmq-server is installed. */
export function hasRabbitMq(): boolean {
  return isExecutable(PROGRAM);
}

/** @throws Error with the end of its log when it does not come up */
export async function startRabbitMq(options: RabbitMqOptions = {}): Promise<RabbitMq> {
  if (!hasRabbitMq()) throw new Error('RabbitMQ is not installed: install the package rabbitmq-server');
  const folder = mkdtempSync(join(tmpdir(), 'ss-mq-'));
  const [port = 0, tlsPort = 0, distribution = 0, mapper = 0] = await freePorts(4);
  writeFiles(folder, options, tlsPort);
  const env = environment(folder, { port, distribution, mapper });
  const epmd = spawnBound('epmd', ['-port', String(mapper), '-address', '127.0.0.1'], env);
  const url = (virtualHost = '/') =>
    `rabbit://${RABBITMQ_USER}:${encodeURIComponent(RABBITMQ_PASSWORD)}@127.0.0.1:${port}/${encodeURIComponent(virtualHost)}`;

  let broker: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    broker = spawnBound(PROGRAM, [], env);
    await waitUntilReady(broker, port, folder);
  };
  const kill = async (): Promise<void> => {
    if (broker) await end(broker);
    broker = undefined;
  };
  const stop = async (): Promise<void> => {
    await kill();
    await end(epmd);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, port, tlsPort, pid: () => broker?.pid ?? 0, kill, start, stop };
}

function writeFiles(folder: string, { virtualHosts = [], tls }: RabbitMqOptions, tlsPort: number): void {
  for (const name of ['data', 'log', 'home']) mkdirSync(join(folder, name));
  const settings = [
    'loopback_users = none',
    'log.console = false',
    'log.file.level = warning',
    'disk_free_limit.absolute = 1MB',
    `load_definitions = ${join(folder, 'definitions.json')}`,
  ];
  if (tls) {
    settings.push(
      `listeners.ssl.default = 127.0.0.1:${tlsPort}`,
      `ssl_options.cacertfile = ${tls.ca}`,
      `ssl_options.certfile = ${tls.certificate}`,
      `ssl_options.keyfile = ${tls.key}`,
    );
  }
  writeFileSync(join(folder, 'rabbitmq.conf'), `${settings.join('\n')}\n`);
  writeFileSync(join(folder, 'enabled_plugins'), '[].\n');
  const hosts = ['/', ...virtualHosts];
  const definitions = {
    users: USERS.map(([name, password]) => ({ name, password, tags: 'administrator' })),
    vhosts: hosts.map((name) => ({ name })),
    permissions: hosts.flatMap((vhost) =>
      USERS.map(([user]) => ({ user, vhost, configure: '.*', write: '.*', read: '.*' })),
    ),
  };
  writeFileSync(join(folder, 'definitions.json'), JSON.stringify(definitions));
}

type Ports = Readonly<Record<'port' | 'distribution' | 'mapper', number>>;

function environment(folder: string, { port, distribution, mapper }: Ports): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: join(folder, 'home'),
    // With this set the start script becomes the Erlang machine instead of waiting for it: one pid, one signal.
    NOTIFY_SOCKET: join(folder, 'nobody'),
    ERL_EPMD_PORT: String(mapper),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `slipstream-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    // No busy waiting of its schedulers: the machine is shared.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}',
  };
}

/** A child that the kernel ends with this process, even if that is killed: no test run may leave a broker behind. */
function spawnBound(program: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const setpriv = '/usr/bin/setpriv';
  const stdio = ['pipe', 'ignore', 'ignore'] as const;
  if (!isExecutable(setpriv)) return spawn(program, args, { stdio: [...stdio], env });
  return spawn(setpriv, ['--pdeathsig', 'KILL', program, ...args], { stdio: [...stdio], env });
}

async function waitUntilReady(broker: ChildProcess, port: number, folder: string): Promise<void> {
  const url = { hostname: '127.0.0.1', port, username: RABBITMQ_USER, password: RABBITMQ_PASSWORD };
  const answers = async (): Promise<boolean> => {
    if (broker.exitCode !== null) throw new Error('it has ended');
    const connection = await connect(url, { timeout: 2_000 }).catch(() => undefined);
    await connection?.close();
    return connection !== undefined;
  };
  await waitUntil('RabbitMQ answers', 90_000, answers).catch((error: unknown) => {
    throw new Error(`RabbitMQ does not come up: ${readLogs(join(folder, 'log'))}`, { cause: error });
  });
}

function readLogs(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.endsWith('.log'));
  return files.map((name) => readFileSync(join(folder, name), 'utf8').slice(-2_000)).join('\n') || 'no log';
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
