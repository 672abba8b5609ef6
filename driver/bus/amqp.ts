import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { createRpcClient, requestOf } from './amqp/client';
import { type ConsumerDeps, consume, type Delivery } from './amqp/consumer';
import { readRequest, wrap } from './amqp/envelope';
import { createLink, type Link } from './amqp/link';
import { createAmqpMetrics, NO_METRICS } from './amqp/metrics';
import { sendNotification } from './amqp/notifier';
import { createPublisher, type Outgoing, type Publisher } from './amqp/publisher';
import { createRpcServer } from './amqp/server';
import type { AmqpSettings } from './amqp/settings';
import { controlExchange, fanoutExchange, fanoutQueue, sharedQueue } from './amqp/topology';
import { type Bus, type BusHandler, type BusMessage, type Notifier, RPC_TARGETS, type Subscription } from './port';

export { type AmqpSettings, amqpSettings } from './amqp/settings';

export interface AmqpBusDeps {
  readonly settings: AmqpSettings;
  readonly log: Logger;
  /** Where messages and connections are counted; nowhere without it. */
  readonly registry?: Registry;
}

/** Carries the load balancer's id on our own topics; Octavia's messages have no headers. */
const LOAD_BALANCER = 'load_balancer';

/**
 * The bus over RabbitMQ, speaking as oslo.messaging does. It comes up without a broker and outlives the loss of one:
 * publishing then fails at once, and whoever is subscribed goes on when the broker is back.
 */
export function createAmqpBus({ settings, log, registry }: AmqpBusDeps): Bus {
  const metrics = registry ? createAmqpMetrics(registry) : NO_METRICS;
  const link = createLink({ settings, log, onConnected: () => metrics.connected() });
  const open = (name: string): Publisher => createPublisher({ link, settings, log, name });
  const casts = open('casts');
  // An exchange of broadcasts may go, and take its channel with it; answers may come back. Neither holds up a cast.
  const broadcasts = open('broadcasts');
  const replies = open('answers');
  const deps: ConsumerDeps = { link, settings, log, metrics };
  const client = createRpcClient({ ...deps, publisher: casts });
  const subscriptions = new Set<Subscription>();

  const send = async (topic: string, publisher: Publisher, message: Outgoing): Promise<void> => {
    try {
      await publisher.send(message);
      metrics.published(topic, 'confirmed');
    } catch (error) {
      metrics.published(topic, 'failed');
      throw error;
    }
  };
  const hold = async (opening: Promise<Subscription>): Promise<Subscription> => {
    const opened = await opening;
    const subscription = {
      async close() {
        subscriptions.delete(subscription);
        await opened.close();
      },
    };
    subscriptions.add(subscription);
    return subscription;
  };
  const listen = (topic: string, queue: ReturnType<typeof sharedQueue>, handler: BusHandler) =>
    hold(consume(deps, { topic, queues: [queue], handle: async (delivery) => handler(toBusMessage(delivery)) }));

  return {
    publish: (topic, message) =>
      send(topic, casts, { exchange: controlExchange(settings), key: topic, ...contentOf(topic, message) }),
    broadcast: (topic, message) =>
      send(topic, broadcasts, { exchange: fanoutExchange(settings, topic), key: topic, ...contentOf(topic, message) }),
    subscribe: (topic, handler) => listen(topic, sharedQueue(settings, topic), handler),
    subscribeBroadcast: (topic, handler) => listen(topic, fanoutQueue(settings, topic), handler),
    serve(topic, endpoint) {
      const { replyPatience, mandatoryReplies: mandatory } = settings;
      const handle = createRpcServer({ log, replies, replyPatience, mandatory }, endpoint);
      const queues = [topic, `${topic}.${settings.server}`].map((name) => sharedQueue(settings, name));
      return hold(consume(deps, { topic, queues: [...queues, fanoutQueue(settings, topic)], handle }));
    },
    call: (topic, message, options = {}) => client.call(topic, message, { ...RPC_TARGETS[topic], ...options }),
    trouble: () => link.trouble() ?? casts.trouble() ?? broadcasts.trouble(),
    depth: (topic) => countMessages(link, topic),
    async close() {
      await Promise.all([...subscriptions].map((it) => it.close()));
      await client.close();
      await Promise.all([casts, broadcasts, replies].map((it) => it.close()));
      await link.close();
    },
  };
}

/** For notifications; its broker may be another than that of the bus. */
export function createAmqpNotifier({
  settings,
  log,
  now = () => new Date(),
}: AmqpBusDeps & { now?: () => Date }): Notifier {
  const link = createLink({ settings, log });
  const publisher = createPublisher({ link, settings, log, name: 'notifications' });
  return {
    notify: (topic, notification, format) =>
      sendNotification({ publisher, settings, now }, { topic, format }, notification),
    async close() {
      await publisher.close();
      await link.close();
    },
  };
}

function contentOf(topic: string, message: BusMessage): Pick<Outgoing, 'body' | 'headers'> {
  const target = RPC_TARGETS[topic];
  const body = wrap(requestOf(message, target ?? {}));
  const { loadBalancerId } = message;
  return target || loadBalancerId === undefined ? { body } : { body, headers: { [LOAD_BALANCER]: loadBalancerId } };
}

function toBusMessage({ inner, headers }: Delivery): BusMessage {
  const { method, args } = readRequest(inner);
  const loadBalancerId = headers[LOAD_BALANCER];
  return { method, args, ...(typeof loadBalancerId === 'string' && { loadBalancerId }) };
}

/** Longest a count may take. Milliseconds. */
const COUNT_TIMEOUT = 1_000;

/** On a channel of its own: asking for a queue that is not there closes it. */
async function countMessages(link: Link, queue: string): Promise<number | undefined> {
  if (link.trouble() !== undefined) return undefined;
  const count = async (): Promise<number | undefined> => {
    const channel = await (await link.connection()).createChannel();
    channel.on('error', () => undefined);
    const { messageCount } = await channel.checkQueue(queue);
    await channel.close();
    return messageCount;
  };
  const late = sleep(COUNT_TIMEOUT, undefined, { ref: false });
  return Promise.race([count().catch(() => undefined), late]);
}
