import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, ChannelModel } from 'amqplib';
import type { Logger } from 'pino';
import { UnavailableError } from '../../domain/errors';
import { backOff, closedError, type Link, messageOf } from './link';
import type { AmqpSettings } from './settings';

/** A channel that is opened anew, with everything declared on it, whenever it or its connection is lost. */
export interface KeptChannel<C extends Channel> {
  /** Waits for the attempt under way, not for one after a failure: that is thrown at once. @throws UnavailableError */
  up(): Promise<C>;
  /** Opens no more; the channel that is open is closed. */
  close(): Promise<void>;
}

export interface KeptChannelParts<C extends Channel> {
  readonly link: Link;
  readonly log: Logger;
  readonly retry: AmqpSettings['retry'];
  /** For the log: "publisher", "octavia_provisioning_v2". */
  readonly name: string;
  open(connection: ChannelModel): Promise<C>;
  /** Declares and consumes; fails as the broker refuses. */
  setUp?(channel: C): Promise<void>;
}

/** The channel that is open, what it is waited for with, or why there is none. */
interface State<C> {
  channel?: C | undefined;
  failure?: UnavailableError | undefined;
  readonly waiting: Set<{ resolve: (channel: C) => void; reject: (error: Error) => void }>;
}

/** A channel's farewell takes no longer; one that was up so long was no refusal. Milliseconds. */
const FAREWELL = 2_000;
const STEADY = 5_000;

export function keepChannel<C extends Channel>(parts: KeptChannelParts<C>): KeptChannel<C> {
  const { link, log, name, retry } = parts;
  const closing = new AbortController();
  const ended = AbortSignal.any([closing.signal, link.closed]);
  const delayOf = backOff(retry, Math.random);
  const state: State<C> = { waiting: new Set() };

  const hold = async (): Promise<void> => {
    for (let refusals = 0; !ended.aborted; ) {
      const connection = await link.connection().catch((error: UnavailableError) => fail(state, error));
      if (!connection) continue;
      const from = performance.now();
      const reason = await openAndHold(connection, { state, parts, ended });
      if (ended.aborted) return;
      if (reason === undefined || !link.isUp()) continue;
      log.warn({ channel: name, reason }, 'the message broker refuses something; it is tried again');
      refusals = performance.now() - from > STEADY ? 1 : refusals + 1;
      // The first time may be a matter of the past: whoever waits goes on waiting.
      if (refusals === 1) continue;
      fail(state, new UnavailableError(`The message broker refuses: ${reason}`));
      await sleep(delayOf(refusals - 2), undefined, { signal: ended }).catch(() => undefined);
    }
  };
  const holding = hold().finally(() => fail(state, closedError()));
  return {
    async up() {
      if (state.channel) return state.channel;
      if (ended.aborted) throw closedError();
      if (state.failure) throw state.failure;
      return new Promise((resolve, reject) => state.waiting.add({ resolve, reject }));
    },
    async close() {
      closing.abort();
      if (!state.channel) return fail(state, closedError());
      const late = sleep(FAREWELL, undefined, { ref: false });
      await Promise.race([state.channel.close().catch(() => undefined), late]);
      await Promise.race([holding, late]);
    },
  };
}

/** @returns why the broker refused or closed the channel; undefined when connection or channel just went */
async function openAndHold<C extends Channel>(
  connection: ChannelModel,
  { state, parts, ended }: { state: State<C>; parts: KeptChannelParts<C>; ended: AbortSignal },
): Promise<string | undefined> {
  try {
    const { channel, lost } = await openChannel(connection, parts);
    if (ended.aborted) {
      await channel.close().catch(() => undefined);
      return undefined;
    }
    succeed(state, channel);
    return await lost;
  } catch (error) {
    return messageOf(error);
  } finally {
    state.channel = undefined;
  }
}

function succeed<C>(state: State<C>, channel: C): void {
  state.channel = channel;
  state.failure = undefined;
  for (const { resolve } of state.waiting) resolve(channel);
  state.waiting.clear();
}

function fail<C>(state: State<C>, error: UnavailableError): undefined {
  state.failure = error;
  for (const { reject } of state.waiting) reject(error);
  state.waiting.clear();
}

/** @returns `lost` resolves when the channel is gone: to the broker's reason, or undefined when its connection went */
async function openChannel<C extends Channel>(
  connection: ChannelModel,
  { open, setUp }: KeptChannelParts<C>,
): Promise<{ channel: C; lost: Promise<string | undefined> }> {
  const channel = await open(connection);
  let reason: string | undefined;
  channel.on('error', (error: Error) => {
    reason = messageOf(error);
  });
  const lost = new Promise<string | undefined>((resolve) => channel.on('close', () => resolve(reason)));
  try {
    await setUp?.(channel);
  } catch (error) {
    await channel.close().catch(() => undefined);
    throw reason === undefined ? error : new Error(reason);
  }
  return { channel, lost };
}
