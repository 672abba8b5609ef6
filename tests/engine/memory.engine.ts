import { join } from 'node:path';
import { aListener } from '../support/agentSpecs';
import { createMemoryGroup, type MemoryGroup } from '../support/memoryGroup';
import { ANSWER, ARM, bringUp, createOneArm, type OneArm } from '../support/oneArm';
import { describeWithMemoryGroups } from '../support/withServers';

const NEIGHBOUR = '10.0.0.101';
/** Connections, each with a buffer that haproxy keeps as long as the request is not whole. */
const CROWD = 4000;
/** Bytes beyond what it has at rest: less than so many buffers. */
const BOUND = 16 * 1024 * 1024;

/** The kernel itself ends it: nobody sends a signal here. */
describeWithMemoryGroups('an engine in which a crowd takes the memory of one haproxy', () => {
  let arm: OneArm;
  let group: MemoryGroup | undefined;
  beforeAll(async () => {
    arm = await createOneArm('ss-memory');
    await bringUp(arm);
    const listeners = [aListener({ id: 'listener-2', port: 80 })];
    const ack = await arm.engine.controller.put(arm.spec(1, { id: 'lb-2', vips: [NEIGHBOUR], listeners }));
    expect(ack).toMatchObject({ outcome: 'applied', refusals: [] });
  });
  afterAll(async () => {
    await arm?.dispose();
    await group?.remove();
  });

  it('has that one ended by the kernel and starts it again, and its neighbour serves on', async () => {
    const { engine, client } = arm;
    const { controller } = engine;
    const [before, neighbour] = [engine.haproxy('lb-1'), engine.haproxy('lb-2')];
    if (before === null || neighbour === null) throw new Error('there is no haproxy');
    const bounded = createMemoryGroup('ss-memory', BOUND);
    group = bounded;
    bounded.take(before.worker.pid);
    await client.load(NEIGHBOUR, 80);
    const words = [join(__dirname, '../support/crowd.cjs'), ARM.vip, '80', String(CROWD)];
    const crowd = client.namespace.spawn(process.execPath, words, { stdio: ['pipe', 'ignore', 'inherit'] });
    try {
      await controller.waitFor('the kernel has killed it', () => bounded.kills() > 0);
      const told = () => controller.received.some((it) => it.type === 'event' && it.name === 'HAPROXY_CRASHED');
      await controller.waitFor('it is told', told);
    } finally {
      crowd.stdin?.end();
    }

    await controller.waitFor('it serves', async () => (await client.fetch(ARM.vip, 80, 2000)) === ANSWER);
    const { answered, failures } = await client.unload();
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(0);
    expect(bounded.kills()).toBe(1);
    expect(engine.haproxy('lb-2')).toEqual(neighbour);
    expect(engine.haproxy('lb-1')?.worker).not.toEqual(before.worker);
  });
});
