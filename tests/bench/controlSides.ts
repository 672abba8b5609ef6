import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect } from 'amqplib';
import { descendantsOf } from '../support/processes';
import type { CreateTarget } from './createToActive';
import type { BenchDatabase } from './mariadb';
import { configureOctavia, findOctaviaProgram, serveOctavia } from './octaviaApi';
import { type Daemon, startDaemon, waitUntilUp } from './processes';

/** A control plane: its API, and what carries out what the API takes. */
export interface ControlSide extends CreateTarget {
  /** From now on so many workers. */
  setWorkers(count: number): Promise<void>;
  /** Resident megabytes by process. */
  memory(): [string, number][];
  stop(): Promise<void>;
}

export interface ControlSetting {
  readonly folder: string;
  readonly database: BenchDatabase;
  readonly ports: readonly number[];
  readonly transportUrl: string;
}

const CLI = path.resolve(__dirname, '../../dist/driver/cli.js');
const ENV = { NODE_ENV: 'production' };

/** The built program: API, health-manager, housekeeping and one worker, as processes of their own. */
export async function startSlipstreamControl(setting: ControlSetting): Promise<ControlSide> {
  const { folder, database, ports, transportUrl } = setting;
  const connection = await database.create('slipstream', 'utf8mb4 collate utf8mb4_bin');
  const [apiPort = 0, enginePort = 0, ...metricsPorts] = ports;
  let count = 0;
  const start = async (name: string, said: string): Promise<Daemon> => {
    const base = path.join(folder, `${name}-${count}`);
    const metricsPort = metricsPorts[count % metricsPorts.length] ?? 0;
    count += 1;
    writeFileSync(`${base}.conf`, slipstreamConfig({ connection, transportUrl, apiPort, enginePort, metricsPort }));
    const daemon = startDaemon([process.execPath, CLI, name, '--config-file', `${base}.conf`], {
      logFile: `${base}.log`,
      env: ENV,
    });
    await waitUntilUp(daemon, async () => daemon.output().includes(said));
    return daemon;
  };
  const migration = path.join(folder, 'upgrade.conf');
  writeFileSync(migration, `[database]\nconnection = ${connection}\n`);
  execFileSync(process.execPath, [CLI, 'db', 'upgrade', '--config-file', migration], { stdio: 'pipe' });
  const fixed = new Map([
    ['slipstream health-manager', await start('health-manager', 'the health-manager is up')],
    ['slipstream housekeeping', await start('housekeeping', 'housekeeping is up')],
    ['slipstream api', await start('api', 'the API is up')],
  ]);
  const workers: Daemon[] = [];
  const setWorkers = async (wanted: number): Promise<void> => {
    while (workers.length > wanted) await workers.pop()?.stop();
    while (workers.length < wanted) workers.push(await start('worker', 'the worker is up'));
  };
  await setWorkers(1);
  return {
    url: `http://127.0.0.1:${apiPort}`,
    connection,
    setWorkers,
    memory: () => [
      ...[...fixed].map(([name, { pid }]): [string, number] => [name, residentMegabytes(pid)]),
      ...workers.map(({ pid }): [string, number] => ['slipstream worker', residentMegabytes(pid)]),
    ],
    async stop() {
      await Promise.all([...fixed.values(), ...workers].map((daemon) => daemon.stop()));
    },
  };
}

/** Debian's octavia-api and octavia-worker with their no-op drivers; one process of each, the worker's threads as they come. */
export async function startOctaviaControl(setting: ControlSetting): Promise<ControlSide> {
  const { folder, database, ports, transportUrl } = setting;
  const more = makeCertificates(folder);
  const octavia = await configureOctavia(folder, database, { transportUrl, more });
  const api = await serveOctavia(folder, { ...octavia, port: ports[0] ?? 0 });
  const worker = startDaemon([findOctaviaProgram('octavia-worker'), '--config-file', octavia.configFile], {
    logFile: path.join(folder, 'octavia-worker.log'),
    env: { HOME: path.join(folder, 'octavia') },
  });
  await waitUntilUp(worker, () => hasConsumer(transportUrl));
  return {
    url: api.url,
    connection: api.connection,
    setWorkers: async () => undefined,
    memory: () => [
      ['octavia-api', sumMegabytes(api.pids())],
      ['octavia-worker', sumMegabytes([worker.pid, ...descendantsOf(worker.pid)])],
    ],
    async stop() {
      await Promise.all([worker.stop(), api.stop()]);
    },
  };
}

/** A cast before that has no queue to go to. */
export async function hasConsumer(transportUrl: string): Promise<boolean> {
  const connection = await connect(transportUrl.replace(/^rabbit:/, 'amqp:'));
  try {
    const channel = await connection.createChannel();
    channel.on('error', () => undefined);
    return (await channel.checkQueue('octavia_provisioning_v2')).consumerCount > 0;
  } finally {
    await connection.close();
  }
}

/** The worker makes a certificate for each amphora, even for those that no driver boots. */
export function makeCertificates(folder: string): string {
  const [key, certificate] = [path.join(folder, 'ca.key'), path.join(folder, 'ca.pem')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      certificate,
      '-days',
      '2',
      '-subj',
      '/CN=bench',
    ],
    { stdio: 'pipe' },
  );
  return `[certificates]
ca_certificate = ${certificate}
ca_private_key = ${key}
server_certs_key_passphrase = insecure-key-do-not-use-this-key
[controller_worker]
client_ca = ${certificate}
`;
}

function sumMegabytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + residentMegabytes(pid), 0);
}

function residentMegabytes(pid: number): number {
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(resident) / 1024;
}

interface SlipstreamPlaces {
  readonly connection: string;
  readonly transportUrl: string;
  readonly apiPort: number;
  readonly enginePort: number;
  readonly metricsPort: number;
}

function slipstreamConfig({ connection, transportUrl, apiPort, enginePort, metricsPort }: SlipstreamPlaces): string {
  return `[DEFAULT]
transport_url = ${transportUrl}
[api_settings]
bind_port = ${apiPort}
auth_strategy = noauth
[database]
connection = ${connection}
[controller_worker]
network_driver = noop
compute_driver = noop
metrics_port = ${metricsPort}
[health_manager]
bind_port = ${enginePort}
metrics_port = ${metricsPort}
[house_keeping]
metrics_port = ${metricsPort}
`;
}
