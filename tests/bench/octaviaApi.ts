import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { descendantsOf } from '../support/processes';
import { type ApiSide, isHealthy } from './apiSide';
import type { BenchDatabase } from './mariadb';
import { findProgram, startDaemon, waitUntilUp } from './processes';

/** What the comparison with the real octavia-api needs, by Debian package. */
const PACKAGES: Readonly<Record<string, () => boolean>> = {
  'mariadb-server': () => findProgram('mariadbd') !== undefined,
  'octavia-api': () => findProgram('octavia-wsgi') !== undefined && findProgram('octavia-db-manage') !== undefined,
  'uwsgi-core': () => findProgram('uwsgi') !== undefined,
  'uwsgi-plugin-python3': () => existsSync('/usr/lib/uwsgi/plugins/python3_plugin.so'),
};

/** Packages that are not installed. */
export function missingOctaviaPackages(): string[] {
  return Object.entries(PACKAGES).flatMap(([name, isThere]) => (isThere() ? [] : [name]));
}

/**
 * Debian's octavia-api with no-op network and no broker (casts end in oslo.messaging's own queue in memory), without
 * authentication, in one uwsgi process of one thread: with more it has been seen to hang under load.
 */
export async function startOctaviaApi(folder: string, database: BenchDatabase, port: number): Promise<ApiSide> {
  const { connection, configFile } = await configureOctavia(folder, database, { transportUrl: 'fake://' });
  return serveOctavia(folder, { connection, configFile, port });
}

export interface OctaviaSetting {
  readonly connection: string;
  readonly configFile: string;
}

/** Creates and fills its database and writes its configuration, for API and worker alike. */
export async function configureOctavia(
  folder: string,
  database: Pick<BenchDatabase, 'create'>,
  { transportUrl, more = '' }: { transportUrl: string; more?: string },
): Promise<OctaviaSetting> {
  const connection = await database.create('octavia', 'utf8mb3');
  const configFile = path.join(folder, 'octavia.conf');
  writeFileSync(configFile, `${octaviaConfig(connection, transportUrl)}${more}`);
  execFileSync(findOctaviaProgram('octavia-db-manage'), ['--config-file', configFile, 'upgrade', 'head'], {
    stdio: 'pipe',
  });
  return { connection, configFile };
}

/** Debian's octavia-api on what was configured. */
export async function serveOctavia(
  folder: string,
  { connection, configFile, port }: OctaviaSetting & { readonly port: number },
): Promise<ApiSide> {
  const home = path.join(folder, 'octavia');
  mkdirSync(home);
  const daemon = startDaemon([findOctaviaProgram('uwsgi'), ...uwsgiArguments(port, configFile)], {
    logFile: path.join(folder, 'octavia.log'),
    env: { HOME: home },
  });
  const url = `http://127.0.0.1:${port}`;
  await waitUntilUp(daemon, () => isHealthy(`${url}/`));
  return {
    name: 'octavia-api',
    url,
    connection,
    pids: () => [daemon.pid, ...descendantsOf(daemon.pid)],
    stop: () => daemon.stop(),
  };
}

/** @throws Error when it is not installed */
export function findOctaviaProgram(program: string): string {
  const file = findProgram(program);
  if (!file) throw new Error(`${program} is not installed`);
  return file;
}

function octaviaConfig(connection: string, transportUrl: string): string {
  return `[DEFAULT]
transport_url = ${transportUrl}
[api_settings]
auth_strategy = noauth
enabled_provider_drivers = amphora: The Octavia Amphora driver.
default_provider_driver = amphora
[database]
connection = ${connection}
[controller_worker]
network_driver = network_noop_driver
compute_driver = compute_noop_driver
amphora_driver = amphora_noop_driver
volume_driver = volume_noop_driver
amp_active_wait_sec = 1
[oslo_messaging]
topic = octavia_prov
`;
}

/** As Debian's own uwsgi configuration of it, less the processes, the threads and the user. */
function uwsgiArguments(port: number, configFile: string): string[] {
  return [
    '--plugin=python3',
    '--master',
    '--need-app',
    '--die-on-term',
    '--no-orphans',
    '--lazy-apps',
    '--enable-threads',
    '--thunder-lock',
    '--buffer-size=65535',
    '--processes=1',
    '--threads=1',
    `--http-socket=127.0.0.1:${port}`,
    '--add-header=Connection: close',
    `--wsgi-file=${findOctaviaProgram('octavia-wsgi')}`,
    `--pyargv=--config-file=${configFile}`,
  ];
}
