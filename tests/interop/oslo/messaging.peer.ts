import { randomUUID } from 'node:crypto';
import { type Channel, type ChannelModel, type ConsumeMessage, connect } from 'amqplib';
import pino from 'pino';
import { amqpSettings, createAmqpBus, createAmqpNotifier } from '../../../driver/bus/amqp';
import {
  type Bus,
  type Notifier,
  PROVISIONING_TOPIC,
  type RpcEndpoint,
  type RpcRequest,
} from '../../../driver/bus/port';
import { configFromText } from '../../../driver/config/config';
import { RABBITMQ_PASSWORD, RABBITMQ_USER, type RabbitMq, startRabbitMq } from '../../support/rabbitmq';
import { waitUntil } from '../../support/wait';
import { type Peer, startPeer } from './peer';

jest.setTimeout(60_000);
const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
const SOON = 10_000;
/** What the library itself adds to an empty one. */
const NO_CONTEXT = { client_timeout: null };

/** How both sides are told to declare things; each way on a virtual host of its own. */
const WAYS = [
  { way: 'as it comes', virtualHost: 'plain', rabbit: {} },
  { way: 'durable', virtualHost: 'durable', rabbit: { amqp_durable_queues: true } },
  {
    way: 'quorum queues',
    virtualHost: 'quorum',
    rabbit: { rabbit_quorum_queue: true, rabbit_quorum_delivery_limit: 5 },
  },
] as const;

let broker: RabbitMq;
beforeAll(async () => {
  broker = await startRabbitMq({ virtualHosts: WAYS.map(({ virtualHost }) => virtualHost) });
}, 120_000);
afterAll(() => broker?.stop());

describe.each(WAYS)('with oslo.messaging, $way', ({ virtualHost, rabbit }) => {
  let peer: Peer;
  let ours: Bus;
  let notifier: Notifier;
  let wire: ChannelModel;
  let channel: Channel;
  let topic: string;
  const opened: Bus[] = [];

  const settingsOf = (server: string) => {
    const options = Object.entries(rabbit).map(([name, value]) => `${name} = ${value}`);
    const text = `transport_url = ${broker.url(virtualHost)}\n[oslo_messaging_rabbit]\n${options.join('\n')}\n`;
    return amqpSettings(configFromText(text), server);
  };
  const openBus = (server = 'ours'): Bus => {
    const bus = createAmqpBus({ settings: settingsOf(server), log });
    opened.push(bus);
    return bus;
  };

  beforeAll(async () => {
    const url = `rabbit://guest:guest@127.0.0.1:${broker.port}/${virtualHost}`;
    peer = await startPeer({ url, exchange: 'octavia', rabbit });
    const login = { username: RABBITMQ_USER, password: RABBITMQ_PASSWORD };
    wire = await connect({ hostname: '127.0.0.1', port: broker.port, vhost: virtualHost, ...login });
    channel = await wire.createChannel();
    ours = openBus();
    notifier = createAmqpNotifier({ settings: settingsOf('ours'), log });
  }, 60_000);
  beforeEach(() => {
    topic = `topic-${randomUUID()}`;
    peer.received.length = 0;
    peer.notified.length = 0;
  });
  afterAll(async () => {
    for (const bus of opened) await bus.close();
    await notifier?.close();
    await wire?.close();
    await peer?.stop();
  });

  /** A server of ours that writes down what it is asked. */
  async function serveOurs(bus = ours): Promise<RpcRequest[]> {
    const requests: RpcRequest[] = [];
    const note = (answer: (request: RpcRequest) => unknown) => (request: RpcRequest) => {
      requests.push(request);
      return answer(request);
    };
    const endpoint: RpcEndpoint = {
      ...{ namespace: 'controller', version: '2.0' },
      methods: {
        echo: note(({ args }) => args),
        nothing: note(() => undefined),
        fail: note(() => {
          throw new Error('boom');
        }),
        slow: note(() => new Promise((resolve) => setTimeout(() => resolve('late'), 3_000))),
      },
    };
    await bus.serve(topic, endpoint);
    return requests;
  }
  const toOurs = { namespace: 'controller', version: '2.0' };

  describe('as the server', () => {
    it('takes a cast, with its context', async () => {
      const requests = await serveOurs();

      await peer.ask('cast', {
        topic,
        method: 'echo',
        args: { a: [1, 'é'] },
        context: { request_id: 'req-1' },
        ...toOurs,
      });

      await waitUntil('it has come', SOON, () => requests.length === 1);
      expect(requests[0]).toMatchObject({ method: 'echo', args: { a: [1, 'é'] }, context: { request_id: 'req-1' } });
    });

    it('answers calls', async () => {
      await serveOurs();
      const call = (method: string) => peer.ask('call', { topic, method, args: { a: { b: null } }, ...toOurs });

      expect(await call('echo')).toEqual({ a: { b: null } });
      expect(await call('nothing')).toBeNull();
    });

    it('tells the caller what a method throws', async () => {
      await serveOurs();

      const call = peer.ask('call', { topic, method: 'fail', args: {}, ...toOurs });

      await expect(call).rejects.toMatchObject({ type: 'Exception', message: expect.stringContaining('boom') });
    });

    it('refuses methods it does not have, and versions and namespaces that are not its own', async () => {
      const requests = await serveOurs();
      const call = (target: object) => peer.ask('call', { topic, method: 'echo', args: {}, ...toOurs, ...target });

      await expect(call({ method: 'missing' })).rejects.toMatchObject({ remote: 'NoSuchMethod' });
      await expect(call({ version: '3.0' })).rejects.toMatchObject({ remote: 'UnsupportedVersion' });
      await expect(call({ version: '2.1' })).rejects.toMatchObject({ remote: 'UnsupportedVersion' });
      await expect(call({ version: null })).rejects.toMatchObject({ remote: 'UnsupportedVersion' });
      await expect(call({ namespace: null })).rejects.toMatchObject({ remote: 'UnsupportedVersion' });
      for (const method of ['missing', 'echo']) await peer.ask('cast', { topic, method, args: {}, version: '3.0' });
      expect(await call({ method: 'nothing' })).toBeNull();
      expect(requests.map(({ method }) => method)).toEqual(['nothing']);
    });

    it('hears fanouts at every server, and what is for one server at that one alone', async () => {
      const first = await serveOurs();
      const second = await serveOurs(openBus('other'));

      await peer.ask('cast', { topic, method: 'echo', args: { to: 'all' }, fanout: true, ...toOurs });
      await waitUntil('both hear it', SOON, () => first.length === 1 && second.length === 1);
      await peer.ask('cast', { topic, method: 'echo', args: { to: 'one' }, server: 'other', ...toOurs });
      expect(await peer.ask('call', { topic, method: 'echo', args: { to: 'it' }, server: 'other', ...toOurs })).toEqual(
        { to: 'it' },
      );

      expect(first.map(({ args }) => args['to'])).toEqual(['all']);
      expect(second.map(({ args }) => args['to'])).toEqual(['all', 'one', 'it']);
    });

    it('gives signs of life to a caller that watches for them', async () => {
      await serveOurs();

      const call = peer.ask('call', { topic, method: 'slow', args: {}, timeout: 20, monitor: 2, ...toOurs });

      expect(await call).toBe('late');
    });

    it('goes on answering others when a caller has gone', async () => {
      await serveOurs();
      const gone = {
        method: 'echo',
        args: {},
        ...toOurs,
        _msg_id: 'm',
        _reply_q: 'reply_gone',
        _unique_id: randomUUID(),
      };
      publish(wrapped(gone));

      expect(await peer.ask('call', { topic, method: 'echo', args: { a: 1 }, ...toOurs })).toEqual({ a: 1 });
    });

    it('takes a message sent twice once, and one without an envelope too', async () => {
      const requests = await serveOurs();
      const inner = (n: number) => ({ method: 'echo', args: { n }, ...toOurs, _unique_id: `${topic}-${n}` });

      for (const n of [1, 1, 2, 1]) publish(wrapped(inner(n)));
      publish(JSON.stringify(inner(3)));

      await waitUntil('the last has come', SOON, () => requests.some(({ args }) => args['n'] === 3));
      expect(requests.map(({ args }) => args['n'])).toEqual([1, 2, 3]);
    });

    it('does not carry out a call whose caller has given up', async () => {
      const early = openBus('early');
      await serveOurs(early);
      await early.close();

      const call = peer.ask('call', { topic, method: 'echo', args: {}, timeout: 1, ...toOurs });
      await expect(call).rejects.toMatchObject({ type: 'MessagingTimeout' });
      const requests = await serveOurs();
      await peer.ask('call', { topic, method: 'nothing', args: {}, ...toOurs });

      expect(requests.map(({ method }) => method)).toEqual(['nothing']);
    });
  });

  describe('as the client', () => {
    const serveTheirs = (server = 'theirs', target: object = toOurs) =>
      peer.ask('serve', { key: `${server} ${topic}`, topic, server, ...target });

    it('casts as Octavia does: method, arguments and an empty context', async () => {
      await peer.ask('serve', { key: 'octavia', topic: PROVISIONING_TOPIC, server: 'theirs', ...toOurs });
      const loadbalancer = { loadbalancer_id: randomUUID(), name: 'é', vip_sg_ids: [], admin_state_up: true };

      await ours.publish(PROVISIONING_TOPIC, {
        method: 'create_load_balancer',
        args: { loadbalancer, flavor: null, availability_zone: null },
        loadBalancerId: loadbalancer.loadbalancer_id,
      });
      await ours.publish(PROVISIONING_TOPIC, { method: 'delete_member', args: { member: { member_id: 'm' } } });

      await waitUntil('both have come', SOON, () => peer.received.length === 2);
      expect(peer.received).toEqual([
        {
          ...{ server: 'theirs', method: 'create_load_balancer', context: NO_CONTEXT },
          args: { loadbalancer, flavor: null, availability_zone: null },
        },
        { server: 'theirs', method: 'delete_member', context: NO_CONTEXT, args: { member: { member_id: 'm' } } },
      ]);
      await peer.ask('stop', { key: 'octavia' });
    });

    it('calls, and learns what was thrown, unknown or of another version', async () => {
      await serveTheirs();
      const call = (method: string, target: object = {}) =>
        ours.call(topic, { method, args: { a: ['é'] } }, { ...toOurs, ...target, timeout: SOON });

      expect(await call('echo')).toEqual({ a: ['é'] });
      expect(await call('nothing')).toBeNull();
      await expect(call('fail')).rejects.toMatchObject({ name: 'RemoteError', type: 'ValueError', message: 'boom' });
      await expect(call('missing')).rejects.toMatchObject({ type: 'NoSuchMethod' });
      await expect(call('echo', { version: '3.0' })).rejects.toMatchObject({ type: 'UnsupportedVersion' });
    });

    it('reaches one server by name, and all by a broadcast', async () => {
      await serveTheirs('one', {});
      await serveTheirs('two', {});

      expect(await ours.call(topic, { method: 'echo', args: { n: 1 } }, { server: 'two', timeout: SOON })).toEqual({
        n: 1,
      });
      await ours.broadcast(topic, { method: 'echo', args: { n: 2 } });

      await waitUntil('all have heard', SOON, () => peer.received.length === 3);
      expect(peer.received.map(({ server, args }) => `${server} ${args['n']}`).sort()).toEqual([
        'one 2',
        'two 1',
        'two 2',
      ]);
    });

    it('gives up a call in time, and a server that comes later does not carry it out', async () => {
      await serveTheirs();
      await peer.ask('stop', { key: `theirs ${topic}` });

      const call = ours.call(topic, { method: 'echo', args: { n: 1 } }, { ...toOurs, timeout: 500 });
      await expect(call).rejects.toMatchObject({ status: 503 });
      await serveTheirs('later');

      expect(await ours.call(topic, { method: 'echo', args: { n: 2 } }, { ...toOurs, timeout: SOON })).toEqual({
        n: 2,
      });
      expect(peer.received.map(({ args }) => args['n'])).toEqual([2]);
    });

    it('may go before it is answered: the server goes on', async () => {
      await serveTheirs();
      const brief = openBus('brief');
      const call = brief.call(topic, { method: 'slow', args: { seconds: 1 } }, { ...toOurs, timeout: SOON });
      call.catch(() => undefined);
      await waitUntil('it is asked', SOON, () => peer.received.length === 1);
      await brief.close();
      await expect(call).rejects.toThrow('closed');

      expect(await ours.call(topic, { method: 'echo', args: {} }, { ...toOurs, timeout: SOON })).toEqual({});
    });
  });

  it.each(['messagingv2', 'messaging'] as const)(
    'sends notifications that a listener understands: %s',
    async (format) => {
      const notification = {
        publisherId: null,
        eventType: 'octavia.loadbalancer.create.end',
        priority: 'info',
        payload: { loadbalancer_id: 'lb-1', name: 'é', vip_address: null },
        context: { project_id: 'p-1' },
      } as const;
      // Before anybody listens: the queue keeps it.
      await notifier.notify(topic, notification, format);
      await peer.ask('listen', { key: `listener ${topic}`, topic });

      await waitUntil('it has come', SOON, () => peer.notified.length === 1);
      expect(peer.notified[0]).toMatchObject({
        ...{ publisher_id: null, event_type: notification.eventType, payload: notification.payload },
        context: { project_id: 'p-1' },
        metadata: {
          message_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/),
        },
      });
    },
  );

  it('looks on the wire as a message of oslo.messaging does', async () => {
    const { queue } = await channel.assertQueue('', { exclusive: true, durable: false, autoDelete: true });
    await ours.publish(topic, { method: 'warm_up', args: {} });
    await channel.bindQueue(queue, 'octavia', PROVISIONING_TOPIC);
    const seen: ConsumeMessage[] = [];
    await channel.consume(queue, (message) => void (message && seen.push(message)), { noAck: true });

    await peer.ask('cast', {
      topic: PROVISIONING_TOPIC,
      method: 'delete_pool',
      args: { pool: { pool_id: 'p' } },
      ...toOurs,
    });
    await ours.publish(PROVISIONING_TOPIC, {
      method: 'delete_pool',
      args: { pool: { pool_id: 'p' } },
      loadBalancerId: 'lb',
    });

    await waitUntil('both are there', SOON, () => seen.length === 2);
    const [theirs, mine] = seen.map(({ properties, content }) => {
      const outer = JSON.parse(content.toString()) as Record<string, string>;
      const inner = JSON.parse(outer['oslo.message'] ?? '') as Record<string, unknown>;
      return {
        properties,
        version: outer['oslo.version'],
        inner: { ...inner, _unique_id: String(inner['_unique_id']).length },
      };
    });
    expect(mine).toEqual(theirs);
  });

  const wrapped = (inner: object) => JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(inner) });
  const publish = (text: string) =>
    channel.publish('octavia', topic, Buffer.from(text), { contentType: 'application/json', contentEncoding: 'utf-8' });
});
