import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Bus } from '../bus/port';
import type { Certificates } from '../clouds/certificates/port';
import type { TokenValidator } from '../clouds/keystone/port';
import type { Config } from '../config/config';
import type { Db } from '../db/connect';
import { requireCurrentSchema } from '../db/migrate';
import { pingDatabase } from '../db/ping';
import { poolUse } from '../db/poolUse';
import type { RunningProcess } from '../domain/process';
import { createLoops, type Loops } from '../telemetry/loops';
import { createRegistry } from '../telemetry/metrics';
import { defineProcessMetrics } from '../telemetry/processMetrics';
import { serveTelemetry } from '../telemetry/server';
import { openBus, openNotifier, staysWithin } from './bus';
import { openCertificates } from './certificates';
import { checkContrail } from './contrailStart';
import { openDatabase } from './database';
import { type Drivers, logInEarly, openDrivers, openTokens } from './drivers';

/** What every controller process is made of. */
interface Parts extends Drivers {
  readonly config: Config;
  readonly log: Logger;
  readonly db: Db;
  readonly bus: Bus;
  readonly registry: Registry;
  readonly loops: Loops;
  /** Of the API alone. */
  readonly tokens?: TokenValidator;
  /** Not of housekeeping. */
  readonly certificates?: Certificates;
}

type Start = (parts: Parts) => Promise<RunningProcess>;

/** The processes that can run by themselves, in any number of replicas. */
export type ProcessName = 'api' | 'worker' | 'health-manager' | 'housekeeping' | 'driver-agent';

/** Each loads its own modules alone: only the API needs a web framework. */
const STARTS: Readonly<Record<ProcessName, Start>> = {
  api: (parts) => {
    const { runApi } = require('../../api/main') as typeof import('../../api/main');
    return runApi(parts);
  },
  worker: (parts) => {
    const { runWorker } = require('../worker/main') as typeof import('../worker/main');
    return runWorker(parts);
  },
  'health-manager': async (parts) => {
    const { runHealthManager } = require('../health/main') as typeof import('../health/main');
    const { openAuthority } = require('../pki/files') as typeof import('../pki/files');
    return runHealthManager({ ...parts, authority: await openAuthority(parts.config.certificates) });
  },
  housekeeping: async (parts) => {
    const { runHousekeeping } = require('../housekeeping/main') as typeof import('../housekeeping/main');
    const notifier = openNotifier(parts.config, parts.log);
    const running = await runHousekeeping({ ...parts, ...(notifier && { notifier }) });
    return {
      close: async () => {
        await running.close();
        await notifier?.close();
      },
    };
  },
  'driver-agent': (parts) => {
    const { runDriverAgent } = require('../driverAgent/main') as typeof import('../driverAgent/main');
    return runDriverAgent(parts);
  },
};

/**
 * Starts one process with a database, a bus and drivers of its own.
 * @throws BadValueError for what this version cannot do outside the embedded site; SchemaError before `db upgrade`
 */
export async function startProcess(name: ProcessName, config: Config, log: Logger): Promise<RunningProcess> {
  const { drivers, close: closeDrivers } = openDrivers(config, log);
  const tokens = asksKeystone(name, config) ? openTokens(config, log) : undefined;
  const keys = openCertificates(config, tokens, log);
  const opened: (() => Promise<unknown>)[] = [closeDrivers];
  if (tokens) opened.push(() => tokens.close());
  if (keys) opened.push(() => keys.close());
  const closeAll = async (): Promise<void> => {
    for (const close of opened.toReversed()) await close();
  };
  try {
    if (drivers.vnc && name === 'worker') await checkContrail(drivers.vnc, config, log);
    const db = await openDatabase(config);
    opened.push(() => db.destroy());
    await requireCurrentSchema(db);
    if (staysWithin(config)) {
      log.warn('transport_url = memory:// carries no hints to other processes: they find their work by the sweep');
    }
    const registry = createRegistry(name);
    const bus = openBus(config, { log, registry });
    opened.push(() => bus.close());
    const asked = { ...(tokens && { tokens }), ...(keys && { certificates: keys.certificates }) };
    const loops = createLoops();
    defineProcessMetrics(registry, { poolUse: () => poolUse(db), brokerTrouble: () => bus.trouble() });
    const running = await STARTS[name]({ ...drivers, ...asked, config, log, db, bus, registry, loops });
    opened.push(() => running.close());
    const telemetry = await startTelemetry(name, { config, db, bus, registry, loops });
    if (telemetry) opened.push(() => telemetry.close());
    if (tokens) logInEarly(tokens, log);
    return { ...(running.url ? { url: running.url } : {}), close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Those that read the certificates of users, or tell who uses them: at Barbican, which Keystone finds. */
function asksKeystone(name: ProcessName, { keystone_authtoken: keystone }: Config): boolean {
  // A worker can do without.
  return name === 'worker' ? Boolean(keystone.auth_url) : name !== 'housekeeping' && name !== 'driver-agent';
}

async function startTelemetry(
  name: ProcessName,
  { config, db, bus, registry, loops }: Pick<Parts, 'config' | 'db' | 'bus' | 'registry' | 'loops'>,
): Promise<RunningProcess | undefined> {
  const port = metricsPort(name, config);
  if (port === undefined) return undefined;
  const check = async (): Promise<string | undefined> => {
    const troubles = [await pingDatabase(db), bus.trouble(), loops.trouble()].filter((it) => it !== undefined);
    return troubles.length === 0 ? undefined : troubles.join('\n');
  };
  return serveTelemetry({ host: config.DEFAULT.metrics_host, port, registry, check });
}

/** Undefined for the API, which has a port of its own. */
function metricsPort(name: ProcessName, config: Config): number | undefined {
  switch (name) {
    case 'api':
      return undefined;
    case 'worker':
      return config.controller_worker.metrics_port;
    case 'health-manager':
      return config.health_manager.metrics_port;
    case 'housekeeping':
      return config.house_keeping.metrics_port;
    case 'driver-agent':
      return config.driver_agent.metrics_port;
  }
}
