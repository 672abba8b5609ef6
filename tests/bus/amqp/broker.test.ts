import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import pino from 'pino';
import { amqpSettings, createAmqpBus } from '../../../driver/bus/amqp';
import type { Bus, BusMessage } from '../../../driver/bus/port';
import { configFromText } from '../../../driver/config/config';
import { type Issued, issue } from '../../support/certificates/issue';
import { freeze } from '../../support/freeze';
import { RABBITMQ_PASSWORD, RABBITMQ_USER, type RabbitMq, startRabbitMq } from '../../support/rabbitmq';
import { waitUntil } from '../../support/wait';
import { describeWithBroker } from '../../support/withServers';

describeWithBroker('the bus on a broker that comes and goes', () => {
  let broker: RabbitMq;
  let folder: string;
  let authority: Issued;
  const opened: Bus[] = [];
  const raw: ChannelModel[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ss-tls-'));
    authority = await issue({ cn: 'Authority', isCa: true });
    const server = await issue({ cn: 'localhost', dnsNames: ['localhost'], issuer: authority });
    const files = { ca: authority.pem, certificate: server.pem, key: server.keyPem };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const [ca, certificate, key] = ['ca', 'certificate', 'key'].map((name) => join(folder, name));
    if (!ca || !certificate || !key) throw new Error('three files');
    broker = await startRabbitMq({ virtualHosts: ['octavia/é'], tls: { ca, certificate, key } });
  }, 120_000);
  afterEach(async () => {
    for (const bus of opened.splice(0)) await bus.close();
    for (const connection of raw.splice(0)) await connection.close().catch(() => undefined);
  });
  afterAll(async () => {
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function open(url = broker.url(), rabbit = ''): Bus {
    const manners = 'rabbit_retry_interval = 0.1\nrabbit_interval_max = 0.5\n';
    const text = `transport_url = ${url}\n[oslo_messaging_rabbit]\n${manners}${rabbit}\n`;
    const bus = createAmqpBus({ settings: amqpSettings(configFromText(text)), log: pino({ level: 'silent' }) });
    opened.push(bus);
    return bus;
  }

  /** A client that knows nothing of ours. */
  async function openRaw(): Promise<Channel> {
    const login = { username: RABBITMQ_USER, password: RABBITMQ_PASSWORD };
    const connection = await connect({ hostname: '127.0.0.1', port: broker.port, ...login });
    connection.on('error', () => undefined);
    raw.push(connection);
    return connection.createChannel();
  }

  const hint = (id: string): BusMessage => ({ method: 'load_balancer', args: { id } });

  async function exchangeOne(bus: Bus): Promise<string> {
    const topic = randomUUID();
    const received: string[] = [];
    const subscription = await bus.subscribe(topic, ({ args }) => void received.push(String(args['id'])));
    await bus.publish(topic, hint('a'));
    await waitUntil('it has come', 5_000, () => received.length === 1);
    await subscription.close();
    return received.join();
  }

  it('logs in with a password that is percent-encoded, on a virtual host that is too', async () => {
    expect(await exchangeOne(open(broker.url('octavia/é')))).toBe('a');
  });

  it.each(['PLAIN', 'AMQPLAIN'])('logs in by %s', async (method) => {
    expect(await exchangeOne(open(broker.url(), `rabbit_login_method = ${method}`))).toBe('a');
  });

  it('speaks TLS with a broker whose certificate is good, and with no other', async () => {
    const url = broker.url().replace(`127.0.0.1:${broker.port}`, `localhost:${broker.tlsPort}`);
    const ca = join(folder, 'ca');

    expect(await exchangeOne(open(url, `ssl = true\nssl_ca_file = ${ca}`))).toBe('a');
    expect(await exchangeOne(open(`${url}?ssl=1&ssl_ca_file=${encodeURIComponent(ca)}`))).toBe('a');
    const doubtful = open(url, 'ssl = true');
    await expect(doubtful.publish('topic', hint('a'))).rejects.toMatchObject({ status: 503 });
    expect(doubtful.trouble()).toMatch(/certificate/);
  });

  it('finds the one of several brokers that is there', async () => {
    const [user] = broker.url().split('@127');
    expect(await exchangeOne(open(`${user}@127.0.0.1:1,127.0.0.1:${broker.port},127.0.0.1:2/`))).toBe('a');
  });

  it('starts without a broker, says so, refuses at once, and works when there is one', async () => {
    await broker.kill();
    const bus = open();
    const received: string[] = [];
    const topic = randomUUID();
    await bus.subscribe(topic, ({ args }) => void received.push(String(args['id'])));

    await expect(bus.publish(topic, hint('early'))).rejects.toMatchObject({ status: 503 });
    expect(bus.trouble()).toMatch(/cannot be reached/);
    expect(await bus.depth(topic)).toBeUndefined();

    await broker.start();
    await waitUntil('it is connected', 10_000, () => bus.trouble() === undefined);
    await waitUntil('it subscribes', 10_000, async () => (await bus.depth(topic)) === 0);
    await bus.publish(topic, hint('a'));
    await waitUntil('it has come', 5_000, () => received.length === 1);
    expect(received).toEqual(['a']);
  }, 60_000);

  it('goes on after the broker was lost: everything is declared anew, work, broadcasts and servers', async () => {
    const bus = open();
    const topic = randomUUID();
    const received: string[] = [];
    const take = (kind: string) => (message: BusMessage) => void received.push(`${kind} ${message.args['id']}`);
    await bus.subscribe(topic, take('work'));
    await bus.subscribeBroadcast(topic, take('news'));
    await bus.serve(`${topic}-rpc`, { version: '1.0', methods: { load_balancer: ({ args }) => args['id'] } });
    await bus.broadcast(topic, hint('before'));
    expect(await bus.call(`${topic}-rpc`, hint('before'))).toBe('before');

    await broker.kill();
    await waitUntil('it is noticed', 10_000, () => bus.trouble() !== undefined);
    const before = performance.now();
    await expect(bus.publish(topic, hint('lost'))).rejects.toMatchObject({ status: 503 });
    expect(performance.now() - before).toBeLessThan(5_000);
    await broker.start();

    await waitUntil('it subscribes', 10_000, async () => (await bus.depth(`${topic}-rpc`)) === 0);
    await waitUntil('work comes', 10_000, async () => {
      await bus.publish(topic, hint('after')).catch(() => undefined);
      return received.includes('work after');
    });
    await waitUntil('broadcasts come', 10_000, async () => {
      await bus.broadcast(topic, hint('after')).catch(() => undefined);
      return received.includes('news after');
    });
    expect(await bus.call(`${topic}-rpc`, hint('after'))).toBe('after');
  }, 60_000);

  it('pauses before it comes back to a broker that lets it in and throws it out', async () => {
    const times: number[] = [];
    const door = createServer((client) => {
      times.push(performance.now());
      const inner = createConnection(broker.port, '127.0.0.1');
      for (const socket of [client, inner]) socket.on('error', () => undefined);
      client.pipe(inner).pipe(client);
      // The handshake is over by then, or has failed, which is followed by a pause as well.
      setTimeout(() => client.destroy(), 200);
      client.on('close', () => inner.destroy());
    }).listen(0, '127.0.0.1');
    await once(door, 'listening');
    const bus = open(broker.url().replace(/:\d+\//, `:${(door.address() as AddressInfo).port}/`));
    await bus.subscribe(randomUUID(), () => undefined);
    await waitUntil('it has come five times', 20_000, () => times.length >= 5);
    await bus.close();
    door.close();

    // 0.1, 0.2, 0.4 and 0.5 s, a tenth of each less or more, besides the time inside.
    expect((times[4] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(4 * 200 + 900);
  }, 30_000);

  it('gives up on a broker that confirms nothing, says so until it does, and closes all the same', async () => {
    const bus = open();
    await bus.publish(randomUUID(), hint('a'));
    await freeze(broker.pid());
    try {
      await expect(bus.publish(randomUUID(), hint('b'))).rejects.toThrow(/confirm/);
      expect(bus.trouble()).toMatch(/confirm/);
      process.kill(broker.pid(), 'SIGCONT');
      await waitUntil('it has confirmed after all', 10_000, () => bus.trouble() === undefined);
      await freeze(broker.pid());
      opened.splice(0);
      await bus.close();
    } finally {
      process.kill(broker.pid(), 'SIGCONT');
    }
  }, 30_000);

  it('has no more messages under way than it may, however long the broker confirms nothing', async () => {
    const bus = open(broker.url(), '[oslo_messaging]\nmax_unconfirmed = 2\npublish_timeout = 0.3');
    await bus.publish(randomUUID(), hint('a'));
    await freeze(broker.pid());
    try {
      const given = await Promise.allSettled([
        bus.publish(randomUUID(), hint('b')),
        bus.publish(randomUUID(), hint('c')),
      ]);
      expect(given.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      // Nobody waits for them any more, and yet they are in the memory of this process.
      await expect(bus.publish(randomUUID(), hint('d'))).rejects.toThrow(/2 messages to confirm/);
    } finally {
      process.kill(broker.pid(), 'SIGCONT');
    }
    await waitUntil('there is room again', 10_000, async () =>
      bus.publish(randomUUID(), hint('e')).then(
        () => true,
        () => false,
      ),
    );
  }, 30_000);

  it('drops what it cannot read, and goes on', async () => {
    const bus = open();
    const topic = randomUUID();
    const received: string[] = [];
    await bus.subscribe(topic, ({ args }) => void received.push(String(args['id'])));
    const channel = await openRaw();
    const inner = (value: unknown) => JSON.stringify(value);
    const poison = [
      'no JSON',
      '[]',
      'null',
      inner({ 'oslo.version': '3.0', 'oslo.message': '{}' }),
      inner({ 'oslo.version': '2.0', 'oslo.message': 'no JSON' }),
      inner({ 'oslo.version': '2.0' }),
      inner({ method: 7 }),
      inner({ method: 'load_balancer', args: 'none' }),
    ];
    for (const text of poison) channel.publish('octavia', topic, Buffer.from(text));
    channel.publish('octavia', topic, Buffer.from([0xff, 0xfe, 0x00]));
    channel.publish('octavia', topic, Buffer.from(inner({ method: 'load_balancer', args: { id: 'a' } })));

    await waitUntil('the good one has come', 5_000, () => received.length > 0);
    expect(received).toEqual(['a']);
    expect(await bus.depth(topic)).toBe(0);
  });

  it('hands a message that kills its taker to another once, and never a third time', async () => {
    const topic = randomUUID();
    const channel = await openRaw();
    await channel.assertExchange('octavia', 'topic', { durable: false, autoDelete: false });
    await channel.assertQueue(topic, { durable: false, arguments: {} });
    await channel.bindQueue(topic, 'octavia', topic);
    channel.publish('octavia', topic, Buffer.from(JSON.stringify({ method: 'load_balancer', args: { id: 'a' } })));
    // Taken, and never acknowledged: the taker dies.
    const victim = await openRaw();
    const taken = new Promise((resolve) => void victim.consume(topic, resolve));
    await taken;
    await raw.at(-1)?.close();

    const second = open();
    let started = 0;
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    await second.subscribe(topic, () => {
      started += 1;
      return gate;
    });
    await waitUntil('it has come again', 5_000, () => started === 1);
    // Acknowledged although its handler has not ended: nothing is left for a third taker.
    await waitUntil('nothing is left', 5_000, async () => {
      const { messageCount } = await channel.checkQueue(topic);
      return messageCount === 0;
    });
    await channel.deleteQueue(topic);
    release();
    expect(started).toBe(1);
  });

  it('takes a message sent twice once', async () => {
    const bus = open();
    const topic = randomUUID();
    const received: string[] = [];
    await bus.subscribe(topic, ({ args }) => void received.push(String(args['id'])));
    const channel = await openRaw();
    const send = (id: string, unique: string) =>
      channel.publish(
        'octavia',
        topic,
        Buffer.from(JSON.stringify({ method: 'load_balancer', args: { id }, _unique_id: unique })),
      );

    for (const [id, unique] of [
      ['a', '1'],
      ['a', '1'],
      ['b', '2'],
      ['a', '1'],
      ['c', '3'],
    ] as const)
      send(id, unique);

    await waitUntil('the last has come', 5_000, () => received.includes('c'));
    expect(received).toEqual(['a', 'b', 'c']);
  });

  it('publishes again after its exchange was taken away', async () => {
    const bus = open();
    const topic = randomUUID();
    const received: string[] = [];
    const first = await bus.subscribeBroadcast(topic, () => undefined);
    await bus.broadcast(topic, hint('a'));
    // The exchange goes with its last queue.
    await first.close();
    const channel = await openRaw();
    await channel.deleteExchange(`${topic}_fanout`);

    await bus.broadcast(topic, hint('b'));
    await bus.subscribeBroadcast(topic, ({ args }) => void received.push(String(args['id'])));
    await bus.broadcast(topic, hint('c'));

    await waitUntil('it has come', 5_000, () => received.length === 1);
    expect(received).toEqual(['c']);
  });

  it('does not let one queue that the broker refuses disturb the others', async () => {
    const bus = open();
    const topic = randomUUID();
    const channel = await openRaw();
    await channel.assertQueue(topic, { durable: true, arguments: {} });

    await bus.subscribe(topic, () => undefined);

    expect(await exchangeOne(bus)).toBe('a');
    await channel.deleteQueue(topic);
    await waitUntil('it is declared after all', 5_000, async () => (await bus.depth(topic)) === 0);
  }, 20_000);
});
