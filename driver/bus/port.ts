/**
 * Hints between processes. A message only says that something may have changed; whoever receives one reads the rows
 * and decides. Losing one, or getting it twice, is harmless. Twins: `memory.ts` (one process), later AMQP.
 */
export interface BusMessage {
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The load balancer the message is about, where the sender knows it: saves the receiver a look-up. */
  readonly loadBalancerId?: string;
}

/** Octavia's casts: one of the workers takes each. */
export const PROVISIONING_TOPIC = 'octavia_provisioning_v2';
/** Our own hints for workers: one of them takes each. Methods: `load_balancer`, `engine` with args `{id}`. */
export const HINTS_TOPIC = 'slipstream_hints';
/** To every health-manager: `placements` with args `{engine_id}`; the one that holds the connection acts. */
export const ENGINES_TOPIC = 'slipstream_engines';
/** To every API process: `settled` with args `{id}`, wakes those who wait for a load balancer to become mutable. */
export const SETTLED_TOPIC = 'slipstream_settled';

export type BusHandler = (message: BusMessage) => Promise<void> | void;

export interface Subscription {
  /** Stops the delivery; resolves when no handler of it runs any more. */
  close(): Promise<void>;
}

export interface Bus {
  /** Resolves when the message is safely on its way (with a broker: when it has confirmed). */
  publish(topic: string, message: BusMessage): Promise<void>;
  /** One of the subscribers of the topic gets each message. */
  subscribe(topic: string, handler: BusHandler): Promise<Subscription>;
  /** Every subscriber gets each message. */
  broadcast(topic: string, message: BusMessage): Promise<void>;
  subscribeBroadcast(topic: string, handler: BusHandler): Promise<Subscription>;
  close(): Promise<void>;
}
