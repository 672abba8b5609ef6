import { amqpSettings } from '../../../driver/bus/amqp/settings';
import {
  controlExchange,
  fanoutExchange,
  fanoutQueue,
  replyQueue,
  sharedQueue,
} from '../../../driver/bus/amqp/topology';
import { configFromText } from '../../../driver/config/config';

const settingsOf = (rabbit: string, query = '') =>
  amqpSettings(
    configFromText(`transport_url = rabbit://u:p@h/${query}\n[oslo_messaging_rabbit]\n${rabbit}\n`),
    'host-1',
  );

it('declares what oslo.messaging declares by default', () => {
  const settings = settingsOf('');

  expect(controlExchange(settings)).toEqual({
    name: 'octavia',
    type: 'topic',
    options: { durable: false, autoDelete: false },
  });
  expect(sharedQueue(settings, 'topic')).toMatchObject({
    name: 'topic',
    options: { durable: false, autoDelete: false, exclusive: false, arguments: {} },
    source: { key: 'topic' },
  });
  expect(fanoutExchange(settings, 'topic')).toEqual({
    name: 'topic_fanout',
    type: 'fanout',
    options: { durable: false, autoDelete: true },
  });
  const fanout = fanoutQueue(settings, 'topic');
  expect(fanout.name).toMatch(/^topic_fanout_[0-9a-f]{32}$/);
  expect(fanout.options).toEqual({
    ...{ durable: false, autoDelete: false, exclusive: false },
    arguments: { 'x-expires': 1_800_000 },
  });
  const replies = replyQueue(settings);
  expect(replies.name).toMatch(/^reply_[0-9a-f]{32}$/);
  expect(replies.options).toEqual(fanout.options);
  expect(replies.source).toBeUndefined();
});

it.each([
  ['amqp_durable_queues = true', { durable: true, autoDelete: false, exclusive: false, arguments: {} }],
  ['amqp_auto_delete = true', { durable: false, autoDelete: true, exclusive: false, arguments: {} }],
  [
    'rabbit_ha_queues = true',
    { durable: false, autoDelete: false, exclusive: false, arguments: { 'x-ha-policy': 'all' } },
  ],
  [
    'rabbit_quorum_queue = true\nrabbit_quorum_delivery_limit = 5\nrabbit_quorum_max_memory_length = 6\nrabbit_quorum_max_memory_bytes = 7',
    {
      ...{ durable: true, autoDelete: false, exclusive: false },
      arguments: {
        'x-queue-type': 'quorum',
        'x-delivery-limit': 5,
        'x-max-in-memory-length': 6,
        'x-max-in-memory-bytes': 7,
      },
    },
  ],
])('declares shared queues as %s says', (rabbit, options) => {
  expect(sharedQueue(settingsOf(rabbit), 'topic').options).toEqual(options);
});

it('makes queues of one process quorum queues, and lets them stay, where that is asked for', () => {
  const settings = settingsOf('rabbit_transient_quorum_queue = true\nrabbit_transient_queues_ttl = 0');

  expect(fanoutQueue(settings, 'topic').options).toEqual({
    ...{ durable: true, autoDelete: false, exclusive: false },
    arguments: { 'x-queue-type': 'quorum' },
  });
  expect(fanoutExchange(settings, 'topic').options).toEqual({ durable: true, autoDelete: true });
});

it('takes options out of the URL before those of the section', () => {
  const settings = settingsOf('heartbeat_timeout_threshold = 30', '?heartbeat_timeout_threshold=5&ssl=1&unknown=2');

  expect(settings.heartbeat).toBe(5);
  expect(settings.tls).toEqual({});
  expect(() => settingsOf('', '?heartbeat_timeout_threshold=soon')).toThrow('heartbeat_timeout_threshold');
});

it('refuses mirrored quorum queues, and a file of authorities that is not there', () => {
  expect(() => settingsOf('rabbit_quorum_queue = true\nrabbit_ha_queues = true')).toThrow('rabbit_ha_queues');
  expect(() => settingsOf('ssl = true\nssl_ca_file = missing.pem')).toThrow('ssl_ca_file');
});

it('is known by the name the configuration gives this host', () => {
  expect(amqpSettings(configFromText('transport_url = rabbit://u:p@h/\nhost = lb-1\n')).server).toBe('lb-1');
});
