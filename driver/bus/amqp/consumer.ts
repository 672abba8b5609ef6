import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { Logger } from 'pino';
import type { Subscription } from '../port';
import { MalformedError, unwrap, type Wire } from './envelope';
import { keepChannel } from './keptChannel';
import { type Link, messageOf } from './link';
import type { AmqpMetrics } from './metrics';
import { createSeen, type Seen } from './seen';
import type { AmqpSettings } from './settings';
import { declareQueue, type Queue } from './topology';

/** A message that has come, its envelope taken off. */
export interface Delivery {
  readonly inner: Wire;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface ConsumerDeps {
  readonly link: Link;
  readonly settings: AmqpSettings;
  readonly log: Logger;
  readonly metrics: AmqpMetrics;
}

export interface Consumed {
  /** For logs and metrics. */
  readonly topic: string;
  readonly queues: readonly Queue[];
  /** What it throws is logged; the message is never given to it again. */
  handle(delivery: Delivery): Promise<void>;
}

/** How long a subscription waits for a broker that is away before it goes on without. Milliseconds. */
const PATIENCE = 5_000;

/**
 * Takes the messages of some queues until it is closed. A message is acknowledged when it has been handled, however that
 * ended; one that comes a second time is acknowledged first: whatever it does, it does not come a third time.
 */
export async function consume(deps: ConsumerDeps, consumed: Consumed): Promise<Subscription> {
  const { link, settings, log } = deps;
  const { topic, queues } = consumed;
  const running = new Set<Promise<void>>();
  const seen = createSeen();
  let closing = false;
  let tags: { channel: Channel; names: string[] } | undefined;

  const take = (channel: Channel, message: ConsumeMessage | null): void => {
    if (message === null) {
      // The queue was deleted: everything is declared anew.
      void channel.close().catch(() => undefined);
      return;
    }
    if (closing) {
      settle(() => channel.nack(message, false, true));
      return;
    }
    const work = takeOne({ ...deps, seen }, consumed, { channel, message }).finally(() => running.delete(work));
    running.add(work);
  };
  const kept = keepChannel({
    ...{ link, log, name: topic, retry: settings.retry },
    open: (connection) => connection.createChannel(),
    async setUp(channel) {
      await channel.prefetch(settings.prefetch);
      const names: string[] = [];
      for (const queue of queues) {
        await declareQueue(channel, queue);
        const { consumerTag } = await channel.consume(queue.name, (message) => take(channel, message));
        names.push(consumerTag);
      }
      tags = { channel, names };
    },
  });
  const late = new AbortController();
  await Promise.race([
    kept.up().catch((error: unknown) => log.warn({ topic, reason: messageOf(error) }, 'listening as soon as can be')),
    sleep(PATIENCE, undefined, { signal: late.signal }).catch(() => undefined),
  ]);
  late.abort();
  return {
    async close() {
      closing = true;
      const { channel, names } = tags ?? { names: [] };
      await Promise.all(names.map((name) => channel?.cancel(name).catch(() => undefined)));
      await Promise.all(running);
      await kept.close();
    },
  };
}

async function takeOne(
  { log, metrics, seen }: ConsumerDeps & { seen: Seen },
  { topic, handle }: Consumed,
  { channel, message }: { channel: Channel; message: ConsumeMessage },
): Promise<void> {
  const { redelivered } = message.fields;
  const acknowledge = () => settle(() => channel.ack(message));
  if (redelivered) acknowledge();
  let outcome: 'handled' | 'failed' | 'malformed' | 'repeated' = 'handled';
  try {
    const inner = unwrap(message.content);
    if (seen.has(inner['_unique_id'])) outcome = 'repeated';
    else await handle({ inner, headers: message.properties.headers ?? {} });
  } catch (err) {
    outcome = err instanceof MalformedError ? 'malformed' : 'failed';
    log.warn({ err, topic, bytes: message.content.length }, `a message was dropped: it was ${outcome}`);
  }
  metrics.received(topic, outcome);
  if (!redelivered) acknowledge();
}

/** On a channel that is gone there is nothing to settle: the broker has taken the message back. */
function settle(act: () => void): void {
  try {
    act();
  } catch {
    // The channel has just been closed.
  }
}
