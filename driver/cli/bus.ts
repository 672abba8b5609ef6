import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { amqpSettings, createAmqpBus } from '../bus/amqp';
import { showBus } from '../bus/gauges';
import { createMemoryBus } from '../bus/memory';
import type { Bus } from '../bus/port';
import type { Config } from '../config/config';

/**
 * The bus that `transport_url` names: RabbitMQ, or one within this process. It comes up without its broker.
 * @throws BadValueError for a URL or a file that cannot be used
 */
export function openBus(config: Config, { log, registry }: { log: Logger; registry?: Registry }): Bus {
  const bus = staysWithin(config)
    ? createMemoryBus({ log })
    : createAmqpBus({ settings: amqpSettings(config), log, ...(registry && { registry }) });
  if (registry) showBus(registry, bus);
  return bus;
}

/** Whether hints reach no other process. */
export function staysWithin({ DEFAULT }: Config): boolean {
  return DEFAULT.transport_url.startsWith('memory:');
}
