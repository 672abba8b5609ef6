import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { amqpSettings, createAmqpBus } from '../../driver/bus/amqp';
import { createMemoryBus } from '../../driver/bus/memory';
import { type Bus, type BusMessage, PROVISIONING_TOPIC, type RpcRequest } from '../../driver/bus/port';
import { configFromText } from '../../driver/config/config';
import { hasRabbitMq, type RabbitMq, startRabbitMq } from '../support/rabbitmq';
import { waitUntil } from '../support/simulators/waitUntil';

const log = pino({ level: 'silent' });
const withServices = process.env['SLIPSTREAM_TEST_SERVICES'] !== 'none';
const withBroker = withServices && (hasRabbitMq() || Boolean(process.env['CI']));

let broker: RabbitMq | undefined;
beforeAll(async () => {
  if (withBroker) broker = await startRabbitMq();
}, 120_000);
afterAll(() => broker?.stop());

/** Every implementation of the port; RabbitMQ's where it is installed. */
const TWINS: readonly { name: string; open: () => Promise<Bus> }[] = [
  { name: 'memory', open: async () => createMemoryBus({ log }) },
  ...(withBroker ? [{ name: 'amqp', open: async () => openAmqpBus() }] : []),
];

/** Each has an exchange of its own: what one test leaves behind is no other's. */
function openAmqpBus(): Bus {
  const text = `transport_url = ${broker?.url()}\ncontrol_exchange = ${randomUUID()}\n`;
  const settings = amqpSettings(configFromText(text), `server-${randomUUID()}`);
  return createAmqpBus({ settings: { ...settings, callTimeout: 2_000 }, log });
}

const hint = (id: string): BusMessage => ({ method: 'load_balancer', args: { id }, loadBalancerId: id });

describe.each(TWINS)('the bus ($name)', ({ open }) => {
  let bus: Bus;
  let topic: (name: string) => string;
  beforeEach(async () => {
    bus = await open();
    const run = randomUUID();
    topic = (name) => `${name}-${run}`;
  });
  afterEach(() => bus.close());

  it('gives each published message to exactly one subscriber and shares the work out', async () => {
    const first: string[] = [];
    const second: string[] = [];
    await bus.subscribe(topic('work'), ({ args }) => void first.push(String(args['id'])));
    await bus.subscribe(topic('work'), ({ args }) => void second.push(String(args['id'])));

    for (const id of ['a', 'b', 'c', 'd']) await bus.publish(topic('work'), hint(id));

    await waitUntil(() => first.length + second.length === 4);
    expect([...first, ...second].sort()).toEqual(['a', 'b', 'c', 'd']);
    expect([first.length, second.length]).toEqual([2, 2]);
  });

  it('gives a broadcast to every listener and to no sharer of the work', async () => {
    const heard: string[] = [];
    await bus.subscribeBroadcast(topic('news'), () => void heard.push('one'));
    await bus.subscribeBroadcast(topic('news'), () => void heard.push('two'));
    await bus.subscribe(topic('news'), () => void heard.push('worker'));

    await bus.broadcast(topic('news'), hint('a'));

    await waitUntil(() => heard.length === 2);
    expect(heard.sort()).toEqual(['one', 'two']);
  });

  it('keeps topics apart and passes the message on unchanged', async () => {
    const received: BusMessage[] = [];
    const elsewhere: BusMessage[] = [];
    await bus.subscribe(topic('here'), (message) => void received.push(message));
    await bus.subscribe(topic('there'), (message) => void elsewhere.push(message));

    await bus.publish(topic('here'), hint('a'));

    await waitUntil(() => received.length === 1);
    expect(received).toEqual([hint('a')]);
    expect(elsewhere).toEqual([]);
  });

  it('does not wait in publish for the handler', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let handled = false;
    await bus.subscribe(topic('work'), async () => {
      await gate;
      handled = true;
    });

    await bus.publish(topic('work'), hint('a'));

    expect(handled).toBe(false);
    release();
    await waitUntil(() => handled);
  });

  it('goes on delivering after a handler has failed', async () => {
    const handled: string[] = [];
    await bus.subscribe(topic('work'), async ({ args }) => {
      if (args['id'] === 'bad') throw new Error('refused');
      handled.push(String(args['id']));
    });

    await expect(bus.publish(topic('work'), hint('bad'))).resolves.toBeUndefined();
    await bus.publish(topic('work'), hint('good'));

    await waitUntil(() => handled.length === 1);
    expect(handled).toEqual(['good']);
  });

  it('delivers nothing more to a closed subscription and waits for the handler that still runs', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let started = 0;
    let ended = 0;
    const subscription = await bus.subscribe(topic('work'), async () => {
      started += 1;
      await gate;
      ended += 1;
    });
    await bus.publish(topic('work'), hint('a'));
    await waitUntil(() => started === 1);

    const closed = subscription.close().then(() => ended);
    await bus.publish(topic('work'), hint('b'));
    release();

    expect(await closed).toBe(1);
    await bus.close();
    expect(started).toBe(1);
  });

  it('lets what was taken run to its end when it closes, and refuses what comes later', async () => {
    let started = 0;
    const handled: string[] = [];
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    await bus.subscribe(topic('work'), async ({ args }) => {
      started += 1;
      await gate;
      handled.push(String(args['id']));
    });
    await bus.publish(topic('work'), hint('a'));
    await bus.publish(topic('work'), hint('b'));
    await waitUntil(() => started === 2);

    const closed = bus.close();
    release();
    await closed;

    expect(handled.sort()).toEqual(['a', 'b']);
    await expect(bus.publish(topic('work'), hint('c'))).rejects.toThrow('closed');
    expect(bus.trouble()).toBe('The message bus is closed.');
  });

  it('answers calls with what the method returns, and tells the caller what it throws', async () => {
    const endpoint = {
      namespace: 'controller',
      version: '2.1',
      methods: {
        add: ({ args }: RpcRequest) => Number(args['a']) + Number(args['b']),
        nothing: () => undefined,
        fail: () => {
          throw new RangeError('no such amphora');
        },
      },
    };
    await bus.serve(topic('rpc'), endpoint);
    const target = { namespace: 'controller', version: '2.0' };
    const call = (method: string, options = {}) =>
      bus.call(topic('rpc'), { method, args: { a: 1, b: 2 } }, { ...target, ...options });

    expect(await call('add')).toBe(3);
    expect(await call('nothing')).toBeNull();
    await expect(call('fail')).rejects.toMatchObject({ name: 'RemoteError', message: 'no such amphora' });
    await expect(call('toString')).rejects.toMatchObject({ type: 'NoSuchMethod' });
    await expect(call('add', { version: '3.0' })).rejects.toMatchObject({ type: 'UnsupportedVersion' });
    await expect(call('add', { namespace: 'other' })).rejects.toMatchObject({ type: 'UnsupportedVersion' });
  });

  it('fails a call that nobody answers', async () => {
    const call = bus.call(topic('rpc'), { method: 'add', args: {} }, { timeout: 200 });

    await expect(call).rejects.toMatchObject({ status: 503 });
  });

  it('carries out a cast to a server, and goes on after one it has no method for', async () => {
    const taken: unknown[] = [];
    await bus.serve(PROVISIONING_TOPIC, {
      ...{ namespace: 'controller', version: '2.0' },
      methods: { delete_member: ({ args }) => void taken.push(args['member']) },
    });

    await bus.publish(PROVISIONING_TOPIC, { method: 'unheard_of', args: {} });
    await bus.publish(PROVISIONING_TOPIC, { method: 'delete_member', args: { member: { member_id: 'm-1' } } });

    await waitUntil(() => taken.length === 1);
    expect(taken).toEqual([{ member_id: 'm-1' }]);
  });
});
