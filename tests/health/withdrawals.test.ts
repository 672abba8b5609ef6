import { randomUUID } from 'node:crypto';
import type { HealthSettings } from '../../driver/health/settings';
import { DEFAULT_OPTIONS } from '../../driver/target/options';
import type { FakeEngine } from '../support/engine';
import { addListener, addLoadBalancer, addMember, addPlacement, addPool, columnOf } from '../support/fleetRows';
import { type HealthSite, startHealthSite } from '../support/healthSite';
import { waitUntil } from '../support/wait';

/** Milliseconds. */
const DELAY = 400;
const dampedBy = (delay: number): Partial<HealthSettings> => ({
  spec: { ...DEFAULT_OPTIONS, withdrawDelay: delay, restoreDelay: delay },
});

let site: HealthSite;
let engines: FakeEngine[];
beforeEach(async () => {
  site = await startHealthSite();
});
afterEach(() => site.close());

async function addFlavor(data: Record<string, unknown>): Promise<string> {
  const id = randomUUID();
  const named = { id, name: id };
  await site.db('flavor_profile').insert({ ...named, provider_name: 'slipstream', flavor_data: JSON.stringify(data) });
  await site.db('flavor').insert({ ...named, description: '', enabled: 1, flavor_profile_id: id });
  return id;
}

/** A load balancer with a member, on engines that report; `report` says whether each of them finds the member usable. */
async function addServed(
  flavor: Record<string, unknown> | null,
  columns: Record<string, unknown> = {},
  { count = 1, delay = DELAY } = {},
) {
  const { url } = await site.start(dampedBy(delay));
  engines = await Promise.all(Array.from({ length: count }, () => site.addEngine()));
  for (const engine of engines) await engine.connect(url);
  const lb = await addLoadBalancer(site.db, {
    ...(flavor !== null && { flavor_id: await addFlavor(flavor) }),
    ...columns,
  });
  const pool = await addPool(site.db, lb);
  const listener = await addListener(site.db, lb, { default_pool_id: pool });
  const member = await addMember(site.db, pool);
  for (const { id: engineId } of engines) {
    await addPlacement(site.db, { loadBalancerId: lb, engineId }, { confirmed_generation: 1 });
  }
  const report = (...usable: boolean[]) => {
    for (const [index, engine] of engines.entries()) {
      const state = usable[index] ? 'UP' : 'DOWN';
      const pools = { [pool]: { state, members: { [member]: state } } } as const;
      engine.heartbeat([
        { id: lb, generation: 1, listeners: { [listener]: 'OPEN' }, pools, usable: usable[index] === true },
      ]);
    }
  };
  const withdrawn = async () => (await columnOf(site.db, 'load_balancer', lb, 'vip_withdrawn_at')) !== null;
  return { lb, report, withdrawn };
}

const eventually = (what: string, condition: () => boolean | Promise<boolean>) => waitUntil(what, 30_000, condition);

it('withdraws a VIP once no member has been usable for the delay, hints the load balancer, and restores it', async () => {
  const { lb, report, withdrawn } = await addServed({ withdraw_vip_on_down: true });
  report(true);
  await site.waitForRow('load_balancer', { id: lb, operating_status: 'ONLINE' });
  site.hinted.length = 0;

  const since = performance.now();
  report(false);
  await eventually('it is withdrawn', withdrawn);
  expect(performance.now() - since).toBeGreaterThanOrEqual(DELAY);
  await eventually('a worker is told', () => site.hinted.includes(lb));
  expect((await site.events('VIP_WITHDRAWN')).map(({ message }) => message)).toEqual([
    'no member can take traffic, for 0.4 s: its VIPs are taken off the network',
  ]);

  site.hinted.length = 0;
  report(true);
  await eventually('it is restored', async () => !(await withdrawn()));
  await eventually('a worker is told', () => site.hinted.includes(lb));
  expect(await site.events('VIP_RESTORED')).toHaveLength(1);
});

it('takes no notice of a member that comes and goes faster than that', async () => {
  // Long enough for a machine that has other things to do.
  const { lb, report, withdrawn } = await addServed({ withdraw_vip_on_down: true }, {}, { delay: 20_000 });
  for (let round = 0; round < 8; round += 1) {
    report(round % 2 === 0);
    await site.waitForRow('load_balancer', { id: lb, operating_status: round % 2 === 0 ? 'ONLINE' : 'ERROR' });
  }
  report(true);
  await site.waitForRow('load_balancer', { id: lb, operating_status: 'ONLINE' });
  expect(await withdrawn()).toBe(false);
  expect(await site.events('VIP_WITHDRAWN')).toEqual([]);
});

it('keeps a VIP as long as one of its engines reaches a member', async () => {
  const { lb, report, withdrawn } = await addServed({ withdraw_vip_on_down: true }, {}, { count: 2 });
  report(false, true);
  await site.waitForRow('load_balancer', { id: lb, operating_status: 'DEGRADED' });
  report(false, false);
  await eventually('it is withdrawn', withdrawn);
  report(false, true);
  await eventually('it is restored', async () => !(await withdrawn()));
});

it.each([
  ['a flavor that says nothing', { scaleout: 2 }, {}],
  ['no flavor', null, {}],
  ['a flavor that says no', { withdraw_vip_on_down: false }, {}],
])('leaves a VIP as it is with %s', async (_what, flavor, columns) => {
  const { lb, report, withdrawn } = await addServed(flavor, columns);
  const other = await addLoadBalancer(site.db, { flavor_id: await addFlavor({ withdraw_vip_on_down: true }) });
  await addPlacement(site.db, { loadBalancerId: other, engineId: engines[0]?.id ?? '' }, { confirmed_generation: 1 });
  report(false);
  engines[0]?.heartbeat([{ id: other, generation: 1, listeners: {}, pools: {}, usable: false }]);
  await site.waitForRow('load_balancer', { id: lb, operating_status: 'ERROR' });
  await eventually('the other one is withdrawn', async () => {
    return (await columnOf(site.db, 'load_balancer', other, 'vip_withdrawn_at')) !== null;
  });
  expect(await withdrawn()).toBe(false);
});

it.each([
  ['routes', {}, { vip_mode: 'bgp' }, 'its engines withdraw their routes'],
  ['ports', { withdraw_vip_on_down: 'close' }, {}, 'its engines close their ports'],
])('only tells of %s that engines look after themselves', async (_what, flavor, columns, words) => {
  const { report, withdrawn } = await addServed(flavor, columns);
  report(true);
  report(false);
  await eventually('it is told', async () => (await site.events('VIP_WITHDRAWN')).length === 1);
  expect((await site.events('VIP_WITHDRAWN'))[0]?.message).toContain(words);
  expect(await withdrawn()).toBe(false);
});
