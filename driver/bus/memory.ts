import type { Logger } from 'pino';
import { UnavailableError } from '../domain/errors';
import type { Bus, BusHandler, BusMessage, Subscription } from './port';

export interface MemoryBusDeps {
  /** Where failures of handlers are told; a handler never fails its publisher. */
  readonly log: Logger;
}

interface Subscriber {
  readonly handler: BusHandler;
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

  const post = async (name: string, message: BusMessage, choose: (topic: Topic) => readonly Subscriber[]) => {
    if (closed) throw new UnavailableError('The message bus is closed.');
    const delivery = new Promise<void>((resolve) => {
      setImmediate(() => {
        for (const subscriber of choose(topicNamed(name))) run(subscriber, { name, message }, log);
        resolve();
      });
    });
    track(undelivered, delivery);
  };

  return {
    publish: (name, message) => post(name, message, takeTurn),
    broadcast: (name, message) => post(name, message, (topic) => [...topic.listeners]),
    async subscribe(name, handler) {
      const subscriber: Subscriber = { handler, running: new Set() };
      const { sharers } = topicNamed(name);
      sharers.push(subscriber);
      return subscription(subscriber, () => void sharers.splice(sharers.indexOf(subscriber), 1));
    },
    async subscribeBroadcast(name, handler) {
      const subscriber: Subscriber = { handler, running: new Set() };
      const { listeners } = topicNamed(name);
      listeners.add(subscriber);
      return subscription(subscriber, () => void listeners.delete(subscriber));
    },
    async close() {
      closed = true;
      await Promise.all(undelivered);
      const subscribers = [...topics.values()].flatMap(({ sharers, listeners }) => [...sharers, ...listeners]);
      await Promise.all(subscribers.flatMap(({ running }) => [...running]));
      topics.clear();
    },
  };
}

function takeTurn({ sharers }: Topic): readonly Subscriber[] {
  const next = sharers.shift();
  if (!next) return [];
  sharers.push(next);
  return [next];
}

function run(subscriber: Subscriber, { name, message }: { name: string; message: BusMessage }, log: Logger): void {
  const handled = (async () => subscriber.handler(message))().catch((err: unknown) =>
    log.warn({ err, topic: name, method: message.method, lb: message.loadBalancerId }, 'a bus handler failed'),
  );
  track(subscriber.running, handled);
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
