import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { HINTS_TOPIC } from '../../driver/bus/port';
import { configFromText } from '../../driver/config/config';
import { type Db, dbNow } from '../../driver/db/connect';
import { recordLoads } from '../../driver/db/engineLoads';
import { followLoad } from '../../driver/fleet/elasticity';
import type { FleetDeps } from '../../driver/fleet/ensureFleet';
import { openTestDatabase } from '../support/database';
import { addEngine, addGroup, addLoadBalancer, addPlacement } from '../support/fleetRows';
import { waitUntil } from '../support/wait';

let db: Db;
let deps: FleetDeps;
let hinted: string[];
let group: string;
const log = pino({ level: 'silent' });

beforeEach(async () => {
  db = await openTestDatabase();
  hinted = [];
  const bus = createMemoryBus({ log });
  await bus.subscribe(HINTS_TOPIC, ({ args }) => void hinted.push(String(args['id'])));
  deps = { config: configFromText('[controller_worker]\ncompute_driver = nova\n'), db, bus, log };
  group = await addGroup(db);
});
afterEach(() => db.destroy());

const set = (properties: object) =>
  db('service_engine_group').update({ properties: JSON.stringify({ minEngines: 0, ...properties }) });

async function engineWith(cpuPercent: number, slotsUsed = 1): Promise<string> {
  const up = { status: 'READY', connected_to: 'hm', last_heartbeat: dbNow(db), slots_used: slotsUsed };
  const { id } = await addEngine(db, group, up);
  await load(id, cpuPercent);
  return id;
}

function load(engineId: string, cpuPercent: number): Promise<void> {
  const rest = { memoryPercent: 10, connections: 1, bytesPerSecond: null, packetsPerSecond: null };
  return recordLoads(db, [{ engineId, cpuPercent, connectionsPerSecond: null, ...rest }]);
}

async function balancerOn(...engineIds: string[]): Promise<string> {
  const id = await addLoadBalancer(db);
  for (const engineId of engineIds)
    await addPlacement(db, { loadBalancerId: id, engineId }, { confirmed_generation: 1 });
  return id;
}

/** The next look is due. */
const later = () => db('group_elasticity').update({ looked_at: '2026-01-01 00:00:00.000' });
/** ... and what the last one has left is changed. */
async function remember(change: (state: Memory) => void): Promise<void> {
  const { state } = await db('group_elasticity').first('state');
  const memory: { readonly state: Memory } = JSON.parse(String(state));
  change(memory.state);
  await db('group_elasticity').update({ state: JSON.stringify(memory) });
  await later();
}

interface Memory {
  readonly idleSince: Record<string, number>;
  readonly lately: Record<string, [number, number][]>;
}

const events = (): Promise<string[]> => db('event').orderBy('name').pluck('name');
const balancer = (id: string) => db('load_balancer').where({ id }).first('provisioning_status', 'scale_adjustment');

it('scales out a load balancer whose engine has too much to do, as an operator would', async () => {
  await set({ autoRebalance: true });
  const id = await balancerOn(await engineWith(95));
  await engineWith(50);

  await followLoad(deps);

  expect(await balancer(id)).toEqual({ provisioning_status: 'PENDING_UPDATE', scale_adjustment: 1 });
  expect(await events()).toEqual(['ENGINE_LOAD_HIGH', 'REBALANCE_SCALEOUT']);
  await waitUntil('the load balancer is hinted', 5_000, () => hinted.includes(id));
});

it('scales in what has been scaled out, and asks the engine with too little to do to be left', async () => {
  await set({ autoRebalance: true });
  const [idle, other] = [await engineWith(10), await engineWith(15)];
  const id = await balancerOn(idle, other);
  await db('load_balancer').where({ id }).update({ scale_adjustment: 1 });
  await followLoad(deps);
  // Engines that have just come are not judged yet.
  expect((await balancer(id)).scale_adjustment).toBe(1);
  await remember((state) => {
    for (const notes of Object.values(state.lately)) for (const note of notes) note[0] -= 600_000;
  });

  await followLoad(deps);

  expect(await balancer(id)).toEqual({ provisioning_status: 'PENDING_UPDATE', scale_adjustment: 0 });
  const asked = await db('placement').whereNotNull('request').select('service_engine_id', 'request');
  expect(asked).toEqual([{ service_engine_id: idle, request: 'scalein' }]);
});

it('only says so where load balancers are not moved by load, once and not with every look', async () => {
  await set({});
  const id = await balancerOn(await engineWith(95));

  await followLoad(deps);
  await later();
  await followLoad(deps);

  expect(await balancer(id)).toEqual({ provisioning_status: 'ACTIVE', scale_adjustment: null });
  expect(await events()).toEqual(['ENGINE_LOAD_HIGH', 'REBALANCE_ADVISED']);
});

it('looks once an interval, however many processes there are', async () => {
  await set({ autoRebalance: true });
  const engine = await engineWith(50);
  const id = await balancerOn(engine);
  await followLoad(deps);
  await load(engine, 95);

  await Promise.all([followLoad(deps), followLoad(deps)]);
  expect(await balancer(id)).toMatchObject({ provisioning_status: 'ACTIVE' });
  await later();
  await Promise.all([followLoad(deps), followLoad(deps)]);

  expect(await balancer(id)).toEqual({ provisioning_status: 'PENDING_UPDATE', scale_adjustment: 1 });
});

it('moves the load balancer with most traffic that fits elsewhere', async () => {
  await set({ autoRebalance: true });
  const [hot, cool] = [await engineWith(90, 3), await engineWith(35)];
  const all = [await balancerOn(hot), await balancerOn(hot), await balancerOn(hot)];
  await balancerOn(cool);
  for (const [index, id] of all.entries()) {
    await db('listener_statistics').insert({
      ...{ listener_id: randomUUID(), amphora_id: hot, load_balancer_id: id, bytes_in: 0, bytes_out: 0 },
      ...{ active_connections: [30, 40, 30][index], total_connections: 0, request_errors: 0 },
    });
  }

  await followLoad(deps);

  const asked = await db('placement').whereNotNull('request').select('load_balancer_id', 'request', 'request_target');
  expect(asked).toEqual([expect.objectContaining({ request: 'migrate', request_target: cool })]);
});

it('has engines avoided that have too much to do, as long as they have', async () => {
  await set({});
  const hot = await engineWith(95, 2);
  const avoided = (): Promise<string[]> => db('service_engine').where({ avoided: 1 }).pluck('id');
  await followLoad(deps);
  expect(await avoided()).toEqual([hot]);

  await load(hot, 20);
  await later();
  await followLoad(deps);

  expect(await avoided()).toEqual([]);
});

it('retires an engine that has served nobody for its time, and none that is needed', async () => {
  await set({ minEngines: 1, deprovisionDelay: 1 });
  const [one, other] = [await engineWith(0, 0), await engineWith(0, 0)];
  await followLoad(deps);
  await remember((state) => {
    for (const id of Object.keys(state.idleSince)) state.idleSince[id] = Number(state.idleSince[id]) - 61_000;
  });

  await followLoad(deps);

  const gone: string[] = await db('service_engine').where({ deleting: 1 }).pluck('id');
  expect(gone).toHaveLength(1);
  expect([one, other]).toContain(gone[0]);
  expect(await events()).toEqual(['ENGINE_IDLE_RETIRED']);
});

it('makes an engine when no other can take anything of what is too much', async () => {
  await set({ autoRebalance: true, maxScaleout: 1 });
  const hot = await engineWith(95, 2);
  await balancerOn(hot);
  await balancerOn(hot);

  await followLoad(deps);

  expect(await db('service_engine').where({ status: 'BUILDING' }).select('id')).toHaveLength(1);
});
