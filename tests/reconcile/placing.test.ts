import type { Db } from '../../driver/db/connect';
import { reconcileLoadBalancer } from '../../driver/reconcile/loadBalancerUnit';
import { openTestDatabase } from '../support/database';
import { type Lab, startLab } from '../support/reconciler';
import { insertEngine, insertLoadBalancer, insertPlacement } from '../support/rows';

/** What a load balancer's run makes of its group, flavor and availability zone. */

let db: Db;
let lab: Lab;
beforeEach(async () => {
  db = await openTestDatabase();
});
afterEach(async () => {
  await lab.close();
  await db.destroy();
});

const open = async (group: object): Promise<void> => {
  lab = await startLab(db, { group });
};
const PENDING = {
  provisioning_status: 'PENDING_CREATE',
  generation: 2,
  pending_deadline: '2099-01-01 00:00:00.000',
} as const;

const addFlavor = async (data: object): Promise<string> => {
  await db('flavor_profile').insert({
    id: 'fp',
    name: 'fp',
    provider_name: 'slipstream',
    flavor_data: JSON.stringify(data),
  });
  await db('flavor').insert({ id: 'f', name: 'f', description: '', enabled: 1, flavor_profile_id: 'fp' });
  return 'f';
};

const addZone = async (data: object): Promise<string> => {
  const profile = { id: 'zp', name: 'zp', provider_name: 'slipstream', availability_zone_data: JSON.stringify(data) };
  await db('availability_zone_profile').insert(profile);
  await db('availability_zone').insert({ name: 'z', description: '', enabled: 1, availability_zone_profile_id: 'zp' });
  return 'z';
};

const run = (id: string) => reconcileLoadBalancer(lab.parts(), id);
const messages = async (name: string): Promise<string[]> => (await lab.events(name)).map(({ message }) => message);
const roles = (): Promise<string[]> => db('placement').orderBy('role').pluck('role');

it('says why a load balancer has no engine, in its event and in what it waits for, once', async () => {
  await open({ maxEngines: 1 });
  await db('service_engine').update({ slots_used: 10 });
  const lb = await insertLoadBalancer(db, PENDING);

  const outcome = await run(lb.id);
  await run(lb.id);

  const why = 'group full: 1 of 1 engines, 10 of 10 slots';
  expect(outcome).toMatchObject({ kind: 'waiting', reason: expect.stringContaining(why) });
  expect(await messages('GROUP_FULL')).toEqual([
    expect.stringMatching(new RegExp(`has no room for .*${lb.id}: ${why}$`)),
  ]);
});

it.each([
  [{ scaleout: 3 }, ['primary', 'secondary', 'secondary']],
  [{ ha_mode: 'active_active' }, ['primary', 'secondary']],
  [{ ha_mode: 'active_standby' }, ['primary', 'standby']],
])('a flavor of %j puts it on engines as %j', async (data, expected) => {
  await open({ maxEngines: 4 });
  const lb = await insertLoadBalancer(db, { ...PENDING, flavor_id: await addFlavor(data) });

  await run(lb.id);

  expect(await roles()).toEqual(expected);
});

it('a pair is had by the group, too', async () => {
  await open({ maxEngines: 4, haMode: 'active_standby' });
  const lb = await insertLoadBalancer(db, PENDING);

  await run(lb.id);

  expect(await roles()).toEqual(['primary', 'standby']);
});

it('tells that a flavor asks for more engines than the group allows', async () => {
  await open({ maxEngines: 4, maxScaleout: 2 });
  const lb = await insertLoadBalancer(db, { ...PENDING, flavor_id: await addFlavor({ scaleout: 3 }) });

  await run(lb.id);

  expect(await roles()).toHaveLength(2);
  expect(await messages('SCALEOUT_BOUNDED')).toEqual([
    expect.stringMatching(/is on 2 engines: group .* allows no more/),
  ]);
});

it('tells that its engines share a host, when there is no other', async () => {
  await open({ maxEngines: 2, minScaleout: 2 });
  await db('service_engine').update({ host: 'h1' });
  await insertEngine(db, { service_engine_group_id: lab.groupId, host: 'h1' });
  const lb = await insertLoadBalancer(db, PENDING);

  await run(lb.id);

  expect(await roles()).toHaveLength(2);
  expect(await messages('HOST_SHARED')).toHaveLength(1);
});

it('has engines made of the flavor’s kind in the zone’s place, and none where engines are all alike', async () => {
  await open({ maxEngines: 4 });
  const flavor_id = await addFlavor({ compute_flavor: 'big', image_tag: 'new', per_app: true });
  const availability_zone = await addZone({ compute_zone: 'east' });
  const lb = await insertLoadBalancer(db, { ...PENDING, flavor_id, availability_zone });
  const alike = await insertLoadBalancer(db, { ...PENDING, flavor_id, availability_zone });

  await run(lb.id);
  const { settings } = lab.parts();
  await reconcileLoadBalancer(lab.parts({ settings: { ...settings, enginesAreAlike: true } }), alike.id);

  const made = await db('service_engine').whereNot({ id: lab.engineId }).select('*');
  expect(made).toMatchObject([{ availability_zone: 'east', compute_flavor: 'big', image_tag: 'new', slots: 2 }]);
  expect(await db('placement').where({ load_balancer_id: alike.id }).pluck('service_engine_id')).toEqual([
    lab.engineId,
  ]);
});

it('a further engine that is wanted and cannot be had keeps nobody from what there is', async () => {
  await open({ maxEngines: 2, minScaleout: 2 });
  await insertEngine(db, { service_engine_group_id: lab.groupId, status: 'DOWN', connected_to: null });
  const lb = await insertLoadBalancer(db, { ...PENDING, provisioning_status: 'PENDING_UPDATE' });
  await insertPlacement(db, { load_balancer_id: lb.id, service_engine_id: lab.engineId });
  await lab.startWorker();
  await lab.hint(lb.id);

  await lab.reaches(lb.id, 'ACTIVE');

  expect(await messages('GROUP_FULL')).toEqual([
    expect.stringMatching(/2 of 2 engines, \d of 20 slots; of its engines 1 down, 1 serving it already$/),
  ]);
});
