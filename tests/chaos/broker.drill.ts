import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';
import pino from 'pino';
import { PROVISIONING_TOPIC } from '../../driver/bus/port';
import { openBus } from '../../driver/cli/bus';
import { configFromText } from '../../driver/config/config';
import { waitUntil } from '../support/wait';
import { type Drill, FULL, openDrill } from './drill';

jest.setTimeout(300_000);

describe('trouble with the broker', () => {
  let drill: Drill;
  beforeAll(async () => {
    drill = await openDrill();
  }, 180_000);
  afterAll(() => drill?.site.dispose(), 60_000);

  const outboxSize = async (): Promise<number> => {
    const [row] = (await drill.site.db('outbox').count({ n: '*' })) as { n: number }[];
    return Number(row?.n);
  };

  it('takes every write while the broker is away, and carries all of them out when it is back', async () => {
    const away = FULL ? 60_000 : 15_000;
    const count = FULL ? 500 : 150;
    await drill.site.broker.kill();
    const writing = drill.write('away', count, { pace: away / count });
    const [tally] = await Promise.all([writing, sleep(away)]);
    await drill.site.broker.start();

    expect(tally.statuses).toEqual({ 201: count });
    await drill.judge('the broker is away', [tally]);
    await waitUntil('the outbox is empty', 30_000, async () => (await outboxSize()) === 0);
  });

  it('delivers everything again after a restart of the broker, which changes nothing', async () => {
    const writing = drill.write('restart', 60, { pace: 50 });
    for (let turn = 0; turn < 3; turn += 1) {
      await sleep(800);
      await drill.site.broker.kill();
      await drill.site.broker.start();
    }
    const tally = await writing;
    expect(tally.statuses).toEqual({ 201: 60 });
    await drill.judge('the broker restarts again and again', [tally]);
  });

  it('takes the same hint a thousand times and does nothing more', async () => {
    const tally = await drill.write('again', 1);
    await drill.judge('one load balancer', [tally]);
    const row = await drill.site
      .db('load_balancer')
      .where({ name: 'again-0' })
      .first('id', 'generation', 'lease_epoch');
    const puts = () => [...drill.site.yard.engines.values()].flatMap((engine) => engine.puts(row.id)).length;
    const before = puts();

    const config = configFromText(`[DEFAULT]\ntransport_url = ${drill.site.broker.url()}\n`);
    const bus = openBus(config, { log: pino({ level: 'silent' }) });
    const loadbalancer = { loadbalancer_id: row.id, vip_subnet_id: 'x' };
    for (let turn = 0; turn < 1000; turn += 1) {
      await bus.publish(PROVISIONING_TOPIC, { method: 'create_load_balancer', args: { loadbalancer, flavor: null } });
    }
    await bus.close();
    await drill.judge('a thousand equal hints', []);

    const after = await drill.site.db('load_balancer').where({ id: row.id }).first('generation');
    expect(after.generation).toEqual(row.generation);
    expect(puts()).toBe(before);
  });

  it('drops what no worker can read, and goes on', async () => {
    const url = new URL(drill.site.broker.url().replace('rabbit:', 'amqp:'));
    const connection = await connect(url.href);
    const channel = await connection.createConfirmChannel();
    const poison: [string | Buffer, Record<string, unknown>][] = [
      ['{"oslo.message": "not json', { contentType: 'application/json' }],
      [Buffer.from([0xff, 0xfe, 0x00]), { contentType: 'application/octet-stream' }],
      ['[]', { contentType: 'application/json' }],
      ['{"oslo.version": "9.0", "oslo.message": "{}"}', { contentType: 'application/json' }],
      [
        '{"oslo.version": "2.0", "oslo.message": "{\\"method\\": 5, \\"args\\": null}"}',
        { contentType: 'application/json' },
      ],
    ];
    for (const [body, options] of poison) {
      for (let turn = 0; turn < 20; turn += 1) {
        channel.sendToQueue(PROVISIONING_TOPIC, Buffer.from(body), options);
      }
    }
    await channel.waitForConfirms().catch(() => undefined);
    const tally = await drill.write('poison', 20);
    await drill.judge('poison', [tally]);
    await waitUntil('the queue is empty', 15_000, async () => {
      const { messageCount } = await channel.checkQueue(PROVISIONING_TOPIC);
      return messageCount === 0;
    });
    await connection.close();
    expect(drill.site.actors('worker')).toHaveLength(2);
  });

  it('works off a full outbox while it goes on', async () => {
    await drill.site.broker.kill();
    const first = await drill.write('fill', 5);
    const row = await drill.site.db('outbox').first('topic', 'method', 'args', 'created_at');
    if (row === undefined) throw new Error('the outbox is empty though the broker is away');
    const copies = Array.from({ length: 10_000 }, () => ({ ...row, id: randomUUID() }));
    for (let start = 0; start < copies.length; start += 1000) {
      await drill.site.db('outbox').insert(copies.slice(start, start + 1000));
    }
    await drill.site.broker.start();
    const tally = await drill.write('full', 30);
    await drill.judge('a full outbox', [first, tally]);
    await waitUntil('the outbox is empty', 60_000, async () => (await outboxSize()) === 0);
  });

  it('brings everything home without any message', async () => {
    await drill.killAll('worker');
    await drill.killAll('housekeeping');
    const tally = await drill.write('silent', 40);
    // Whatever was published waits in the queues, and the outbox holds the rest: both are emptied.
    const url = new URL(drill.site.broker.url().replace('rabbit:', 'amqp:'));
    const connection = await connect(url.href);
    const channel = await connection.createChannel();
    for (const queue of [PROVISIONING_TOPIC, 'slipstream_hints']) await channel.purgeQueue(queue);
    await connection.close();
    await drill.site.db('outbox').delete();

    await Promise.all([drill.site.start('worker'), drill.site.start('worker')]);
    await Promise.all([drill.site.start('housekeeping'), drill.site.start('housekeeping')]);
    await drill.judge('no message at all', [tally]);
  });
});
