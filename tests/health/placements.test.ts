import { addListener, addLoadBalancer, addPlacement, columnOf } from '../support/fleetRows';
import { type HealthSite, startHealthSite } from '../support/healthSite';
import { waitUntil } from '../support/wait';

let site: HealthSite;
beforeEach(async () => {
  site = await startHealthSite();
});
afterEach(() => site.close());

it('pushes a placement it is told of, confirms it and hints the load balancer', async () => {
  const { url } = await site.start({ compareInterval: 60_000 });
  const engine = await site.addEngine();
  await engine.connect(url);
  const lb = await addLoadBalancer(site.db);
  const listener = await addListener(site.db, lb);
  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });

  await site.hint(engine.id, lb);
  await site.waitForRow('placement', { id: placement, confirmed_generation: 1, refused: 0, refusals: null });
  await waitUntil('the load balancer is hinted', 1_000, () => site.hinted.includes(lb));

  expect(engine.held.get(lb)).toMatchObject({ generation: 1, epoch: 1, vips: ['127.80.0.10'] });
  expect(engine.held.get(lb)?.listeners.map(({ id }) => id)).toEqual([listener]);
});

it('finds a placement whose hint was lost', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine();
  await engine.connect(url);
  const lb = await addLoadBalancer(site.db);

  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });

  await site.waitForRow('placement', { id: placement, confirmed_generation: 1 });
});

it('removes a placement and frees its slot', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine();
  await engine.connect(url);
  const lb = await addLoadBalancer(site.db);
  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
  await site.waitForRow('placement', { id: placement, confirmed_generation: 1 });
  site.hinted.length = 0;

  await site.db('placement').where({ id: placement }).update({ deleting: 1, wanted_generation: 2 });
  await site.hint(engine.id, lb);
  await site.waitForNoRow('placement', { id: placement });
  await waitUntil('the load balancer is hinted', 1_000, () => site.hinted.includes(lb));

  expect(engine.held.has(lb)).toBe(false);
  expect(await columnOf(site.db, 'service_engine', engine.id, 'slots_used')).toBe(0);
});

it('frees the slot of a placement that an engine never had', async () => {
  const engine = await site.addEngine();
  const lb = await addLoadBalancer(site.db);
  await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id }, { deleting: 1 });
  const { url } = await site.start();

  await engine.connect(url);

  await site.waitForNoRow('placement', { load_balancer_id: lb });
  expect(await columnOf(site.db, 'service_engine', engine.id, 'slots_used')).toBe(0);
});

it('keeps what an engine refuses, and forgets it when the engine heals', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine();
  await engine.connect(url);
  const lb = await addLoadBalancer(site.db);
  const listener = await addListener(site.db, lb);
  const refusal = { kind: 'listener' as const, id: listener, reason: 'port 8080 is taken' };
  engine.behave({ refusals: [refusal] });

  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
  await site.waitForRow('placement', { id: placement, confirmed_generation: 1, refused: 0 });
  expect(JSON.parse(String(await columnOf(site.db, 'placement', placement, 'refusals')))).toEqual([refusal]);

  site.hinted.length = 0;
  const spec = engine.held.get(lb);
  engine.send({
    type: 'ack',
    id: lb,
    generation: 1,
    epoch: 1,
    digest: spec?.digest ?? '',
    outcome: 'applied',
    refusals: [],
  });
  await site.waitForRow('placement', { id: placement, refusals: null });
  await waitUntil('the load balancer is hinted', 1_000, () => site.hinted.includes(lb));
});

it('marks a generation of which nothing can be put in force', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine();
  engine.behave({ refusesAll: true });
  await engine.connect(url);
  const lb = await addLoadBalancer(site.db);

  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });

  await site.waitForRow('placement', { id: placement, confirmed_generation: 1, refused: 1 });
});

it('says why no spec can be built', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine();
  await engine.connect(url);
  const lb = await addLoadBalancer(site.db);
  await addListener(site.db, lb, { protocol_port: 70_000 });

  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });

  await site.waitForRow('placement', { id: placement, refused: 1, confirmed_generation: 1 });
  const events = await site.events('SPEC_FAILED');
  expect(events).toHaveLength(1);
  expect(engine.puts(lb)).toEqual([]);
});

it('sends only the newest of several changes that come while the engine is busy', async () => {
  const { url } = await site.start({ compareInterval: 60_000, ackTimeout: 60_000 });
  const engine = await site.addEngine();
  engine.behave({ answers: false });
  await engine.connect(url);
  const lb = await addLoadBalancer(site.db);
  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
  await site.hint(engine.id, lb);
  await engine.waitFor('the first spec arrives', () => engine.puts(lb).length === 1);

  for (const generation of [2, 3, 4]) {
    await site.db('load_balancer').where({ id: lb }).update({ generation });
    await site.db('placement').where({ id: placement }).update({ wanted_generation: generation });
    await site.hint(engine.id, lb);
  }
  engine.behave({ answers: true });
  const first = engine.puts(lb)[0];
  engine.send({
    type: 'ack',
    id: lb,
    generation: 1,
    epoch: 1,
    digest: first?.digest ?? '',
    outcome: 'applied',
    refusals: [],
  });

  await site.waitForRow('placement', { id: placement, confirmed_generation: 4 });
  expect(engine.puts(lb).map(({ generation }) => generation)).toEqual([1, 4]);
});

it('does not let a silent engine delay others', async () => {
  const { url } = await site.start({ compareInterval: 60_000, ackTimeout: 60_000, pushWindow: 2, buildConcurrency: 1 });
  const [slow, quick] = [await site.addEngine(), await site.addEngine()];
  slow.behave({ answers: false });
  await slow.connect(url);
  await quick.connect(url);
  const lbs = await Promise.all([1, 2, 3, 4].map(() => addLoadBalancer(site.db)));
  for (const lb of lbs) {
    await addPlacement(site.db, { loadBalancerId: lb, engineId: slow.id });
    await addPlacement(site.db, { loadBalancerId: lb, engineId: quick.id });
    await site.hint(slow.id, lb);
    await site.hint(quick.id, lb);
  }

  await waitUntil('the quick engine has confirmed all', 3_000, async () => {
    const rows: unknown[] = await site
      .db('placement')
      .where({ service_engine_id: quick.id, confirmed_generation: 1 })
      .select('id');
    return rows.length === lbs.length;
  });
  expect(slow.received.filter(({ type }) => type === 'put')).toHaveLength(2);
});

it('never takes a confirmation back', async () => {
  const { url } = await site.start({ compareInterval: 60_000 });
  const engine = await site.addEngine();
  await engine.connect(url);
  const lb = await addLoadBalancer(site.db, { generation: 5, settled_generation: 5 });
  const at = { loadBalancerId: lb, engineId: engine.id };
  const placement = await addPlacement(site.db, at, { wanted_generation: 5, confirmed_generation: 5 });

  const late = { type: 'ack' as const, id: lb, epoch: 1, digest: '', refusals: [] };
  engine.send({ ...late, generation: 3, outcome: 'refused' });
  engine.send({ ...late, generation: 6, outcome: 'applied' });

  await site.waitForRow('placement', { id: placement, confirmed_generation: 6 });
  expect(await columnOf(site.db, 'placement', placement, 'refused')).toBe(0);
});
