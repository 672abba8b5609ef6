import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { HINTS_TOPIC } from '../../driver/bus/port';
import type { InProject } from '../../driver/clouds/compute/port';
import { ENGINE_PORT_OWNER } from '../../driver/clouds/network/port';
import { configFromText } from '../../driver/config/config';
import type { Db } from '../../driver/db/connect';
import { engineGroupDescription } from '../../driver/domain/engine';
import { ensureFleet, type FleetDeps } from '../../driver/fleet/ensureFleet';
import { createLeftoverSearch } from '../../driver/fleet/leftoverServers';
import { openTestDatabase } from '../support/database';
import { createFakeCompute } from '../support/fakeCompute';
import { addEngine, addGroup } from '../support/fleetRows';
import { startNovaOnNeutron } from '../support/simulators/novaOnNeutron';
import { waitUntil } from '../support/wait';

let db: Db;
let hinted: string[];
const log = pino({ level: 'silent' });

beforeEach(async () => {
  db = await openTestDatabase();
  hinted = [];
});
afterEach(() => db.destroy());

async function fleet(config = ''): Promise<FleetDeps> {
  const bus = createMemoryBus({ log });
  await bus.subscribe(HINTS_TOPIC, ({ args }) => void hinted.push(String(args['id'])));
  return { config: configFromText(config), db, bus, log };
}

interface Row {
  readonly [column: string]: unknown;
}
const engines = (): Promise<Row[]> => db('service_engine').orderBy('created_at').select('*');
const groups = (): Promise<Row[]> => db('service_engine_group').select('*');

it('gives the embedded site its group and its one engine, and hints it', async () => {
  const deps = await fleet('[embedded]\nslots = 77');

  await Promise.all([ensureFleet(deps), ensureFleet(deps)]);
  await ensureFleet(deps);

  expect(await groups()).toMatchObject([{ is_default: 1, name: 'default' }]);
  const rows = await engines();
  expect(rows).toMatchObject([{ status: 'BUILDING', slots: 77, slots_used: 0 }]);
  await waitUntil('the engine is hinted', 1_000, () => hinted.includes(String(rows[0]?.['id'])));
});

it('makes no engines where nothing is booted', async () => {
  await ensureFleet(await fleet('[controller_worker]\ncompute_driver = noop'));

  expect(await groups()).toHaveLength(1);
  expect(await engines()).toEqual([]);
});

it('leaves a default group as its operator made it', async () => {
  await addGroup(db);
  await db('service_engine_group').update({ properties: '{"minEngines":2,"maxEngines":5,"slotsPerEngine":3}' });

  await ensureFleet(await fleet());

  expect(await groups()).toHaveLength(1);
  expect(await engines()).toMatchObject([{ slots: 3 }, { slots: 3 }]);
});

it('starts engines ahead until the buffer is free, and no more than the group may have', async () => {
  const deps = await fleet();
  const id = await addGroup(db);
  const set = (properties: object) => db('service_engine_group').update({ properties: JSON.stringify(properties) });
  await set({ minEngines: 0, maxEngines: 3, slotsPerEngine: 4, bufferEngines: 2 });

  await Promise.all([ensureFleet(deps), ensureFleet(deps)]);
  expect(await engines()).toHaveLength(2);
  await db('service_engine').update({ status: 'READY', slots_used: 3 });
  await ensureFleet(deps);
  await ensureFleet(deps);
  expect(await engines()).toHaveLength(3);

  await set({ minEngines: 0, maxEngines: 9, slotsPerEngine: 4, bufferEngines: 2 });
  await ensureFleet(deps);
  expect(await engines()).toHaveLength(4);
  expect(new Set((await engines()).map((row) => row['service_engine_group_id']))).toEqual(new Set([id]));
});

it('makes the default group of the tenancy that is configured', async () => {
  await ensureFleet(await fleet('[controller_worker]\ncompute_driver = noop\n[service_engine]\ntenancy = exclusive'));

  expect(JSON.parse(String((await groups())[0]?.['properties']))).toMatchObject({
    tenancy: 'exclusive',
    bufferEngines: 0,
  });
});

it('makes engines of the buffer in the project whose engines they stand by', async () => {
  const deps = await fleet('[controller_worker]\ncompute_driver = nova\n[service_engine]\ntenancy_mode = tenant\n');
  await ensureFleet(deps);
  expect(await engines()).toEqual([]);
  const [group] = await groups();
  expect(JSON.parse(String(group?.['properties']))).toMatchObject({ tenancy: 'tenant', bufferEngines: 0 });
  const properties = { ...JSON.parse(String(group?.['properties'])), bufferEngines: 1 };
  await db('service_engine_group').update({ properties: JSON.stringify(properties) });
  const busy = { status: 'READY', slots_used: 10, project_id: 'theirs', owner_project_id: 'theirs' };
  await addEngine(db, String(group?.['id']), busy);

  await ensureFleet(deps);
  await ensureFleet(deps);

  expect((await engines()).map((row) => [row['status'], row['owner_project_id']]).sort()).toEqual([
    ['BUILDING', 'theirs'],
    ['READY', 'theirs'],
  ]);
});

it('replaces a ghost', async () => {
  const deps = await fleet();
  await ensureFleet(deps);
  await db('service_engine').update({ status: 'GHOST' });

  await ensureFleet(deps);
  await ensureFleet(deps);

  const rows = await engines();
  expect(rows.map((row) => [row['status'], row['deleting']]).sort()).toEqual([
    ['BUILDING', 0],
    ['GHOST', 1],
  ]);
  await waitUntil('both are hinted', 1_000, () => rows.every((row) => hinted.includes(String(row['id']))));
});

it('deletes a server that belongs to no engine, after a grace', async () => {
  const compute = createFakeCompute();
  const { id } = await addEngine(db, await addGroup(db));
  const request = { name: 'n', token: 't', controllers: [] };
  const known = await compute.createServer({ ...request, engineId: id });
  const stray = await compute.createServer({ ...request, engineId: 'nobody' });
  let now = 0;
  const search = createLeftoverSearch({ db, compute, log, ownerTag: 'slipstream', grace: 1_000, now: () => now });

  await search();
  now = 999;
  await search();
  expect(compute.servers.size).toBe(2);
  now = 1_000;
  await search();

  expect([...compute.servers.keys()]).toEqual([known.id]);
  const events: Row[] = await db('event').where({ name: 'SERVER_LEFT_OVER' });
  expect(events.map((event) => String(event['message']))).toEqual([expect.stringContaining(stray.id)]);
});

it('deletes a server that is beside the one its engine has, and none of an engine that is being built', async () => {
  const compute = createFakeCompute();
  const groupId = await addGroup(db);
  const request = { name: 'n', token: 't', controllers: [] };
  const [ready, building] = [await addEngine(db, groupId), await addEngine(db, groupId)];
  const kept = await compute.createServer({ ...request, engineId: ready.id });
  await compute.createServer({ ...request, engineId: ready.id });
  const new1 = await compute.createServer({ ...request, engineId: building.id });
  await db('service_engine').where({ id: ready.id }).update({ status: 'READY', compute_id: kept.id });
  const search = createLeftoverSearch({ db, compute, log, ownerTag: 'slipstream', grace: 0, now: () => 0 });

  await search();

  expect([...compute.servers.keys()].sort()).toEqual([kept.id, new1.id].sort());
});

it('deletes ports and server groups of what is gone, and none of others', async () => {
  const site = await startNovaOnNeutron();
  try {
    const { driver: network } = site.network;
    const compute = site.compute.driverWith({ antiAffinity: 'anti-affinity' });
    const groupId = await addGroup(db);
    const { id: engineId } = await addEngine(db, groupId);
    const port = {
      projectId: null,
      networkId: site.managementNetworkId,
      fixedIps: [],
      deviceId: '',
      adminStateUp: true,
    };
    const ours = { ...port, name: 'n', deviceOwner: ENGINE_PORT_OWNER };
    const gone = randomUUID();
    const left = await network.createPort({ ...ours, description: `slipstream engine ${gone}` });
    const stays = [
      await network.createPort({ ...ours, description: `slipstream engine ${engineId}` }),
      await network.createPort({ ...ours, description: `elsewhere engine ${gone}` }),
      await network.createPort({ ...ours, description: '' }),
      await network.createPort({ ...ours, deviceOwner: '', description: `slipstream engine ${gone}` }),
    ];
    const { model } = site.compute.nova;
    model.addGroup(`slipstream-${groupId}`, 'anti-affinity');
    model.addGroup(`slipstream-${randomUUID()}`, 'anti-affinity');
    model.addGroup('slipstream-mine', 'anti-affinity');
    const search = createLeftoverSearch({ db, compute, network, log, ownerTag: 'slipstream', grace: 0, now: () => 0 });

    await search();

    const ports = await network.listPorts({ networkId: site.managementNetworkId });
    expect(ports.map(({ id }) => id).sort()).toEqual(stays.map(({ id }) => id).sort());
    expect([...model.groups.values()].map(({ name }) => name)).toEqual([`slipstream-${groupId}`, 'slipstream-mine']);
    const messages: string[] = await db('event').pluck('message');
    expect(messages.sort()).toEqual([expect.stringContaining(left.id), expect.stringContaining('server group')]);
  } finally {
    await site.close();
  }
});

it.each([
  ['there is a group with engines there', 'service', { tenancy: 'tenant' }],
  ['all engines live there', 'tenant', {}],
] as const)('looks for leftovers in the projects of users where %s', async (_why, tenancyMode, properties) => {
  const site = await startNovaOnNeutron();
  try {
    const { driver: network } = site.network;
    const compute = site.compute.driverWith({ antiAffinity: 'anti-affinity' });
    const groupId = await addGroup(db);
    await db('service_engine_group').update({ properties: JSON.stringify(properties) });
    const request = { engineId: randomUUID(), name: 'n', token: 't', controllers: [], groupId: randomUUID() };
    const { model } = site.compute.nova;
    model.addGroup(`slipstream-${randomUUID()}`, 'anti-affinity', 'theirs');
    const description = engineGroupDescription('slipstream', groupId, 'theirs');
    const group = { name: 'n', description, projectId: 'theirs', tags: ['slipstream'] };
    await network.createSecurityGroup(group);
    const kept = await network.createSecurityGroup({
      ...group,
      description: group.description.replace('theirs', 'its'),
    });
    await addEngine(db, groupId, { owner_project_id: 'its' });
    const { networkId } = { networkId: site.managementNetworkId };
    const port = { name: 'n', projectId: 'theirs', networkId, fixedIps: [], deviceId: '', adminStateUp: true };
    await network.createPort({
      ...port,
      deviceOwner: ENGINE_PORT_OWNER,
      description: `slipstream engine ${request.engineId}`,
    });
    const portOfServer = await network.createPort({ ...port, deviceOwner: '' });
    await compute.createServer({ ...request, projectId: 'theirs', portIds: [portOfServer.id] });
    const search = createLeftoverSearch({
      ...{ db, compute, network, log, tenancyMode, ownerTag: 'slipstream', grace: 0, now: () => 0 },
    });

    await search();
    // Only then does no server have its group any more.
    await search();

    expect([...model.servers.values()]).toEqual([]);
    expect([...model.groups.values()]).toEqual([]);
    expect((await network.listSecurityGroups({ tag: 'slipstream' })).map(({ id }) => id)).toEqual([kept.id]);
    expect((await network.listPorts({ networkId })).map(({ id }) => id)).toEqual([portOfServer.id]);
  } finally {
    await site.close();
  }
});

it('never looks into projects of users without an admin, nor where no engine is to be', async () => {
  const asked: unknown[] = [];
  const compute = createFakeCompute();
  const watching = {
    ...compute,
    listServers: async (where?: InProject) => {
      asked.push(where);
      return compute.listServers();
    },
  };
  await addGroup(db);
  const deps = { db, compute: watching, log, ownerTag: 'slipstream', grace: 0, now: () => 0 };

  await createLeftoverSearch({ ...deps, tenancyMode: 'service' })();
  await db('service_engine_group').update({ properties: JSON.stringify({ tenancy: 'tenant' }) });
  await createLeftoverSearch({ ...deps, tenancyMode: 'single' })();

  expect(asked).toEqual([null, null]);
});
