import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Bus, Notifier } from '../bus/port';
import type { ComputeDriver } from '../clouds/compute/port';
import type { ContrailDriver } from '../clouds/contrail/port';
import type { NetworkDriver } from '../clouds/network/port';
import type { Config } from '../config/config';
import { readContrail } from '../config/contrail';
import { notificationSettings } from '../config/notifications';
import type { Db } from '../db/connect';
import type { RunningProcess } from '../domain/process';
import { fleetJobs } from '../fleet/jobs';
import type { Loops } from '../telemetry/loops';
import { startJobs } from './job';
import { type HousekeepingDeps, type HousekeepingSettings, housekeepingJobs } from './jobs';
import { defineServiceMetrics } from './metrics';
import { createTeller } from './notify';

/** What housekeeping runs on. */
export interface HousekeepingParts {
  readonly config: Pick<
    Config,
    | 'house_keeping'
    | 'controller_worker'
    | 'service_engine'
    | 'embedded'
    | 'DEFAULT'
    | 'oslo_messaging_notifications'
    | 'contrail'
  >;
  readonly db: Db;
  readonly bus: Bus;
  readonly network: NetworkDriver;
  readonly compute: ComputeDriver;
  /** Where VIPs are wired, with `network_driver = contrail`. */
  readonly vnc?: ContrailDriver;
  readonly log: Logger;
  /** Where metrics are defined; nowhere without it. */
  readonly registry?: Registry;
  /** Where notifications go; without it nobody is told. */
  readonly notifier?: Notifier;
  /** What the process's health knows of its loops. */
  readonly loops?: Loops;
  /** Over those of the configuration; for tests. */
  readonly settings?: Partial<HousekeepingSettings>;
}

/**
 * Runs the periodic jobs. Any number of these processes may run: each job has one holder at a time, whose place another
 * takes when it dies.
 */
export async function runHousekeeping(parts: HousekeepingParts): Promise<RunningProcess> {
  const { config, db, bus, network, compute, log, registry, loops } = parts;
  const owner = `${hostname().slice(0, 64)}:${process.pid}:${randomUUID().slice(0, 8)}`;
  const settings = { ...settingsOf(config), ...parts.settings };
  const jobs = housekeepingJobs({
    ...{ db, bus, network, log, owner, settings, now: () => new Date() },
    ...tellerOf(parts),
    ...wiringOf(parts, settings),
  });
  const runner = startJobs([...jobs, ...fleetJobs({ config, db, bus, compute, network, log })], {
    ...{ db, log, owner },
    ...(loops && { loops }),
    ...(registry && { metrics: defineServiceMetrics(registry, { db, bus }) }),
  });
  log.info({ owner }, 'housekeeping is up');
  return { close: () => runner.close() };
}

function tellerOf({ config, notifier }: HousekeepingParts): Pick<HousekeepingDeps, 'teller' | 'tellsEvents'> {
  const settings = notificationSettings(config);
  if (!notifier || !settings) return {};
  return { teller: createTeller(notifier, settings), tellsEvents: config.house_keeping.event_notifications };
}

/** Seconds for which an audit looks again at what it found. */
const FOLLOW = 10;

function wiringOf(
  { config, vnc, compute }: HousekeepingParts,
  { ownerTag, leftoverPortAge: grace, auditInterval }: HousekeepingSettings,
): Pick<HousekeepingDeps, 'wiring'> {
  const wiring = readContrail(config);
  if (!vnc || !wiring) return {};
  const follow = Math.min(FOLLOW, auditInterval);
  const plugs = compute.attachPort !== undefined;
  return { wiring: { driver: vnc, settings: { ownerTag, grace, follow, plugs, healthCheck: wiring.healthCheck } } };
}

const DAY = 86_400;

function settingsOf({ house_keeping, service_engine }: HousekeepingParts['config']): HousekeepingSettings {
  return {
    sweepInterval: house_keeping.sweep_interval,
    relayInterval: house_keeping.relay_interval,
    auditInterval: house_keeping.audit_interval,
    cleanupInterval: house_keeping.cleanup_interval,
    loadBalancerExpiryAge: house_keeping.load_balancer_expiry_age,
    eventRetention: house_keeping.event_retention * DAY,
    leftoverPortAge: house_keeping.leftover_port_age,
    ownerTag: service_engine.owner_tag,
    quotaRecountInterval: house_keeping.quota_recount_interval,
  };
}
