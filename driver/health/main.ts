import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import { type Bus, ENGINES_TOPIC, SETTLED_TOPIC } from '../bus/port';
import type { Certificates } from '../clouds/certificates/port';
import type { Config } from '../config/config';
import { openSealer } from '../config/sealer';
import type { Db } from '../db/connect';
import type { RunningProcess } from '../domain/process';
import type { Authority } from '../pki/authority';
import { createLoops, type Loops } from '../telemetry/loops';
import { hintEngine } from './acks';
import { createManager, type Manager } from './manager';
import { type Periodic, periodically } from './periodically';
import type { EnrolmentDeps } from './port/enrolment';
import { createTeller, type Teller } from './port/teller';
import { type EngineServer, startEngineServer } from './server';
import { type HealthSettings, settingsOf } from './settings';

/** What a health-manager runs on. */
export interface HealthManagerParts {
  readonly config: Pick<Config, 'health_manager' | 'certificates' | 'service_engine'>;
  readonly db: Db;
  readonly bus: Bus;
  readonly log: Logger;
  /** What users keep in the key manager; without it no listener can terminate TLS. */
  readonly certificates?: Certificates;
  /** Who engines get their certificates from; without it they speak in clear, over loopback. */
  readonly authority?: Authority | undefined;
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
  const now = () => performance.now();
  const teller = createTeller({ db, log, now });
  const manager = createManager({
    ...{ db, bus, log, id, settings, registry, certificates, teller, now, sealer: openSealer(config) },
  });
  const server = await openPort(parts, { manager, settings, teller });
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

interface PortParts {
  readonly manager: Manager;
  readonly settings: HealthSettings;
  readonly teller: Teller;
}

async function openPort(parts: HealthManagerParts, { manager, settings, teller }: PortParts): Promise<EngineServer> {
  const { config, db, bus, log, authority, registry } = parts;
  const { health_manager: given, certificates } = config;
  const enrolment: EnrolmentDeps | undefined = authority && {
    ...{ db, authority, teller },
    checkAddress: given.check_engine_address,
    validity: certificates.cert_validity_time,
    sealer: openSealer(config),
    hintEngine: (engineId) => hintEngine(bus, engineId),
  };
  const refused = countRefused(registry);
  return startEngineServer(
    { host: given.bind_ip, port: given.bind_port, names: namesOf(given), ...settings },
    { events: manager, log, enrolment, onRefused: (why) => refused.inc({ why }) },
  );
}

function countRefused(registry: Registry | undefined): Counter<'why'> {
  return new Counter({
    name: 'slipstream_health_connections_refused_total',
    help: 'Connections to the port of engines that were refused: too many at a time, no TLS, or no certificate that is good.',
    labelNames: ['why'],
    registers: registry ? [registry] : [],
  });
}

/** What engines may dial it by; every health-manager has the names of all: they may stand behind one address. */
function namesOf({ bind_ip, controller_ip_port_list: listed }: Config['health_manager']): string[] {
  const wildcard = bind_ip === '0.0.0.0' || bind_ip === '::';
  const hosts = listed.map((entry) => new URL(`wss://${entry}`).hostname.replace(/^\[|\]$/g, ''));
  return [...new Set([...hosts, ...(wildcard ? [] : [bind_ip]), 'localhost', hostname()])];
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
