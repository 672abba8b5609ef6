import type { Logger } from 'pino';
import type { Db } from '../db/connect';
import type { Ack } from '../protocol/messages';
import { type Bounded, createBounded } from './bounded';
import { type Composed, composeMessage, SpecError } from './compose';
import type { EngineLink } from './connections';
import { answers, type Delivery, isAnswered, newDelivery, noteDelivered, undelivered, waitForAnswer } from './delivery';
import type { MaterialSource } from './materials/source';
import type { HealthMetrics } from './metrics';
import type { NetworkPusher } from './networks';
import type { HealthSettings } from './settings';

/**
 * Brings specs and removals to engines. Of one load balancer on one engine one thing is under way, and what comes
 * meanwhile is done once, after it, with the newest rows. An engine has so many to answer for at a time, so that a slow
 * one delays nobody else.
 */
export interface Pusher {
  /** Something may have changed. Resolves when the engine has been told and has answered, or is given up. */
  request(link: EngineLink, loadBalancerId: string): Promise<void>;
  /** Something may be left to do, unless it is being done now. */
  remind(link: EngineLink, loadBalancerId: string): void;
  /** An acknowledgement has come; of a spec, a removal, or of what an engine held when it connected. */
  acknowledged(link: EngineLink, ack: Ack): void;
  /** Resolves when nothing is under way; closed connections end what is. */
  idle(): Promise<void>;
  drop(link: EngineLink): void;
}

export interface PusherDeps {
  readonly db: Db;
  readonly log: Logger;
  readonly settings: Pick<HealthSettings, 'buildConcurrency' | 'pushWindow' | 'ackTimeout' | 'spec'>;
  readonly metrics: HealthMetrics;
  readonly materials: MaterialSource;
  readonly networks: Pick<NetworkPusher, 'placeOf'>;
  /** The engine's answer is known and the rows do not show it yet. */
  readonly onAnswered: (link: EngineLink, ack: Ack) => void;
  /** Nothing of that generation can be put in force. Told once a generation. */
  readonly onUnbuildable: (link: EngineLink, error: SpecError) => void;
}

/** What the pusher remembers of a connection. */
interface Lane {
  readonly deliveries: Map<string, Delivery>;
  readonly window: Bounded;
}

export function createPusher(deps: PusherDeps): Pusher {
  const lanes = new WeakMap<EngineLink, Lane>();
  const builds = createBounded(deps.settings.buildConcurrency);
  const running = new Set<Promise<void>>();

  const laneOf = (link: EngineLink): Lane => {
    const known = lanes.get(link);
    if (known) return known;
    const lane = { deliveries: new Map(), window: createBounded(deps.settings.pushWindow) };
    lanes.set(link, lane);
    return lane;
  };
  const deliveryOf = (link: EngineLink, id: string): Delivery => {
    const { deliveries } = laneOf(link);
    const delivery = deliveries.get(id) ?? newDelivery();
    deliveries.set(id, delivery);
    return delivery;
  };
  const request = (link: EngineLink, id: string): Promise<void> => {
    const delivery = deliveryOf(link, id);
    delivery.again = true;
    if (!link.open) return Promise.resolve();
    delivery.running ??= deliver({ link, id, delivery, lane: laneOf(link), builds }, deps)
      .catch((err: unknown) => deps.log.warn({ err, engine: link.engineId, lb: id }, 'a spec could not be sent'))
      .finally(() => {
        if (delivery.running) running.delete(delivery.running);
        delivery.running = undefined;
        if (delivery.acked?.outcome === 'removed') laneOf(link).deliveries.delete(id);
      });
    running.add(delivery.running);
    return delivery.running;
  };
  return {
    request,
    remind(link, id) {
      if (!deliveryOf(link, id).running) void request(link, id);
    },
    acknowledged(link, ack) {
      const delivery = deliveryOf(link, ack.id);
      delivery.acked = ack;
      if (ack.outcome === 'removed') link.held.delete(ack.id);
      if (delivery.sent && answers(ack, delivery.sent)) delivery.wake?.();
    },
    idle: async () => {
      while (running.size > 0) await Promise.all(running);
    },
    drop(link) {
      for (const delivery of lanes.get(link)?.deliveries.values() ?? []) delivery.wake?.();
    },
  };
}

interface DeliveryRun {
  readonly link: EngineLink;
  readonly id: string;
  readonly delivery: Delivery;
  readonly lane: Lane;
  readonly builds: Bounded;
}

async function deliver(run: DeliveryRun, deps: PusherDeps): Promise<void> {
  const { link, delivery, lane } = run;
  while (delivery.again && link.open) {
    await lane.window.run(async () => {
      delivery.again = false;
      const composed = await compose(run, deps);
      if (composed && link.open) await send(run, composed, deps);
    });
  }
}

async function compose({ link, id, delivery, builds }: DeliveryRun, deps: PusherDeps): Promise<Composed | undefined> {
  try {
    return await composeMessage({ ...deps, builds }, link, id);
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    if (delivery.toldOf !== error.generation) deps.onUnbuildable(link, error);
    delivery.toldOf = error.generation;
    return undefined;
  }
}

async function send(
  { link, id, delivery }: DeliveryRun,
  { message, behind }: Composed,
  { settings, onAnswered, metrics }: PusherDeps,
): Promise<void> {
  if (!message) return;
  if (delivery.acked && isAnswered(delivery, message)) {
    onAnswered(link, delivery.acked);
    return;
  }
  if (behind) delivery.again = true;
  const { generation, epoch } = message.type === 'put' ? message.spec : message;
  link.held.set(id, { generation, epoch });
  delivery.sent = message;
  const answered = waitForAnswer(delivery, settings.ackTimeout);
  link.send(message.type === 'put' ? undelivered(delivery, message) : message);
  metrics.sent();
  await answered;
  noteDelivered(delivery, message);
}
