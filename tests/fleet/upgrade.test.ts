import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { configFromText } from '../../driver/config/config';
import { type Db, dbNow } from '../../driver/db/connect';
import { findUpgradeOf, insertUpgrade, keepUpgrade } from '../../driver/db/upgrades';
import { newUpgrade, type UpgradeState, undoUpgrade } from '../../driver/domain/upgrade';
import { advanceUpgrades, type UpgradeDeps } from '../../driver/fleet/upgrade';
import { openTestDatabase } from '../support/database';
import { addEngine, addGroup, addLoadBalancer, addPlacement } from '../support/fleetRows';

let db: Db;
let deps: UpgradeDeps;
let group: string;
const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });

beforeEach(async () => {
  db = await openTestDatabase();
  const config = configFromText('[controller_worker]\ncompute_driver = nova\n');
  deps = { config, db, bus: createMemoryBus({ log }), log, times: { soak: 0, boot: 60_000, move: 60_000 } };
  group = await addGroup(db);
});
afterEach(() => db.destroy());

async function engineWith(balancers: number): Promise<string> {
  const up = { status: 'READY', connected_to: 'hm', last_heartbeat: dbNow(db) };
  const { id } = await addEngine(db, group, up);
  for (let index = 0; index < balancers; index += 1) {
    const loadBalancerId = await addLoadBalancer(db);
    await addPlacement(db, { loadBalancerId, engineId: id }, { confirmed_generation: 1 });
  }
  return id;
}

const start = (parallel = 1) =>
  insertUpgrade(db, {
    ...{ id: 'upgrade', groupId: group, imageTag: 'new', previousImageTag: null, previousMark: null, engines: 2 },
    state: newUpgrade('mark', parallel),
  });

const state = async (): Promise<UpgradeState> => {
  const upgrade = await findUpgradeOf(db, group);
  if (!upgrade) throw new Error('there is no upgrade');
  return upgrade.state;
};

/** What workers and health-managers do of it: engines come up, load balancers move, engines go. */
async function live({ refuses = false } = {}): Promise<void> {
  await db('service_engine').where({ status: 'BUILDING' }).update({ status: 'READY', connected_to: 'hm' });
  await db('load_balancer').update({ provisioning_status: 'ACTIVE', settled_generation: db.raw('generation') });
  const asked = await db('placement').whereNotNull('request').select('*');
  for (const { id, load_balancer_id, service_engine_id: from, request_target: to } of asked) {
    const target = to ?? (await db('service_engine').whereNot({ id: from }).where({ deleting: 0 }).first('id')).id;
    const there = await db('placement').where({ load_balancer_id, service_engine_id: target }).first('id');
    if (!there) {
      const pair = { loadBalancerId: load_balancer_id, engineId: target };
      await addPlacement(db, pair, { confirmed_generation: refuses ? -1 : 1, refused: refuses ? 1 : 0 });
    }
    if (refuses && !there) continue;
    await db('placement').where({ id }).delete();
    await db('service_engine').where({ id: from }).decrement('slots_used', 1);
  }
  const gone: string[] = await db('service_engine').where({ deleting: 1 }).pluck('id');
  await db('service_engine').whereIn('id', gone).delete();
}

async function run(options = {}, rounds = 60): Promise<UpgradeState> {
  for (let round = 0; round < rounds; round += 1) {
    const { status } = await state();
    if (!['RUNNING', 'STOPPING', 'UNDOING'].includes(status)) break;
    await advanceUpgrades(deps);
    await live(options);
  }
  return state();
}

const engines = () => db('service_engine').orderBy('id').select('group_image_tag', 'upgrade_mark', 'slots_used');
const events = (): Promise<string[]> => db('event').distinct('name').orderBy('name').pluck('name');

it('replaces the engines of a group, and has new ones made of the new image from then on', async () => {
  await engineWith(2);
  await engineWith(1);
  await start();

  expect(await run()).toMatchObject({ status: 'DONE', replaced: 2, proven: true });

  const upgraded = { group_image_tag: 'new', upgrade_mark: 'mark' };
  expect(await engines()).toEqual([expect.objectContaining(upgraded), expect.objectContaining(upgraded)]);
  const [{ properties }] = await db('service_engine_group').select('properties');
  expect(JSON.parse(properties)).toMatchObject({ imageTag: 'new', upgradeMark: 'mark' });
  expect(await events()).toEqual([
    ...['UPGRADE_DONE', 'UPGRADE_ENGINE_REQUESTED', 'UPGRADE_ENGINE_RETIRED', 'UPGRADE_MIGRATE', 'UPGRADE_PROVEN'],
  ]);
});

it('stops when the new engine refuses what the old one serves, and takes back what it has done', async () => {
  const old = await engineWith(2);
  await start();

  const ended = await run({ refuses: true });

  expect(ended).toMatchObject({ status: 'STOPPED', proven: false, steps: [] });
  expect(ended.reason).toMatch(/refuses load balancer/);
  expect(await db('placement').distinct('service_engine_id').pluck('service_engine_id')).toEqual([old]);
  expect(await db('service_engine').pluck('id')).toEqual([old]);
  expect(await events()).toContain('UPGRADE_STOPPED');
});

it('goes back to the image before when it is undone', async () => {
  await engineWith(1);
  await engineWith(1);
  await start();
  await run();
  const upgrade = await findUpgradeOf(db, group);
  if (!upgrade) throw new Error('there is no upgrade');
  await keepUpgrade(db, upgrade, undoUpgrade(upgrade.state, 'back', Date.now()));

  expect(await run()).toMatchObject({ status: 'UNDONE', replaced: 2 });
  expect(await engines()).toEqual([
    { group_image_tag: null, upgrade_mark: 'back', slots_used: 1 },
    { group_image_tag: null, upgrade_mark: 'back', slots_used: 1 },
  ]);
});

it('does everything once although two processes are at it', async () => {
  await engineWith(1);
  await start();
  await Promise.all([advanceUpgrades(deps), advanceUpgrades(deps)]);

  expect(await engines()).toHaveLength(2);
});

it('comes to the same end when it breaks off between any two statements', async () => {
  await engineWith(1);
  await engineWith(0);
  await start();
  let count = 0;
  let limit = 3;
  const mortal = new Proxy(db, {
    apply: (target, self, args) => {
      count += 1;
      if (count > limit) throw new Error('the process is dead');
      return Reflect.apply(target as never, self, args);
    },
  });
  for (let round = 0; round < 40; round += 1) {
    count = 0;
    limit = round;
    await advanceUpgrades({ ...deps, db: mortal }).catch(() => undefined);
    await live();
  }

  expect(await run()).toMatchObject({ status: 'DONE', replaced: 2 });
  expect(await engines()).toHaveLength(2);
  expect((await db('placement').select('id')).length).toBe(1);
});
