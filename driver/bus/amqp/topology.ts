import { randomUUID } from 'node:crypto';
import type { Channel, Options } from 'amqplib';
import type { AmqpSettings } from './settings';

/** An exchange as both sides declare it; who declares it otherwise is refused by the broker. */
export interface Exchange {
  readonly name: string;
  readonly type: 'topic' | 'fanout';
  readonly options: Options.AssertExchange;
}

/** A queue and where its messages come from; without a source, from the default exchange alone. */
export interface Queue {
  readonly name: string;
  readonly options: Options.AssertQueue;
  readonly source?: { readonly exchange: Exchange; readonly key: string };
}

/** Casts, calls and notifications go there, by the name of their topic. */
export function controlExchange({ exchange: name, durable, autoDelete }: AmqpSettings): Exchange {
  return { name, type: 'topic', options: { durable, autoDelete } };
}

/** Broadcasts of one topic. */
export function fanoutExchange({ transientQuorum }: AmqpSettings, topic: string): Exchange {
  return { name: `${topic}_fanout`, type: 'fanout', options: { durable: transientQuorum, autoDelete: true } };
}

/** What several share: a topic's, one server's (`<topic>.<server>`), or one of notifications. */
export function sharedQueue(settings: AmqpSettings, name: string): Queue {
  const { durable, autoDelete, sharedArguments } = settings;
  return {
    name,
    options: { durable, autoDelete, exclusive: false, arguments: sharedArguments },
    source: { exchange: controlExchange(settings), key: name },
  };
}

/** Broadcasts for one listener. Give it a name once: a listener that comes back finds its queue again. */
export function fanoutQueue(settings: AmqpSettings, topic: string): Queue {
  return {
    ...transientQueue(settings, `${topic}_fanout_${hexId()}`),
    source: { exchange: fanoutExchange(settings, topic), key: topic },
  };
}

/** Answers to the calls of one process. */
export function replyQueue(settings: AmqpSettings): Queue {
  return transientQueue(settings, `reply_${hexId()}`);
}

function transientQueue({ transientQuorum, transientArguments }: AmqpSettings, name: string): Queue {
  return {
    name,
    options: { durable: transientQuorum, autoDelete: false, exclusive: false, arguments: transientArguments },
  };
}

/** 32 hexadecimal digits, as oslo.messaging has its ids. */
export function hexId(): string {
  return randomUUID().replaceAll('-', '');
}

export async function declareExchange(channel: Channel, { name, type, options }: Exchange): Promise<void> {
  await channel.assertExchange(name, type, options);
}

/** The exchange it reads from, the queue, and the binding of both. */
export async function declareQueue(channel: Channel, { name, options, source }: Queue): Promise<void> {
  if (source) await declareExchange(channel, source.exchange);
  await channel.assertQueue(name, options);
  if (source) await channel.bindQueue(name, source.exchange.name, source.key);
}
