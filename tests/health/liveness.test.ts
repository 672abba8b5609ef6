import { addLoadBalancer, addPlacement, columnOf } from '../support/fleetRows';
import { type HealthSite, SHORT_SILENCE, startHealthSite } from '../support/healthSite';
import { waitUntil } from '../support/wait';

let site: HealthSite;
beforeEach(async () => {
  site = await startHealthSite();
});
afterEach(() => site.close());

it('takes an engine that is silent for down, its placements for stale, and hints its load balancers', async () => {
  const { url } = await site.start(SHORT_SILENCE);
  const engine = await site.addEngine();
  const lb = await addLoadBalancer(site.db);
  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
  await engine.connect(url);
  await site.waitForRow('placement', { id: placement, confirmed_generation: 1 });
  site.hinted.length = 0;

  await site.waitForRow('service_engine', { id: engine.id, status: 'DOWN', connected_to: null });
  await waitUntil('the load balancer is hinted', 20_000, () => site.hinted.includes(lb));

  expect(await columnOf(site.db, 'placement', placement, 'stale')).toBe(1);
  expect(engine.connected).toBe(false);
  expect((await site.events('ENGINE_DOWN')).map((event) => event.service_engine_id)).toEqual([engine.id]);
  await site.waitForRow('load_balancer', { id: lb, operating_status: 'ERROR' });
});

it('leaves an engine alone that goes on calling', async () => {
  const { url } = await site.start(SHORT_SILENCE);
  const [lively, silent] = [await site.addEngine(), await site.addEngine()];
  await lively.connect(url);
  await silent.connect(url);
  lively.beat(50);

  await site.waitForRow('service_engine', { id: silent.id, status: 'DOWN' });

  expect(await columnOf(site.db, 'service_engine', lively.id, 'status')).toBe('READY');
  expect(lively.connected).toBe(true);
});

it('takes an engine back that calls again, and its placements once it has confirmed them', async () => {
  const { url } = await site.start(SHORT_SILENCE);
  const engine = await site.addEngine();
  const lb = await addLoadBalancer(site.db);
  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
  await engine.connect(url);
  await site.waitForRow('placement', { id: placement, confirmed_generation: 1 });
  await site.waitForRow('service_engine', { id: engine.id, status: 'DOWN' });

  await engine.connect(url);
  engine.beat(50);

  await site.waitForRow('placement', { id: placement, stale: 0 });
  expect(await columnOf(site.db, 'service_engine', engine.id, 'status')).toBe('READY');
  expect(await site.events('ENGINE_UP')).toHaveLength(2);
});

it('gives an engine whose connection broke the time to come back', async () => {
  const { url } = await site.start({ heartbeatTimeout: 1_500 });
  const engine = await site.addEngine();
  await engine.connect(url);

  await engine.disconnect();
  await site.waitForRow('service_engine', { id: engine.id, connected_to: null });
  await engine.connect(url);
  engine.beat(50);
  const other = await site.addEngine();
  await other.connect(url);
  await site.waitForRow('service_engine', { id: other.id, status: 'DOWN' });

  expect(await columnOf(site.db, 'service_engine', engine.id, 'status')).toBe('READY');
  expect((await site.events('ENGINE_DOWN')).map((event) => event.service_engine_id)).toEqual([other.id]);
});

const LONG_AGO = { status: 'READY', last_heartbeat: '2026-01-01 00:00:00.000' };

it('judges engines of a health-manager that is gone only after its grace', async () => {
  const engine = await site.addEngine(LONG_AGO);
  const since = performance.now();
  await site.start({ ...SHORT_SILENCE, startGrace: 700 });

  await site.waitForRow('service_engine', { id: engine.id, status: 'DOWN' });

  expect(performance.now() - since).toBeGreaterThan(690);
});

it('lets engines call again after its own start without judging them', async () => {
  const engine = await site.addEngine(LONG_AGO);
  const { url } = await site.start({ ...SHORT_SILENCE, startGrace: 300 });
  const lost = await site.addEngine(LONG_AGO);
  await engine.connect(url);
  engine.beat(50);

  await site.waitForRow('service_engine', { id: lost.id, status: 'DOWN' });

  expect(await columnOf(site.db, 'service_engine', engine.id, 'status')).toBe('READY');
  expect((await site.events('ENGINE_DOWN')).map((event) => event.service_engine_id)).toEqual([lost.id]);
});

it('writes down when it has heard an engine', async () => {
  const { url } = await site.start(SHORT_SILENCE);
  const engine = await site.addEngine();
  await engine.connect(url);
  const first = await columnOf(site.db, 'service_engine', engine.id, 'last_heartbeat');
  engine.beat(30);

  await waitUntil('a later time is written', 20_000, async () => {
    const now = await columnOf(site.db, 'service_engine', engine.id, 'last_heartbeat');
    return String(now) > String(first);
  });
});

describe('of engines that are late by some heartbeats', () => {
  /** Says whether others on the network of data hear it. */
  const noteHearing = (observer: string, engine: string, heard: boolean) =>
    site.db('engine_hearing').insert({
      ...{ observer_id: observer, service_engine_id: engine },
      ...{ heard: heard ? 1 : 0, since: '2026-01-01 00:00:00.000' },
    });

  it('takes those for down that their neighbours miss, long before the others, and those alone whose connection is open', async () => {
    const { url } = await site.start({ heartbeatTimeout: 12_000 });
    const [observer, missed, heard, restarted, unwatched] = [
      await site.addEngine(),
      await site.addEngine(),
      await site.addEngine(),
      await site.addEngine(),
      await site.addEngine(),
    ];
    for (const engine of [observer, missed, heard, restarted, unwatched]) await engine.connect(url);
    observer.beat(30);
    await noteHearing(observer.id, missed.id, false);
    await noteHearing(observer.id, heard.id, true);
    await noteHearing(observer.id, restarted.id, false);
    await restarted.disconnect();

    await site.waitForRow('service_engine', { id: missed.id, status: 'DOWN', connected_to: null });

    const down = await site.db('service_engine').where({ status: 'DOWN' }).pluck('id');
    expect(down).toEqual([missed.id]);
    expect((await site.events('ENGINE_DOWN')).map((event) => event.service_engine_id)).toEqual([missed.id]);
  });
});
