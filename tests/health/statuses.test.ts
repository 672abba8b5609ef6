import { SETTLED_TOPIC } from '../../driver/bus/port';
import type { LoadBalancerReport } from '../../driver/protocol/messages';
import {
  addListener,
  addLoadBalancer,
  addMember,
  addMonitor,
  addPlacement,
  addPool,
  columnOf,
} from '../support/fleetRows';
import { type HealthSite, startHealthSite } from '../support/healthSite';
import { waitUntil } from '../support/wait';

let site: HealthSite;
beforeEach(async () => {
  site = await startHealthSite();
});
afterEach(() => site.close());

interface Served {
  readonly lb: string;
  readonly listener: string;
  readonly pool: string;
  readonly member: string;
}

/** A settled load balancer with a listener, a pool and a monitored member, on these engines. */
async function addServed(engineIds: readonly string[], columns: Record<string, unknown> = {}): Promise<Served> {
  const lb = await addLoadBalancer(site.db, columns);
  const pool = await addPool(site.db, lb);
  const listener = await addListener(site.db, lb, { default_pool_id: pool });
  const member = await addMember(site.db, pool);
  await addMonitor(site.db, pool);
  for (const engineId of engineIds) {
    await addPlacement(site.db, { loadBalancerId: lb, engineId }, { confirmed_generation: 1 });
  }
  return { lb, listener, pool, member };
}

function reportOf({ lb, listener, pool, member }: Served, state: 'UP' | 'DOWN' = 'UP'): LoadBalancerReport {
  return {
    id: lb,
    generation: 1,
    listeners: { [listener]: 'OPEN' },
    pools: { [pool]: { state, members: { [member]: state } } },
  };
}

it('shows a load balancer ONLINE well within a second of its first report', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine();
  await engine.connect(url);
  const served = await addServed([engine.id]);
  const since = performance.now();

  engine.heartbeat([reportOf(served)]);
  await site.waitForRow('load_balancer', { id: served.lb, operating_status: 'ONLINE' });

  expect(performance.now() - since).toBeLessThan(1_000);
  for (const [table, id] of [
    ['listener', served.listener],
    ['pool', served.pool],
    ['member', served.member],
  ] as const) {
    expect(await columnOf(site.db, table, id, 'operating_status')).toBe('ONLINE');
  }
});

it('follows a member down and up again, with events', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine();
  await engine.connect(url);
  const served = await addServed([engine.id]);
  engine.heartbeat([reportOf(served)]);
  await site.waitForRow('member', { id: served.member, operating_status: 'ONLINE' });
  expect(await site.events('MEMBER_UP')).toEqual([]);

  engine.heartbeat([reportOf(served, 'DOWN')]);
  await site.waitForRow('load_balancer', { id: served.lb, operating_status: 'ERROR' });
  expect(await columnOf(site.db, 'member', served.member, 'operating_status')).toBe('ERROR');
  expect((await site.events('MEMBER_DOWN')).map((event) => event.resource_id)).toEqual([served.member]);
  expect(await site.events('POOL_DOWN')).toHaveLength(1);
  expect(await site.events('LOAD_BALANCER_DOWN')).toHaveLength(1);

  engine.heartbeat([reportOf(served)]);
  await site.waitForRow('load_balancer', { id: served.lb, operating_status: 'ONLINE' });
  expect((await site.events('MEMBER_UP')).map((event) => event.resource_id)).toEqual([served.member]);
});

it('judges again when the load balancer is settled, by the last report', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine();
  await engine.connect(url);
  const creating = { provisioning_status: 'PENDING_CREATE', settled_generation: 0 };
  const served = await addServed([engine.id], creating);
  engine.heartbeat([reportOf(served)]);
  await site.waitForRow('listener', { id: served.listener, operating_status: 'ONLINE' });
  expect(await columnOf(site.db, 'load_balancer', served.lb, 'operating_status')).toBe('OFFLINE');

  await site
    .db('load_balancer')
    .where({ id: served.lb })
    .update({ provisioning_status: 'ACTIVE', settled_generation: 1 });
  await site.bus.broadcast(SETTLED_TOPIC, { method: 'settled', args: { id: served.lb }, loadBalancerId: served.lb });

  await site.waitForRow('load_balancer', { id: served.lb, operating_status: 'ONLINE' });
});

it('finds by its rounds what it was not told of', async () => {
  const { url } = await site.start({ reviewInterval: 600 });
  const engine = await site.addEngine();
  await engine.connect(url);
  const served = await addServed([engine.id]);
  engine.heartbeat([reportOf(served)]);
  await site.waitForRow('load_balancer', { id: served.lb, operating_status: 'ONLINE' });

  await site.db('load_balancer').where({ id: served.lb }).update({ operating_status: 'OFFLINE' });

  await site.waitForRow('load_balancer', { id: served.lb, operating_status: 'ONLINE' });
});

it('believes no engine about what is not placed on it', async () => {
  const { url } = await site.start();
  const [owner, stranger] = [await site.addEngine(), await site.addEngine()];
  await owner.connect(url);
  await stranger.connect(url);
  const theirs = await addServed([owner.id]);
  const own = await addServed([stranger.id]);

  stranger.heartbeat([reportOf(theirs, 'DOWN'), reportOf(own)]);
  await site.waitForRow('load_balancer', { id: own.lb, operating_status: 'ONLINE' });

  expect(await columnOf(site.db, 'load_balancer', theirs.lb, 'operating_status')).toBe('OFFLINE');
});

it('makes one truth of two engines, and tells once which of them is the odd one out', async () => {
  const { url } = await site.start();
  const [one, two] = [await site.addEngine(), await site.addEngine()];
  await one.connect(url);
  await two.connect(url);
  const served = await addServed([one.id, two.id]);
  one.heartbeat([reportOf(served)]);
  two.heartbeat([reportOf(served)]);
  await site.waitForRow('load_balancer', { id: served.lb, operating_status: 'ONLINE' });

  two.heartbeat([
    { ...reportOf(served), pools: { [served.pool]: { state: 'UP', members: { [served.member]: 'DOWN' } } } },
  ]);
  await site.waitForRow('load_balancer', { id: served.lb, operating_status: 'DEGRADED' });
  expect(await columnOf(site.db, 'member', served.member, 'operating_status')).toBe('ONLINE');
  one.heartbeat([reportOf(served)]);
  await site.waitForRow('event', { name: 'ENGINES_DISAGREE' });

  expect(await site.events('ENGINES_DISAGREE')).toMatchObject([{ service_engine_id: two.id }]);
});

it('drops what a new connection does not name any more', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine();
  await engine.connect(url);
  const served = await addServed([engine.id]);
  engine.heartbeat([reportOf(served, 'DOWN')]);
  await site.waitForRow('load_balancer', { id: served.lb, operating_status: 'ERROR' });

  await engine.disconnect();
  await engine.connect(url);
  engine.heartbeat([]);
  await site.db('load_balancer').where({ id: served.lb }).update({ operating_status: 'ONLINE' });
  await site.bus.broadcast(SETTLED_TOPIC, { method: 'settled', args: { id: served.lb }, loadBalancerId: served.lb });
  const other = await addServed([engine.id]);
  engine.heartbeat([reportOf(other)]);
  await site.waitForRow('load_balancer', { id: other.lb, operating_status: 'ONLINE' });

  expect(await columnOf(site.db, 'load_balancer', served.lb, 'operating_status')).toBe('ONLINE');
});

it('stores counters that never fall, and only of listeners the engine serves', async () => {
  const { url } = await site.start();
  const [engine, stranger] = [await site.addEngine(), await site.addEngine()];
  await engine.connect(url);
  await stranger.connect(url);
  const served = await addServed([engine.id]);
  const counters = (bytesIn: string) => ({
    type: 'counters' as const,
    listeners: [
      {
        loadBalancerId: served.lb,
        listenerId: served.listener,
        bytesIn,
        bytesOut: '2',
        activeConnections: 3,
        totalConnections: '4',
        requestErrors: '5',
      },
    ],
  });

  stranger.send(counters('77'));
  engine.send(counters('9007199254740993'));
  await site.waitForRow('listener_statistics', { listener_id: served.listener });
  engine.send(counters('1000'));
  engine.send({ type: 'event', name: 'COUNTED', loadBalancerId: null, message: '' });
  await site.waitForRow('event', { name: 'COUNTED' });
  await waitUntil('the second counters are stored', 1_000, async () => {
    const rows: unknown[] = await site.db('listener_statistics').select('*');
    return rows.length === 1;
  });

  const [row] = await site.db('listener_statistics').select('*');
  expect({ engine: row.amphora_id, lb: row.load_balancer_id, bytesIn: String(row.bytes_in) }).toEqual({
    engine: engine.id,
    lb: served.lb,
    bytesIn: '9007199254740993',
  });
});

it('records what an engine tells, under a name of its own choice only if that is one', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine();
  await engine.connect(url);
  const served = await addServed([engine.id]);

  engine.send({ type: 'event', name: 'HAPROXY_CRASHED', loadBalancerId: served.lb, message: 'signal 11' });
  engine.send({ type: 'event', name: "robert'); drop", loadBalancerId: 'not-mine', message: 'hm' });
  await site.waitForRow('event', { name: 'ENGINE_EVENT' });

  const rows = await site.db('event').whereIn('name', ['HAPROXY_CRASHED', 'ENGINE_EVENT']).orderBy('name', 'desc');
  expect(rows.map((row: { load_balancer_id: string | null }) => row.load_balancer_id)).toEqual([served.lb, null]);
});
