import type { Logger } from 'pino';
import { type Bus, SETTLED_TOPIC } from '../bus/port';
import type { NetworkDriver } from '../clouds/network/port';
import type { Config } from '../config/config';
import type { Db } from '../db/connect';
import type { RunningProcess } from '../domain/process';
import { getObject } from './getSocket';
import { type SocketService, serveSocket } from './socketServer';
import { takeStatistics } from './statsSocket';
import { type StatusDeps, takeStatuses } from './statusSocket';

/** What the driver agent runs on. */
export interface DriverAgentParts {
  readonly config: Pick<Config, 'driver_agent' | 'controller_worker'>;
  readonly db: Db;
  readonly bus: Bus;
  readonly network: NetworkDriver;
  readonly log: Logger;
}

/**
 * Serves the three sockets of Octavia's driver agent, to agents of provider drivers on this host. They read objects of
 * any provider, and write statuses and counters of those that `external_providers` names.
 * @throws Error when a socket cannot be bound
 */
export async function runDriverAgent(parts: DriverAgentParts): Promise<RunningProcess> {
  const { config, log } = parts;
  const servers: RunningProcess[] = [];
  try {
    for (const service of servicesOf(parts)) servers.push(await serveSocket(service, log));
  } catch (error) {
    await Promise.all(servers.map((it) => it.close()));
    throw error;
  }
  log.info({ external_providers: config.driver_agent.external_providers }, 'the driver agent is up');
  return {
    close: async () => {
      await Promise.all(servers.map((it) => it.close()));
    },
  };
}

function servicesOf(parts: DriverAgentParts): readonly SocketService[] {
  const { config, db } = parts;
  const settings = config.driver_agent;
  const externalProviders = new Set(settings.external_providers);
  const statusDeps = statusDepsOf(parts, externalProviders);
  return [
    {
      path: settings.status_socket_path,
      timeout: settings.status_request_timeout * 1000,
      concurrency: settings.status_max_processes,
      answer: (request) => takeStatuses(statusDeps, request),
    },
    {
      path: settings.stats_socket_path,
      timeout: settings.stats_request_timeout * 1000,
      concurrency: settings.stats_max_processes,
      answer: (request) => takeStatistics({ db, externalProviders }, request),
    },
    {
      path: settings.get_socket_path,
      timeout: settings.get_request_timeout * 1000,
      concurrency: settings.get_max_processes,
      answer: (request) => getObject(db, request),
    },
  ];
}

function statusDepsOf(
  { config, db, bus, network, log }: DriverAgentParts,
  externalProviders: ReadonlySet<string>,
): StatusDeps {
  return {
    db,
    externalProviders,
    pendingDeadline: config.controller_worker.pending_deadline,
    deletePort: (id) => (network.acceptsAnything ? Promise.resolve() : network.deletePort(id)),
    announceSettled: async (id) => {
      // Those who wait look by themselves after a while.
      await bus
        .broadcast(SETTLED_TOPIC, { method: 'settled', args: { id }, loadBalancerId: id })
        .catch((err: unknown) => log.info({ err, lb: id }, 'nobody was told that a load balancer settled'));
    },
  };
}
