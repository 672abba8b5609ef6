import type { ConfirmChannel, Message, Options } from 'amqplib';
import type { Logger } from 'pino';
import { UnavailableError } from '../../domain/errors';
import { PROPERTIES } from './envelope';
import { type KeptChannel, keepChannel } from './keptChannel';
import { type Link, messageOf } from './link';
import type { AmqpSettings } from './settings';
import { declareExchange, declareQueue, type Exchange, hexId, type Queue } from './topology';

/** A message on its way out. */
export interface Outgoing {
  /** Declared before its first message; absent for the default exchange. */
  readonly exchange?: Exchange;
  /** Declared besides, so that the message waits for whoever comes. */
  readonly queue?: Queue;
  readonly key: string;
  readonly body: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds after which the broker drops it. */
  readonly expiration?: number;
  /** Refused with an UnroutableError when no queue takes it. */
  readonly mandatory?: boolean;
}

/** Nobody has the queue that the message was for. */
export class UnroutableError extends Error {
  override readonly name = 'UnroutableError';
}

export interface Publisher {
  /** Resolves when the broker has confirmed. @throws UnavailableError within a bound; UnroutableError */
  send(message: Outgoing): Promise<void>;
  /** What is wrong though there is a connection: nothing is confirmed. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

export interface PublisherDeps {
  readonly link: Link;
  readonly settings: AmqpSettings;
  readonly log: Logger;
  /** For the log; every publisher has a channel of its own. */
  readonly name: string;
}

/** What has been declared on one channel, and what it has returned. */
interface ChannelState {
  readonly declared: Map<string, Promise<void>>;
  readonly returned: Set<string>;
}

export function createPublisher({ link, settings, log, name }: PublisherDeps): Publisher {
  const states = new WeakMap<ConfirmChannel, ChannelState>();
  let unconfirmed = 0;
  let overdue: string | undefined;
  const kept: KeptChannel<ConfirmChannel> = keepChannel({
    ...{ link, log, name, retry: settings.retry },
    open: (connection) => connection.createConfirmChannel(),
    async setUp(channel) {
      const state: ChannelState = { declared: new Map(), returned: new Set() };
      states.set(channel, state);
      overdue = undefined;
      channel.on('return', ({ properties }: Message) => state.returned.add(String(properties.messageId)));
    },
  });

  const attempt = async (message: Outgoing): Promise<void> => {
    const channel = await kept.up();
    const state = states.get(channel);
    if (!state) throw new UnavailableError('The message broker is away.');
    await declareOnce(channel, state, message);
    await publish(channel, state, message);
  };
  /** An exchange may go when its last listener goes: the broker then closes the channel, and the next declares it. */
  const attemptTwice = async (message: Outgoing): Promise<void> => {
    await attempt(message).catch((error: unknown) => {
      if (error instanceof ChannelLostError) return attempt(message);
      throw error;
    });
    overdue = undefined;
  };
  return {
    async send(message) {
      if (unconfirmed >= settings.maxUnconfirmed) {
        throw new UnavailableError(`The message broker has ${unconfirmed} messages to confirm: no more are sent.`);
      }
      unconfirmed += 1;
      // One that nobody waits for any more is still in this process's memory, and may be confirmed late.
      const work = attemptTwice(message).finally(() => {
        unconfirmed -= 1;
      });
      try {
        await inTime(settings.publishTimeout, work);
      } catch (error) {
        if (error instanceof OverdueError) overdue = error.message;
        if (error instanceof UnroutableError || error instanceof UnavailableError) throw error;
        throw new UnavailableError(`The message broker did not take a message: ${messageOf(error)}`);
      }
    },
    trouble: () => overdue,
    close: () => kept.close(),
  };
}

/** The channel went before it confirmed. */
class ChannelLostError extends Error {
  override readonly name = 'ChannelLostError';
}

async function declareOnce(channel: ConfirmChannel, state: ChannelState, message: Outgoing): Promise<void> {
  const { exchange, queue } = message;
  const name = queue ? `queue ${queue.name}` : exchange?.name;
  if (name === undefined) return;
  const declared =
    state.declared.get(name) ?? (queue ? declareQueue(channel, queue) : exchange && declareExchange(channel, exchange));
  if (declared) state.declared.set(name, declared);
  await declared?.catch((error: unknown) => {
    throw new ChannelLostError(messageOf(error));
  });
}

function publish(channel: ConfirmChannel, { returned }: ChannelState, message: Outgoing): Promise<void> {
  const { exchange, key, body, headers = {}, expiration, mandatory = false } = message;
  const messageId = mandatory ? hexId() : undefined;
  const options: Options.Publish = {
    ...PROPERTIES,
    headers,
    mandatory,
    ...(messageId !== undefined && { messageId }),
    ...(expiration !== undefined && { expiration: String(expiration) }),
  };
  return new Promise((resolve, reject) => {
    // The library tells of a channel that closes by calling it too.
    const confirmed = (error: unknown): void => {
      if (error) reject(new ChannelLostError(messageOf(error)));
      else if (messageId !== undefined && returned.delete(messageId))
        reject(new UnroutableError(`no queue for ${key}`));
      else resolve();
    };
    try {
      channel.publish(exchange?.name ?? '', key, body, options, confirmed);
    } catch (error) {
      // A channel that has just been closed throws.
      confirmed(error);
    }
  });
}

/** No confirmation came in time. */
class OverdueError extends UnavailableError {}

async function inTime(limit: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const refuse = () => reject(new OverdueError(`The message broker did not confirm within ${limit} ms.`));
    timer = setTimeout(refuse, limit);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
