import type { Logger } from 'pino';
import { type Bus, PROVISIONING_TOPIC } from '../../driver/bus/port';
import type { Db } from '../../driver/db/connect';
import { deleteOutbox, type OutboxMessage } from '../../driver/db/outbox';

/** Sends what committed changes left in the outbox. Answers do not wait for it: a lost hint is found by the sweep. */
export interface Publisher {
  publish(messages: readonly OutboxMessage[]): void;
  /** Resolves when everything handed over so far is published and removed, or has failed. */
  idle(): Promise<void>;
}

export interface PublisherDeps {
  readonly db: Db;
  readonly bus: Bus;
  readonly log: Logger;
  /** Milliseconds that published rows are gathered before one statement removes them. */
  readonly batchAfter?: number;
}

export function createPublisher({ db, bus, log, batchAfter = 100 }: PublisherDeps): Publisher {
  const underWay = new Set<Promise<void>>();
  let published: string[] = [];
  let timer: NodeJS.Timeout | undefined;

  const track = (work: Promise<void>) => {
    const tracked: Promise<void> = work.finally(() => underWay.delete(tracked));
    underWay.add(tracked);
  };
  const removeBatch = async () => {
    clearTimeout(timer);
    timer = undefined;
    const ids = published;
    published = [];
    try {
      await deleteOutbox(db, ids);
    } catch (error) {
      log.warn({ err: error, count: ids.length }, 'published outbox rows stay for the relay');
    }
  };
  const send = async (message: OutboxMessage) => {
    try {
      await bus.publish(message.topic, toBusMessage(message));
    } catch (error) {
      log.warn({ err: error, topic: message.topic, method: message.method }, 'the relay will publish this hint');
      return;
    }
    published.push(message.id);
    timer ??= setTimeout(() => track(removeBatch()), batchAfter);
  };

  return {
    publish: (messages) => {
      for (const message of messages) track(send(message));
    },
    idle: async () => {
      while (underWay.size > 0 || published.length > 0) {
        await Promise.all(underWay);
        if (published.length > 0) await removeBatch();
      }
    },
  };
}

function toBusMessage({ method, args, loadBalancerId }: OutboxMessage) {
  return { method, args, ...(loadBalancerId !== null && { loadBalancerId }) };
}

/** The hint of a change: Octavia's cast. */
export function castOf(id: string, loadBalancerId: string, cast: Cast): OutboxMessage {
  return { id, topic: PROVISIONING_TOPIC, method: cast.method, args: cast.args, loadBalancerId };
}

/** Method and arguments of Octavia's RPC. */
export interface Cast {
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
}
