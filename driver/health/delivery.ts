import type { Ack, PutSpec, RemoveSpec } from '../protocol/messages';

/** One load balancer on one connection: what was sent, what was acknowledged, and whoever waits for it. */
export interface Delivery {
  /** To be composed and sent again after what is under way. */
  again: boolean;
  running: Promise<void> | undefined;
  sent: PutSpec | RemoveSpec | undefined;
  acked: Ack | undefined;
  /** Ends the wait for an acknowledgement, if there is one. */
  wake: (() => void) | undefined;
  /** The generation for which a failure has been told of. */
  toldOf: number | undefined;
  /** Digests of certificates the engine is known to keep of what was sent last: they need not go over the wire again. */
  delivered: ReadonlySet<string>;
}

export function newDelivery(): Delivery {
  return {
    again: false,
    running: undefined,
    sent: undefined,
    acked: undefined,
    wake: undefined,
    toldOf: undefined,
    delivered: new Set(),
  };
}

/** True when the engine has answered for just this message. */
export function isAnswered({ acked }: Delivery, message: PutSpec | RemoveSpec): boolean {
  if (!acked) return false;
  if (message.type === 'remove') return false;
  const { generation, epoch, digest } = message.spec;
  return (
    acked.outcome !== 'removed' && acked.generation === generation && acked.epoch === epoch && acked.digest === digest
  );
}

/** The message without the texts that the engine has from this connection already. */
export function undelivered({ delivered }: Delivery, message: PutSpec): PutSpec {
  const missing = Object.entries(message.materials).filter(([digest]) => !delivered.has(digest));
  return { ...message, materials: Object.fromEntries(missing) };
}

/** After the wait for an answer: an engine that has a message in force without a refusal keeps its texts, and no others. */
export function noteDelivered(delivery: Delivery, message: PutSpec | RemoveSpec): void {
  const kept = message.type === 'put' && isAnswered(delivery, message) && delivery.acked?.outcome === 'applied';
  const whole = kept && delivery.acked?.refusals.length === 0;
  delivery.delivered = whole ? new Set(Object.keys(message.materials)) : new Set();
}

/** True when the acknowledgement is for what was sent, or for something newer that the engine holds. */
export function answers(ack: Ack, message: PutSpec | RemoveSpec): boolean {
  if (message.type === 'remove') return ack.outcome === 'removed';
  const { generation, epoch } = message.spec;
  return ack.generation > generation || (ack.generation === generation && ack.epoch >= epoch);
}

/** Resolves when woken or after the time (milliseconds). */
export function waitForAnswer(delivery: Delivery, timeout: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      delivery.wake = undefined;
      resolve();
    };
    const timer = setTimeout(done, timeout);
    delivery.wake = done;
  });
}
