import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { amqpSettings, createAmqpBus, createAmqpNotifier } from '../bus/amqp';
import { createMemoryBus } from '../bus/memory';
import type { Bus, Notifier } from '../bus/port';
import type { Config } from '../config/config';
import { notificationSettings } from '../config/notifications';

/**
 * The bus that `transport_url` names: RabbitMQ, or one within this process. It comes up without its broker.
 * @throws BadValueError for a URL or a file that cannot be used
 */
export function openBus(config: Config, { log, registry }: { log: Logger; registry?: Registry }): Bus {
  if (staysWithin(config)) return createMemoryBus({ log });
  return createAmqpBus({ settings: amqpSettings(config), log, ...(registry && { registry }) });
}

/**
 * Where notifications go; undefined when nobody is to be told.
 * @throws BadValueError for a URL or a file that cannot be used
 */
export function openNotifier(config: Config, log: Logger): Notifier | undefined {
  const settings = notificationSettings(config);
  if (!settings) return undefined;
  const broker = { ...config, DEFAULT: { ...config.DEFAULT, transport_url: settings.transportUrl } };
  return createAmqpNotifier({ settings: amqpSettings(broker), log });
}

/** Whether hints reach no other process. */
export function staysWithin({ DEFAULT }: Config): boolean {
  return DEFAULT.transport_url.startsWith('memory:');
}
