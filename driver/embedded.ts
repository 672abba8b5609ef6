import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from 'pino';
import { runApi } from '../api/main';
import { openBus } from './cli/bus';
import { openDatabase } from './cli/database';
import { type LocalCompute, openLocalCompute } from './clouds/compute/local';
import type { Config } from './config/config';
import type { Db } from './db/connect';
import { voidConnections } from './db/engineConnections';
import { voidLeases } from './db/leases';
import { upgradeDatabase } from './db/migrate';
import type { RunningProcess } from './domain/process';
import { renderBanner } from './embedded/banner';
import { createCleanup } from './embedded/cleanup';
import { openEmbeddedClouds } from './embedded/clouds';
import { loadPasswords, writeCloudsFile } from './embedded/cloudsFile';
import { prepareRunDirectory } from './embedded/runDirectory';
import { waitForEngine } from './embedded/waitForEngine';
import { ensureFleet } from './fleet/ensureFleet';
import { runHealthManager } from './health/main';
import { runHousekeeping } from './housekeeping/main';
import { openOwnAuthority } from './pki/files';
import { runWorker } from './worker/main';

/** How the site starts its engine's agent: this very program, as another process. */
const AGENT_COMMAND = [process.execPath, path.join(__dirname, 'cli.js'), 'agent'] as const;

/**
 * The four controllers in this process, on SQLite and a bus in memory, with a Keystone, a Neutron and one engine, whose
 * agent is a process of its own. Closing it ends everything it started; a kill leaves the data plane serving, and the
 * next start adopts it. Prints how to use it once it serves.
 * @throws Error that says what is missing or in the way: nothing is left running then
 */
export async function runAllInOne(config: Config, log: Logger): Promise<RunningProcess> {
  requireHaproxy(config.service_engine.haproxy_path);
  const cleanup = createCleanup(log);
  try {
    return await start({ config, log }, cleanup);
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

interface SiteParts {
  readonly config: Config;
  readonly log: Logger;
}

async function start(parts: SiteParts, cleanup: ReturnType<typeof createCleanup>): Promise<RunningProcess> {
  const { config, log } = parts;
  const stateDir = path.resolve(config.embedded.state_dir);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const db = await openOwnDatabase(config);
  cleanup.add('database', () => db.destroy());
  const bus = openBus(config, { log });
  cleanup.add('bus', () => bus.close());

  let apiUrl: string | undefined;
  const passwords = loadPasswords(stateDir);
  const services = () => (apiUrl ? [{ type: 'load-balancer', name: 'octavia', url: apiUrl }] : []);
  const clouds = await openEmbeddedClouds({ config, db, passwords, services, log: log.child({ part: 'clouds' }) });
  cleanup.add('clouds', () => clouds.close());

  const common = { config: asEmbedded(config, clouds.authUrl), db, bus, network: clouds.network };
  const { certificates } = clouds;
  const authority = await openOwnAuthority(stateDir);
  const trust = { caFingerprint: authority.fingerprint };
  const healthParts = { ...common, certificates, authority, log: log.child({ part: 'health-manager' }) };
  const health = await runHealthManager(healthParts);
  cleanup.add('health-manager', () => health.close());
  const controllers = health.url ? [health.url] : [];
  const compute = await startCompute(parts, stateDir, { controllers, ...trust });
  cleanup.add('engine', () => compute.stop({ keepServing: false }));

  const worker = await runWorker({
    ...{ ...common, ...trust, certificates, compute, controllers },
    log: log.child({ part: 'worker' }),
  });
  cleanup.add('worker', () => worker.close());
  await ensureFleet({ ...common, log });
  const housekeeping = await runHousekeeping({ ...common, compute, log: log.child({ part: 'housekeeping' }) });
  cleanup.add('housekeeping', () => housekeeping.close());
  const apiParts = { ...common, tokens: clouds.keystone, certificates };
  const api = await runApi({ ...apiParts, log: log.child({ part: 'api' }) });
  cleanup.add('api', () => api.close());
  apiUrl = api.url ?? '';

  const cloudsFile = writeCloudsFile(stateDir, clouds.authUrl, passwords);
  await waitForEngine(db, log);
  process.stdout.write(renderBanner({ apiUrl, authUrl: clouds.authUrl, cloudsFile }));
  return { url: apiUrl, close: () => cleanup.run() };
}

async function openOwnDatabase(config: Config): Promise<Db> {
  const db = await openDatabase(config);
  try {
    await upgradeDatabase(db);
    // The file is this process's alone: what a killed one held need not be waited for.
    if (config.database.connection.startsWith('sqlite')) {
      await voidLeases(db);
      await voidConnections(db);
    }
    return db;
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

function startCompute(
  { config, log }: SiteParts,
  stateDir: string,
  told: { readonly controllers: readonly string[]; readonly caFingerprint: string },
): Promise<LocalCompute> {
  return openLocalCompute({
    command: AGENT_COMMAND,
    stateDir: path.join(stateDir, 'engines'),
    runDir: prepareRunDirectory(config.embedded.run_dir, stateDir),
    ...told,
    haproxyPath: config.service_engine.haproxy_path,
    log: log.child({ part: 'engine' }),
  });
}

/** Seconds: ten years. */
const OWN_VALIDITY = 315_360_000;

/**
 * Its own Keystone; and certificates of engines that last: whoever could copy one from this directory could copy the CA, and
 * a site that was not started for a month has to find its engine good.
 */
function asEmbedded(config: Config, authUri: string): Config {
  return {
    ...config,
    keystone_authtoken: { ...config.keystone_authtoken, www_authenticate_uri: authUri },
    certificates: { ...config.certificates, cert_validity_time: OWN_VALIDITY },
  };
}

function requireHaproxy(program: string): void {
  const { error, status } = spawnSync(program, ['-v'], { stdio: 'ignore' });
  if (!error && status === 0) return;
  throw new Error(`${program} cannot be run: install the package haproxy (apt-get install haproxy), then start again`);
}
