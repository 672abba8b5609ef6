import type { Logger } from 'pino';
import { UnavailableError } from '../domain/errors';
import { chooseMethod } from './dispatch';
import { type Bus, type BusMessage, type CallOptions, RemoteError, RPC_TARGETS, type Subscription } from './port';

export interface MemoryBusDeps {
  /** Where failures of handlers are told; a handler never fails its publisher. */
  readonly log: Logger;
}

/** What is taken from a topic: a message, and by calls where its answer goes. */
interface Delivery {
  readonly message: BusMessage;
  readonly target: CallOptions;
  readonly reply?: { readonly resolve: (answer: unknown) => void; readonly reject: (error: Error) => void };
}

interface Subscriber {
  readonly handle: (delivery: Delivery) => unknown;
  readonly running: Set<Promise<void>>;
}

interface Topic {
  /** The subscriber whose turn it is stands first. */
  readonly sharers: Subscriber[];
  readonly listeners: Set<Subscriber>;
}

/**
 * The bus of a single process. Delivery is asynchronous (in a later turn of the event loop, in order of publication),
 * at most once, and to whoever is subscribed at the time of delivery: a message without a subscriber is dropped, which
 * the sweep makes good. `close` lets every message already published run to its end, then refuses further ones.
 */
export function createMemoryBus({ log }: MemoryBusDeps): Bus {
  const topics = new Map<string, Topic>();
  const undelivered = new Set<Promise<void>>();
  let closed = false;

  const topicNamed = (name: string): Topic => {
    const known = topics.get(name);
    if (known) return known;
    const topic: Topic = { sharers: [], listeners: new Set() };
    topics.set(name, topic);
    return topic;
  };

  const post = async (name: string, delivery: Delivery, choose: (topic: Topic) => readonly Subscriber[]) => {
    if (closed) throw new UnavailableError('The message bus is closed.');
    const delivered = new Promise<void>((resolve) => {
      setImmediate(() => {
        const chosen = choose(topicNamed(name));
        for (const subscriber of chosen) run(subscriber, { name, delivery }, log);
        if (chosen.length === 0) delivery.reply?.reject(nobodyAnswers(name));
        resolve();
      });
    });
    track(undelivered, delivered);
  };

  const share = async (name: string, handle: Subscriber['handle']): Promise<Subscription> => {
    const subscriber: Subscriber = { handle, running: new Set() };
    const { sharers } = topicNamed(name);
    sharers.push(subscriber);
    return subscription(subscriber, () => void sharers.splice(sharers.indexOf(subscriber), 1));
  };

  return {
    publish: (name, message) => post(name, { message, target: RPC_TARGETS[name] ?? {} }, takeTurn),
    broadcast: (name, message) => post(name, { message, target: {} }, (topic) => [...topic.listeners]),
    subscribe: (name, handler) => share(name, ({ message }) => handler(message)),
    async subscribeBroadcast(name, handler) {
      const subscriber: Subscriber = { handle: ({ message }) => handler(message), running: new Set() };
      const { listeners } = topicNamed(name);
      listeners.add(subscriber);
      return subscription(subscriber, () => void listeners.delete(subscriber));
    },
    serve: (name, endpoint) =>
      share(name, ({ message, target }) =>
        chooseMethod(endpoint, { ...target, method: message.method })({ ...message, context: {} }),
      ),
    call: (name, message, options = {}) =>
      new Promise((resolve, reject) => {
        const target = { ...RPC_TARGETS[name], ...options };
        post(name, { message, target, reply: { resolve, reject } }, takeTurn).catch(reject);
      }),
    trouble: () => (closed ? 'The message bus is closed.' : undefined),
    depth: async () => 0,
    async close() {
      closed = true;
      await Promise.all(undelivered);
      const subscribers = [...topics.values()].flatMap(({ sharers, listeners }) => [...sharers, ...listeners]);
      await Promise.all(subscribers.flatMap(({ running }) => [...running]));
      topics.clear();
    },
  };
}

function nobodyAnswers(topic: string): UnavailableError {
  return new UnavailableError(`Nobody answers calls of ${topic}.`);
}

function takeTurn({ sharers }: Topic): readonly Subscriber[] {
  const next = sharers.shift();
  if (!next) return [];
  sharers.push(next);
  return [next];
}

function run(subscriber: Subscriber, { name, delivery }: { name: string; delivery: Delivery }, log: Logger): void {
  const { message, reply } = delivery;
  const handled = (async () => subscriber.handle(delivery))().then(
    (answer) => reply?.resolve(answer ?? null),
    (err: unknown) => {
      reply?.reject(toRemote(err));
      log.warn({ err, topic: name, method: message.method, lb: message.loadBalancerId }, 'a bus handler failed');
    },
  );
  track(subscriber.running, handled);
}

function toRemote(error: unknown): RemoteError {
  return error instanceof Error ? new RemoteError(error.name, error.message) : new RemoteError('Error', String(error));
}

function subscription(subscriber: Subscriber, leave: () => void): Subscription {
  let left = false;
  return {
    async close() {
      if (!left) leave();
      left = true;
      await Promise.all(subscriber.running);
    },
  };
}

function track(set: Set<Promise<void>>, work: Promise<void>): void {
  const tracked = work.finally(() => set.delete(tracked));
  set.add(tracked);
}
