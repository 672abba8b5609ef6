import { bool, choice, choices, credentialUrl, integer, list, optionalText, seconds } from '../options';
import { section } from '../section';

const ANY = Number.MAX_SAFE_INTEGER;

export const oslo_messaging = section(
  'Our own manners towards the message broker. The option of Octavia, `topic`, is taken and not used: the topic is `octavia_provisioning_v2`.',
  {
    publish_timeout: seconds(
      5,
      'How long the broker may take to confirm a message; later it counts as not sent, and outbox or sweep make it good.',
      0.1,
    ),
    max_unconfirmed: integer(10_000, [1, ANY], 'Messages on their way to the broker at most; more are refused.'),
  },
  ['topic', 'event_stream_topic', 'event_stream_transport_url'],
);

export const oslo_messaging_rabbit = section(
  'How RabbitMQ is spoken to, as other services of OpenStack have it. Who shares queues must agree on durable and quorum. Options of the same name after `?` in `transport_url` win.',
  {
    amqp_durable_queues: bool(false, 'Exchange and shared queues outlive a restart of the broker.'),
    amqp_auto_delete: bool(false, 'Exchange and shared queues go when nobody uses them any more.'),
    ssl: bool(false, 'Speak TLS. The certificate of the broker must be good.'),
    ssl_ca_file: optionalText(
      'Authorities the certificate of the broker may come from (PEM); else those of the system.',
    ),
    ssl_cert_file: optionalText('Certificate this process shows (PEM).'),
    ssl_key_file: optionalText('Its key (PEM).'),
    rabbit_login_method: choice('AMQPLAIN', ['AMQPLAIN', 'PLAIN', 'EXTERNAL'], 'How to log in.'),
    heartbeat_timeout_threshold: integer(
      60,
      [0, 65535],
      'Seconds of silence after which a connection is dead; 0: never.',
    ),
    rabbit_retry_interval: seconds(1, 'Until the first attempt to connect anew.', 0.01),
    rabbit_retry_backoff: integer(2, [1, 100], 'So many times longer until each further attempt.'),
    rabbit_interval_max: seconds(
      5,
      'Between two attempts at most. Shorter than elsewhere (30): hints are late until then.',
      0.01,
    ),
    kombu_failover_strategy: choice(
      'round-robin',
      ['round-robin', 'shuffle'],
      'Which of several brokers comes next. The first is left to chance.',
    ),
    kombu_missing_consumer_retry_timeout: seconds(60, 'How long to try to answer a caller whose queue is not there.'),
    rabbit_qos_prefetch_count: integer(
      100,
      [0, 65535],
      'Messages a consumer is given before it has acknowledged any; 0: all there are.',
    ),
    rabbit_ha_queues: bool(false, 'Ask old brokers to mirror shared queues (`x-ha-policy`). Not with quorum queues.'),
    rabbit_quorum_queue: bool(false, 'Shared queues are quorum queues, and durable.'),
    rabbit_transient_quorum_queue: bool(false, 'Queues of one process (fanout, replies) are quorum queues too.'),
    rabbit_quorum_delivery_limit: integer(0, [0, ANY], 'Deliveries of one message at most; 0: as the broker has it.'),
    rabbit_quorum_max_memory_length: integer(0, [0, ANY], 'Messages of a quorum queue in memory; 0: no limit.'),
    rabbit_quorum_max_memory_bytes: integer(0, [0, ANY], 'Bytes of a quorum queue in memory; 0: no limit.'),
    rabbit_transient_queues_ttl: integer(
      1800,
      [0, ANY],
      'Seconds until the broker drops queues of one process that nobody reads; 0: never.',
    ),
    direct_mandatory_flag: bool(true, 'Have the broker tell when the queue of a caller is gone.'),
  },
  'any',
);

export const oslo_messaging_notifications = section(
  'What is told to those who listen (Ceilometer, billing): `octavia.loadbalancer.create.end`, `.update.end`, `.delete.end`, and our own events. Nothing until a driver is named.',
  {
    driver: choices(
      [],
      ['messagingv2', 'messaging', 'noop'],
      '`messagingv2` has an envelope, `messaging` none; several are possible.',
    ),
    topics: list(['notifications'], 'Each has a queue for each priority, such as `notifications.info`.'),
    transport_url: credentialUrl(
      '',
      'rabbit://user:password@host:port/virtual_host',
      /^(?:|(?:rabbit|kombu\+\w+|amqps?):\/\/[^/]*[^/,].*)$/,
      'Another broker than that of `[DEFAULT] transport_url`, in the same form.',
    ),
  },
  ['retry'],
);
