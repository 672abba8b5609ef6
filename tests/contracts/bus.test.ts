import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import type { Bus, BusMessage } from '../../driver/bus/port';
import { waitUntil } from '../support/simulators/waitUntil';

/** Every implementation of the port; an AMQP twin joins by one more line. */
const TWINS: readonly { name: string; open: () => Promise<Bus> }[] = [
  { name: 'memory', open: async () => createMemoryBus({ log: pino({ level: 'silent' }) }) },
];

const hint = (id: string): BusMessage => ({ method: 'load_balancer', args: { id }, loadBalancerId: id });

describe.each(TWINS)('the bus ($name)', ({ open }) => {
  let bus: Bus;
  beforeEach(async () => {
    bus = await open();
  });
  afterEach(() => bus.close());

  it('gives each published message to exactly one subscriber and shares the work out', async () => {
    const first: string[] = [];
    const second: string[] = [];
    await bus.subscribe('work', ({ args }) => void first.push(String(args['id'])));
    await bus.subscribe('work', ({ args }) => void second.push(String(args['id'])));

    for (const id of ['a', 'b', 'c', 'd']) await bus.publish('work', hint(id));

    await waitUntil(() => first.length + second.length === 4);
    expect([...first, ...second].sort()).toEqual(['a', 'b', 'c', 'd']);
    expect([first.length, second.length]).toEqual([2, 2]);
  });

  it('gives a broadcast to every listener and to no sharer of the work', async () => {
    const heard: string[] = [];
    await bus.subscribeBroadcast('news', () => void heard.push('one'));
    await bus.subscribeBroadcast('news', () => void heard.push('two'));
    await bus.subscribe('news', () => void heard.push('worker'));

    await bus.broadcast('news', hint('a'));

    await waitUntil(() => heard.length === 2);
    expect(heard.sort()).toEqual(['one', 'two']);
  });

  it('keeps topics apart and passes the message on unchanged', async () => {
    const received: BusMessage[] = [];
    const elsewhere: BusMessage[] = [];
    await bus.subscribe('here', (message) => void received.push(message));
    await bus.subscribe('there', (message) => void elsewhere.push(message));

    await bus.publish('here', hint('a'));

    await waitUntil(() => received.length === 1);
    expect(received).toEqual([hint('a')]);
    expect(elsewhere).toEqual([]);
  });

  it('returns from publish before the handler runs', async () => {
    const order: string[] = [];
    await bus.subscribe('work', () => void order.push('handled'));

    await bus.publish('work', hint('a'));
    order.push('published');

    await waitUntil(() => order.length === 2);
    expect(order).toEqual(['published', 'handled']);
  });

  it('goes on delivering after a handler has failed', async () => {
    const handled: string[] = [];
    await bus.subscribe('work', async ({ args }) => {
      if (args['id'] === 'bad') throw new Error('refused');
      handled.push(String(args['id']));
    });

    await expect(bus.publish('work', hint('bad'))).resolves.toBeUndefined();
    await bus.publish('work', hint('good'));

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
    const subscription = await bus.subscribe('work', async () => {
      started += 1;
      await gate;
      ended += 1;
    });
    await bus.publish('work', hint('a'));
    await waitUntil(() => started === 1);

    const closed = subscription.close().then(() => ended);
    await bus.publish('work', hint('b'));
    release();

    expect(await closed).toBe(1);
    await bus.close();
    expect(started).toBe(1);
  });

  it('lets what was published run to its end when it closes, and refuses what comes later', async () => {
    const handled: string[] = [];
    await bus.subscribe('work', async ({ args }) => {
      await new Promise((resolve) => setImmediate(resolve));
      handled.push(String(args['id']));
    });
    await bus.publish('work', hint('a'));
    await bus.publish('work', hint('b'));

    await bus.close();

    expect(handled).toEqual(['a', 'b']);
    await expect(bus.publish('work', hint('c'))).rejects.toThrow('closed');
  });
});
