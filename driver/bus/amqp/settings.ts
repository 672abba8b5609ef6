import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { BadValueError, type Config } from '../../config/config';
import { schemaOf } from '../../config/schema';
import { type Broker, parseTransportUrl } from './transportUrl';

type Rabbit = Config['oslo_messaging_rabbit'];

/** How the broker is reached and what is declared there. Times in milliseconds unless said. */
export interface AmqpSettings {
  readonly brokers: readonly Broker[];
  readonly virtualHost: string;
  readonly loginMethod: Rabbit['rabbit_login_method'];
  /** PEM texts; absent without TLS. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Seconds. */
  readonly heartbeat: number;
  readonly retry: { readonly first: number; readonly factor: number; readonly most: number };
  readonly shuffle: boolean;
  readonly exchange: string;
  /** Of the exchange and of queues that servers share. */
  readonly durable: boolean;
  readonly autoDelete: boolean;
  /** Arguments of shared queues, and of those of one process. */
  readonly sharedArguments: QueueArguments;
  readonly transientArguments: QueueArguments;
  /** Queues of one process are quorum queues. */
  readonly transientQuorum: boolean;
  /** This server's name: it has a queue of its own in each topic it serves. */
  readonly server: string;
  /** 0: no bound. */
  readonly prefetch: number;
  readonly publishTimeout: number;
  readonly maxUnconfirmed: number;
  readonly callTimeout: number;
  /** How long an answer is offered to a queue that is not there. */
  readonly replyPatience: number;
  readonly mandatoryReplies: boolean;
}

export type QueueArguments = Readonly<Record<string, string | number>>;

/** @throws BadValueError for a URL or an option in it that cannot be used, or a file that cannot be read */
export function amqpSettings(
  config: Pick<Config, 'DEFAULT' | 'oslo_messaging' | 'oslo_messaging_rabbit'>,
  server = config.DEFAULT.host ?? hostname(),
): AmqpSettings {
  const { DEFAULT: common, oslo_messaging: manners } = config;
  const url = parseTransportUrl(common.transport_url);
  const rabbit = overlay(config.oslo_messaging_rabbit, url.options);
  const tls = url.tls || rabbit.ssl;
  return {
    brokers: url.brokers,
    virtualHost: url.virtualHost,
    loginMethod: rabbit.rabbit_login_method,
    ...(tls && { tls: readTls(rabbit) }),
    heartbeat: rabbit.heartbeat_timeout_threshold,
    retry: {
      first: rabbit.rabbit_retry_interval * 1000,
      factor: rabbit.rabbit_retry_backoff,
      most: rabbit.rabbit_interval_max * 1000,
    },
    shuffle: rabbit.kombu_failover_strategy === 'shuffle',
    exchange: common.control_exchange,
    durable: rabbit.amqp_durable_queues || rabbit.rabbit_quorum_queue,
    autoDelete: rabbit.amqp_auto_delete,
    ...queueArguments(rabbit),
    server,
    prefetch: rabbit.rabbit_qos_prefetch_count,
    publishTimeout: manners.publish_timeout * 1000,
    maxUnconfirmed: manners.max_unconfirmed,
    callTimeout: common.rpc_response_timeout * 1000,
    replyPatience: rabbit.kombu_missing_consumer_retry_timeout * 1000,
    mandatoryReplies: rabbit.direct_mandatory_flag,
  };
}

/** What stands in the URL wins over the section; what is no option of it is passed over. */
function overlay(rabbit: Rabbit, options: Readonly<Record<string, string>>): Rabbit {
  const { shape } = schemaOf('oslo_messaging_rabbit');
  const changed: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(options)) {
    const schema = shape[name];
    if (!schema) continue;
    const result = schema.safeParse(text);
    if (!result.success) {
      throw new BadValueError('DEFAULT', `transport_url: ${name}`, text, result.error.issues[0]?.message ?? 'another');
    }
    changed[name] = result.data;
  }
  return { ...rabbit, ...changed };
}

function queueArguments(rabbit: Rabbit) {
  const quorum: QueueArguments = {
    'x-queue-type': 'quorum',
    ...limit('x-delivery-limit', rabbit.rabbit_quorum_delivery_limit),
    ...limit('x-max-in-memory-length', rabbit.rabbit_quorum_max_memory_length),
    ...limit('x-max-in-memory-bytes', rabbit.rabbit_quorum_max_memory_bytes),
  };
  const mirrored: QueueArguments = rabbit.rabbit_ha_queues ? { 'x-ha-policy': 'all' } : {};
  const transientQuorum = rabbit.rabbit_transient_quorum_queue;
  return {
    transientQuorum,
    sharedArguments: rabbit.rabbit_quorum_queue ? quorum : mirrored,
    transientArguments: {
      ...(transientQuorum ? quorum : mirrored),
      ...limit('x-expires', rabbit.rabbit_transient_queues_ttl * 1000),
    },
  };
}

/** 0 leaves an argument out. */
function limit(name: string, value: number): QueueArguments {
  return value > 0 ? { [name]: value } : {};
}

function readTls(rabbit: Rabbit): NonNullable<AmqpSettings['tls']> {
  const ca = readPem('ssl_ca_file', rabbit.ssl_ca_file);
  const cert = readPem('ssl_cert_file', rabbit.ssl_cert_file);
  const key = readPem('ssl_key_file', rabbit.ssl_key_file);
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

function readPem(option: string, file: string | null): string | undefined {
  if (file === null) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValueError('oslo_messaging_rabbit', option, file, `a file that can be read (${reason})`);
  }
}
