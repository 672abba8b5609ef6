import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ApiSide, isHealthy } from './apiSide';
import type { BenchDatabase } from './mariadb';
import { startDaemon, waitUntilUp } from './processes';

const CLI = path.resolve(__dirname, '../../dist/driver/cli.js');

/** The built `slipstream api` with no-op drivers and without authentication: one process. */
export async function startSlipstreamApi(folder: string, database: BenchDatabase, port: number): Promise<ApiSide> {
  const connection = await database.create('slipstream', 'utf8mb4 collate utf8mb4_bin');
  const configFile = path.join(folder, 'slipstream.conf');
  writeFileSync(configFile, slipstreamConfig(connection, port));
  execFileSync(process.execPath, [CLI, 'db', 'upgrade', '--config-file', configFile], { stdio: 'pipe' });
  const nodeOptions = (process.env['BENCH_NODE_OPTIONS'] ?? '').split(' ').filter(Boolean);
  const daemon = startDaemon([process.execPath, ...nodeOptions, CLI, 'api', '--config-file', configFile], {
    logFile: path.join(folder, 'slipstream.log'),
    env: { NODE_ENV: 'production' },
  });
  const url = `http://127.0.0.1:${port}`;
  await waitUntilUp(daemon, () => isHealthy(`${url}/v2/lbaas/loadbalancers`));
  return { name: 'slipstream', url, connection, pids: () => [daemon.pid], stop: () => daemon.stop() };
}

function slipstreamConfig(connection: string, port: number): string {
  return `[api_settings]
bind_port = ${port}
auth_strategy = noauth
[database]
connection = ${connection}
[controller_worker]
network_driver = noop
compute_driver = noop
`;
}
