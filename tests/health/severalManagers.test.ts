import { createFakeEngine } from '../support/engine';
import {
  addListener,
  addLoadBalancer,
  addMember,
  addMonitor,
  addPlacement,
  addPool,
  columnOf,
} from '../support/fleetRows';
import { type HealthSite, SHORT_SILENCE, startHealthSite } from '../support/healthSite';

let site: HealthSite;
beforeEach(async () => {
  site = await startHealthSite();
});
afterEach(() => site.close());

it('lets an engine move from one health-manager to another', async () => {
  const [first, second] = [await site.start(SHORT_SILENCE), await site.start(SHORT_SILENCE)];
  const engine = await site.addEngine();
  await engine.connect(first.url);
  const before = await columnOf(site.db, 'service_engine', engine.id, 'connected_to');
  await first.stop();

  await engine.connect(second.url);
  const lb = await addLoadBalancer(site.db);
  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
  await site.hint(engine.id, lb);

  await site.waitForRow('placement', { id: placement, confirmed_generation: 1 });
  expect(await columnOf(site.db, 'service_engine', engine.id, 'connected_to')).not.toBe(before);
  expect(engine.puts(lb)).toHaveLength(1);
  expect(await site.events('ENGINE_DOWN')).toEqual([]);
});

it('lets go of an engine that has connected elsewhere, and believes the old connection no more', async () => {
  const [first, second] = [await site.start(SHORT_SILENCE), await site.start(SHORT_SILENCE)];
  const engine = await site.addEngine();
  await engine.connect(first.url);
  const fallSilent = engine.beat(50);
  const twin = createFakeEngine({ id: engine.id, token: `token of ${engine.id}` });

  await twin.connect(second.url);
  twin.beat(50);

  await engine.waitFor('the old connection is closed', () => !engine.connected);
  fallSilent();
  expect(engine.closeReason).toBe('a newer connection of this engine came in');
  expect(await columnOf(site.db, 'service_engine', engine.id, 'connection_epoch')).toBe(2);
  const other = await site.addEngine();
  await other.connect(first.url);
  await site.waitForRow('service_engine', { id: other.id, status: 'DOWN' });
  expect(await columnOf(site.db, 'service_engine', engine.id, 'status')).toBe('READY');
  await twin.disconnect();
});

it('finds engines of a health-manager that was killed, if they do not call here', async () => {
  const first = await site.start(SHORT_SILENCE);
  const engine = await site.addEngine();
  await engine.connect(first.url);
  await site.start({ ...SHORT_SILENCE, startGrace: 100 });

  // What a killed one leaves: nobody holds the connection and nobody writes heartbeats.
  await engine.disconnect();
  await first.stop();
  await site.db('service_engine').where({ id: engine.id }).update({ connected_to: 'killed' });

  await site.waitForRow('service_engine', { id: engine.id, status: 'DOWN' });
});

it('makes one truth of engines that call different health-managers', async () => {
  const [first, second] = [await site.start(SHORT_SILENCE), await site.start(SHORT_SILENCE)];
  const [one, two] = [await site.addEngine(), await site.addEngine()];
  await one.connect(first.url);
  await two.connect(second.url);
  one.beat(50);
  two.beat(50);
  const lb = await addLoadBalancer(site.db);
  const pool = await addPool(site.db, lb);
  const listener = await addListener(site.db, lb, { default_pool_id: pool });
  const member = await addMember(site.db, pool);
  await addMonitor(site.db, pool);
  for (const engine of [one, two]) {
    await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id }, { confirmed_generation: 1 });
  }
  const report = (state: 'UP' | 'DOWN') => ({
    id: lb,
    generation: 1,
    listeners: { [listener]: 'OPEN' as const },
    pools: { [pool]: { state, members: { [member]: state } } },
  });

  one.heartbeat([report('UP')]);
  two.heartbeat([report('UP')]);
  await site.waitForRow('load_balancer', { id: lb, operating_status: 'ONLINE' });
  one.heartbeat([report('DOWN')]);
  await site.waitForRow('load_balancer', { id: lb, operating_status: 'DEGRADED' });
  expect(await columnOf(site.db, 'member', member, 'operating_status')).toBe('ONLINE');
  two.heartbeat([report('DOWN')]);
  await site.waitForRow('load_balancer', { id: lb, operating_status: 'ERROR' });
  two.heartbeat([report('UP')]);
  one.heartbeat([report('UP')]);
  await site.waitForRow('load_balancer', { id: lb, operating_status: 'ONLINE' });
});
