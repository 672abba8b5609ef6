import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { type Bus, ENGINES_TOPIC, SETTLED_TOPIC } from '../bus/port';
import type { Certificates } from '../clouds/certificates/port';
import type { Config } from '../config/config';
import type { Db } from '../db/connect';
import type { RunningProcess } from '../domain/process';
import { createLoops, type Loops } from '../telemetry/loops';
import { createManager, type Manager } from './manager';
import { type Periodic, periodically } from './periodically';
import { startEngineServer } from './server';
import { type HealthSettings, settingsOf } from './settings';

/** What a health-manager runs on. */
export interface HealthManagerParts {
  readonly config: Pick<Config, 'health_manager' | 'certificates' | 'service_engine'>;
  readonly db: Db;
  readonly bus: Bus;
  readonly log: Logger;
  /** What users keep in the key manager; without it no listener can terminate TLS. */
  readonly certificates?: Certificates;
  /** Where metrics are defined; nowhere without it. */
  readonly registry?: Registry;
  /** What the process's health knows of its loops. */
  readonly loops?: Loops;
  /** Over those of the configuration; for tests. */
  readonly settings?: Partial<HealthSettings>;
}

/**
 * Runs a health-manager: the engines' controller port and everything that follows from what engines say.
 * @throws Error when the port cannot be bound, or may not be
 */
export async function runHealthManager(parts: HealthManagerParts): Promise<RunningProcess> {
  const { config, db, bus, log } = parts;
  const settings = { ...settingsOf(config), ...parts.settings };
  const id = `${hostname().slice(0, 64)}:${process.pid}:${randomUUID().slice(0, 8)}`;
  const { registry, certificates } = parts;
  const manager = createManager({
    ...{ db, bus, log, id, settings, registry, certificates },
    now: () => performance.now(),
  });
  const server = await startEngineServer(
    { host: config.health_manager.bind_ip, port: config.health_manager.bind_port, ...settings },
    { events: manager, log },
  );
  const subscriptions = await Promise.all([
    bus.subscribeBroadcast(ENGINES_TOPIC, (message) => manager.onBusMessage(message)),
    bus.subscribeBroadcast(SETTLED_TOPIC, ({ args, loadBalancerId }) => {
      const settled = loadBalancerId ?? args['id'];
      if (typeof settled === 'string') manager.onSettled(settled);
    }),
  ]);
  const timers = startTimers(manager, settings, parts.loops ?? createLoops());
  log.info({ url: server.url, id }, 'the health-manager is up');
  return {
    url: server.url,
    async close() {
      await Promise.all([...subscriptions.map((it) => it.close()), ...timers.map((it) => it.stop())]);
      await server.close();
      await manager.finish();
    },
  };
}

/** Milliseconds, at most, between two looks at certificates that could not be had. */
const CERTIFICATE_ROUND = 15_000;
/** A round of reviews in so many slices, so that no slice is long. */
const REVIEW_SLICES = 60;

/** Seconds without a round of a loop, after which the process is ill. */
const LATE_SECONDS = 60;

function startTimers(manager: Manager, settings: HealthSettings, loops: Loops): readonly Periodic[] {
  const every = (name: string, interval: number, work: () => Promise<void>): Periodic =>
    periodically(interval, work, loops.watch(name, LATE_SECONDS + (3 * interval) / 1000));
  return [
    every('check of silent engines', settings.heartbeatTimeout / 6, () => manager.check()),
    every('flush of heartbeats', settings.flushInterval, () => manager.flush()),
    every('comparison of placements', settings.compareInterval, () => manager.compare()),
    every('review of statuses', settings.reviewInterval / REVIEW_SLICES, async () => manager.review(REVIEW_SLICES)),
    every('look at certificates', Math.min(settings.certRefreshInterval, CERTIFICATE_ROUND), () =>
      manager.lookAfterCertificates(),
    ),
  ];
}
