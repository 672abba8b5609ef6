import { setTimeout as sleep } from 'node:timers/promises';
import { type ChannelModel, connect, credentials } from 'amqplib';
import type { Logger } from 'pino';
import { UnavailableError } from '../../domain/errors';
import type { AmqpSettings } from './settings';
import type { Broker } from './transportUrl';

/** The connection of one process to its broker, made anew whenever it is lost. Nothing it meets ends the process. */
export interface Link {
  /** The connection, or the next attempt at one, which a pause may precede. @throws UnavailableError when that fails */
  connection(): Promise<ChannelModel>;
  /** Why there is none, or none that takes messages; undefined when all is well. */
  trouble(): string | undefined;
  /** Whether there is one, though it may take no messages now. */
  isUp(): boolean;
  readonly closed: AbortSignal;
  close(): Promise<void>;
}

export interface LinkDeps {
  readonly settings: AmqpSettings;
  readonly log: Logger;
  /** 0 to 1: processes that lost the same broker come back one after the other. */
  readonly random?: () => number;
  readonly onConnected?: () => void;
}

/** How long a handshake may take, and a farewell. Milliseconds. */
const HANDSHAKE = 10_000;
const FAREWELL = 2_000;
/** A connection that is lost sooner is followed by a pause, as a failed attempt is. Milliseconds. */
const STEADY = 5_000;

export function createLink(deps: LinkDeps): Link {
  const { settings, log, random = Math.random } = deps;
  const closing = new AbortController();
  const nextBroker = takeTurns(settings, random);
  const delayOf = backOff(settings.retry, random);
  const state: LinkState = {
    trouble: 'The message broker has not been reached yet.',
    up: false,
    failures: 0,
    brief: 0,
  };

  const connectOnce = async (): Promise<ChannelModel> => {
    const broker = nextBroker();
    const at = addressOf(broker);
    const connection = await connectTo(broker, settings).catch((error: unknown) => {
      throw new Error(`${at}: ${messageOf(error)}`);
    });
    if (closing.signal.aborted) await farewell(connection);
    else watch(connection, { state, at, log, closed: closing.signal });
    log.info({ broker: at }, 'connected to the message broker');
    deps.onConnected?.();
    return connection;
  };
  /** Every node has its chance; a pause precedes all rounds but the first. */
  const attempt = async (): Promise<ChannelModel> => {
    if (state.failures > 0) {
      await sleep(delayOf(state.failures - 1), undefined, { signal: closing.signal }).catch(() => undefined);
    }
    const reasons: string[] = [];
    while (reasons.length < settings.brokers.length && !closing.signal.aborted) {
      try {
        return await connectOnce();
      } catch (error) {
        reasons.push(messageOf(error));
      }
    }
    state.failures += 1;
    state.current = undefined;
    state.trouble = `The message broker cannot be reached: ${reasons.join('; ')}`;
    if (!closing.signal.aborted) log.warn({ reasons }, 'the message broker cannot be reached');
    throw new UnavailableError(state.trouble);
  };
  return {
    async connection() {
      if (closing.signal.aborted) throw closedError();
      state.current ??= attempt();
      return state.current;
    },
    trouble: () => (closing.signal.aborted ? closedError().message : state.trouble),
    isUp: () => state.up && !closing.signal.aborted,
    closed: closing.signal,
    async close() {
      closing.abort();
      const last = await state.current?.catch(() => undefined);
      if (last) await farewell(last);
    },
  };
}

interface LinkState {
  current?: Promise<ChannelModel> | undefined;
  trouble: string | undefined;
  up: boolean;
  /** Rounds that failed since the last that did not; where connections do not last, those count too. */
  failures: number;
  /** Connections in a row that were lost at once. */
  brief: number;
}

function watch(
  connection: ChannelModel,
  { state, at, log, closed }: { state: LinkState; at: string; log: Logger; closed: AbortSignal },
): void {
  const from = performance.now();
  state.trouble = undefined;
  state.up = true;
  state.failures = 0;
  let reason = 'it was closed';
  connection.on('error', (error: Error) => {
    reason = messageOf(error);
  });
  connection.on('close', () => {
    state.current = undefined;
    state.up = false;
    state.brief = performance.now() - from > STEADY ? 0 : state.brief + 1;
    state.failures = state.brief;
    state.trouble = `The message broker is away: ${reason}`;
    if (!closed.aborted) log.warn({ broker: at, reason }, 'the message broker was lost');
  });
  connection.on('blocked', (why: string) => {
    state.trouble = `The message broker takes no messages now: ${why}`;
    log.warn({ broker: at, why }, 'the message broker takes no messages now');
  });
  connection.on('unblocked', () => {
    state.trouble = undefined;
  });
}

export function closedError(): UnavailableError {
  return new UnavailableError('The message bus is closed.');
}

/** Growing pauses, a fifth of each left to chance. */
export function backOff({ first, factor, most }: AmqpSettings['retry'], random: () => number) {
  return (attempt: number): number => Math.min(most, first * factor ** Math.min(attempt, 30)) * (0.9 + 0.2 * random());
}

function takeTurns({ brokers, shuffle }: AmqpSettings, random: () => number): () => Broker {
  const pick = () => Math.floor(random() * brokers.length) % brokers.length;
  let next = pick();
  return () => {
    const broker = brokers[next] as Broker;
    next = shuffle ? pick() : (next + 1) % brokers.length;
    return broker;
  };
}

async function connectTo(broker: Broker, settings: AmqpSettings): Promise<ChannelModel> {
  const { hostname, port, username, password } = broker;
  const { tls, heartbeat, loginMethod, virtualHost } = settings;
  const login =
    loginMethod === 'EXTERNAL'
      ? credentials.external()
      : credentials[loginMethod === 'PLAIN' ? 'plain' : 'amqplain'](username, password);
  const where = { protocol: tls ? 'amqps' : 'amqp', hostname, port, heartbeat };
  const options = {
    ...tls,
    credentials: login,
    timeout: HANDSHAKE,
    noDelay: true,
    keepAlive: true,
    keepAliveDelay: 30_000,
    clientProperties: { connection_name: `slipstream:${process.pid}` },
  };
  // The library takes the virtual host as it would stand in a URL.
  return connect({ ...where, vhost: encodeURIComponent(virtualHost) }, options);
}

/** A broker that does not answer is not waited for. */
async function farewell(connection: ChannelModel): Promise<void> {
  connection.on('error', () => undefined);
  const closed = new AbortController();
  const late = sleep(FAREWELL, 'late', { signal: closed.signal, ref: false }).catch(() => undefined);
  const end = await Promise.race([connection.close().catch(() => undefined), late]);
  closed.abort();
  if (end === 'late') giveUp(connection);
}

/** The library lets go of a silent connection, and of its timer, only when its socket fails. */
function giveUp(connection: ChannelModel): void {
  const { stream } = connection.connection as { readonly stream?: { destroy(error: Error): void } };
  stream?.destroy(new Error('given up'));
}

function addressOf({ hostname, port }: Broker): string {
  return hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
