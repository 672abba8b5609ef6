/**
 * Hints between processes. A message only says that something may have changed; whoever receives one reads the rows
 * and decides. Losing one, or getting it twice, is harmless. Twins: `memory.ts` (one process), `amqp.ts` (RabbitMQ).
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
/** To every health-manager: `placements` with args `{engine_id}`; the one that holds the connection acts. Also `networks`, and `captures` (no args). */
export const ENGINES_TOPIC = 'slipstream_engines';
/** To every API process: `settled` with args `{id}`, wakes those who wait for a load balancer to become mutable. */
export const SETTLED_TOPIC = 'slipstream_settled';

/** What a request must say to reach the methods of a server. */
export interface RpcTarget {
  readonly namespace?: string;
  /** "major.minor"; a request without one counts as 1.0. */
  readonly version?: string;
}

/** Targets of the topics that are spoken as somebody else speaks them. */
export const RPC_TARGETS: Readonly<Record<string, RpcTarget>> = {
  [PROVISIONING_TOPIC]: { namespace: 'controller', version: '2.0' },
};

export type BusHandler = (message: BusMessage) => Promise<void> | void;

/** What comes with a request besides its arguments. */
export interface RpcRequest extends BusMessage {
  /** oslo.context's keys (`request_id`, `project_id`, ...); empty for Octavia's casts. */
  readonly context: Readonly<Record<string, unknown>>;
}

/** What it returns is the answer to a call; what it throws is told the caller. A cast is told neither. */
export type RpcMethod = (request: RpcRequest) => unknown;

/** The methods of a server, under one namespace and version. It answers requests of its major version up to its minor. */
export interface RpcEndpoint extends RpcTarget {
  readonly version: string;
  readonly methods: Readonly<Record<string, RpcMethod>>;
}

export interface CallOptions extends RpcTarget {
  /** Milliseconds the answer may take; the configured time by default. */
  readonly timeout?: number;
  /** One server of the topic, by its name; any of them by default. */
  readonly server?: string;
}

export interface Subscription {
  /** Stops the delivery; resolves when no handler of it runs any more. */
  close(): Promise<void>;
}

export interface Bus {
  /**
   * Resolves when the message is safely on its way (with a broker: when it has confirmed).
   * @throws UnavailableError when it is not, within a bound
   */
  publish(topic: string, message: BusMessage): Promise<void>;
  /** One of the subscribers of the topic gets each message. */
  subscribe(topic: string, handler: BusHandler): Promise<Subscription>;
  /** Every subscriber gets each message. @throws UnavailableError as `publish` does */
  broadcast(topic: string, message: BusMessage): Promise<void>;
  subscribeBroadcast(topic: string, handler: BusHandler): Promise<Subscription>;
  /** Answers casts and calls: one of the servers and subscribers of the topic gets each. */
  serve(topic: string, endpoint: RpcEndpoint): Promise<Subscription>;
  /**
   * Asks one server of the topic and returns its answer.
   * @throws RemoteError what the server threw; UnavailableError when nothing came in time
   */
  call(topic: string, message: BusMessage, options?: CallOptions): Promise<unknown>;
  /** What is wrong with the way to others; undefined when nothing is. */
  trouble(): string | undefined;
  /** Messages of the topic that wait for somebody to take them; undefined when that cannot be told now. */
  depth(topic: string): Promise<number | undefined>;
  close(): Promise<void>;
}

/** What a server threw, as its caller learns of it. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  constructor(
    /** The class it was there. */
    readonly type: string,
    message: string,
  ) {
    super(message);
  }
}

/** For those who listen to what happens. */
export interface Notification {
  /** Octavia's have none. */
  readonly publisherId: string | null;
  /** "octavia.loadbalancer.create.end". */
  readonly eventType: string;
  readonly priority: 'audit' | 'debug' | 'info' | 'warn' | 'error' | 'critical' | 'sample';
  readonly payload: unknown;
  /** oslo.context's keys, secrets left out. */
  readonly context?: Readonly<Record<string, unknown>>;
}

/** Sends notifications; a queue `<topic>.<priority>` keeps each until somebody takes it. */
export interface Notifier {
  /**
   * Resolves when the broker has confirmed. `messagingv2` has an envelope, `messaging` none.
   * @throws UnavailableError when it does not, within a bound
   */
  notify(topic: string, notification: Notification, format: 'messagingv2' | 'messaging'): Promise<void>;
  close(): Promise<void>;
}
