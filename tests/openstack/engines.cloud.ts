import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { createNovaDriver } from '../../driver/clouds/compute/http';
import type { ComputeDriver } from '../../driver/clouds/compute/port';
import { createGlanceDriver } from '../../driver/clouds/image/http';
import { createNeutronDriver } from '../../driver/clouds/network/http';
import type { NetworkDriver } from '../../driver/clouds/network/port';
import { type Db, inTransaction } from '../../driver/db/connect';
import { findEngine, retireEngine } from '../../driver/db/engines';
import { listVnics, needVnic } from '../../driver/db/vnics';
import type { EngineParts } from '../../driver/reconcile/engineRun';
import { reconcileEngine } from '../../driver/reconcile/engineUnit';
import { openTestDatabase } from '../support/database';
import { addEngine, addGroup } from '../support/fleetRows';
import { mortalWorker } from '../support/mortalWorker';
import { waitUntil } from '../support/wait';
import { readLab } from './lab';
import { openServices, type Services } from './services';

/** The engine's unit on the real Nova and Neutron, with a database and an owner tag of its own: others see none of it. */
const lab = readLab();
const owner = `units-${randomUUID().slice(0, 8)}`;
let services: Services;
let db: Db;
let parts: EngineParts;
let compute: Required<ComputeDriver>;
let network: NetworkDriver;
let groupId: string;

beforeAll(async () => {
  services = openServices(lab);
  compute = createNovaDriver({
    service: services.open('Nova', 'compute'),
    images: createGlanceDriver(services.open('Glance', 'image')),
    settings: {
      owner,
      flavorId: lab.cloud.server_flavor_id,
      image: { tag: 'slipstream-engine', ownerId: null },
      networkIds: [lab.cloud.management_network_id],
      securityGroupIds: [],
      keyName: null,
      availabilityZone: null,
      antiAffinity: 'soft-anti-affinity',
      bootstrap: 'config_drive',
    },
  }) as Required<ComputeDriver>;
  network = createNeutronDriver(services.open('Neutron', 'network'));
  db = await openTestDatabase();
  groupId = await addGroup(db);
  const log = pino({ level: 'silent' });
  parts = {
    ...{ db, compute, network, log, bus: createMemoryBus({ log }), owner: 'survivor' },
    controllers: ['ws://192.0.2.1:5555'],
    management: { networkId: lab.cloud.management_network_id, securityGroupIds: [] },
    settings: { leaseSeconds: 120, engineCreateTimeout: 600, ownerTag: owner, backOff: () => 1 },
  };
});
afterAll(async () => {
  await services.close();
  await db.destroy();
});

const serversOf = async (id: string) => (await compute.listServers()).filter(({ engineId }) => engineId === id);
const portsOf = (id: string) => network.listPorts({ description: `${owner} engine ${id}` });
const LONG = 240_000;

async function need(engineId: string, networkId: string, subnetId: string): Promise<void> {
  const domainId = lab.cloud.private_network_id;
  const wanted = { id: randomUUID(), engineId, networkId, subnetId, subnetIds: [subnetId], domainId };
  await inTransaction(db, (trx) => needVnic(trx, wanted));
}

/** Another worker takes over from those that died. */
async function finish(id: string, isDone: () => Promise<boolean>): Promise<void> {
  await db('service_engine').where({ id }).update({ lease_until: '2020-01-01 00:00:00.000' });
  await waitUntil('the engine is as wanted', LONG, async () => {
    await reconcileEngine(parts, id);
    return isDone();
  });
}

/** Everything of the engine is there once, and plugged in. */
async function isWhole(id: string): Promise<boolean> {
  const [server, ...twins] = await serversOf(id);
  const ports = await portsOf(id);
  if (!server || twins.length > 0 || server.status !== 'ACTIVE' || ports.length !== 3) return false;
  const plugged = await compute.listServerPorts(server.id);
  return ports.every((port) => plugged.includes(port.id));
}

it('has one server and each port once, whichever call its workers died at, and leaves nothing when it goes', async () => {
  const { cloud } = lab;
  for (const deaths of [
    [2, 1],
    [1, 2],
  ]) {
    const { id } = await addEngine(db, groupId, { token_hash: null });
    await need(id, cloud.private_network_id, cloud.private_subnet_id);
    await need(id, cloud.members_network_id, cloud.members_subnet_id);
    for (const fatal of deaths) {
      await mortalWorker(parts, fatal).run((dying) => reconcileEngine(dying, id));
      await db('service_engine').where({ id }).update({ lease_until: '2020-01-01 00:00:00.000' });
    }

    await finish(id, () => isWhole(id));

    const [server] = await serversOf(id);
    const management = (await portsOf(id)).find(({ name }) => name === `slipstream-mgmt-${id}`);
    expect(await findEngine(db, id)).toMatchObject({
      computeId: server?.id,
      managementAddress: management?.fixedIps[0]?.ipAddress,
    });
    const vnics = await listVnics(db, id);
    expect(vnics.map(({ portId }) => portId)).not.toContain(null);

    await retireEngine(db, id);
    await mortalWorker(parts, 1).run((dying) => reconcileEngine(dying, id));
    await finish(id, async () => (await findEngine(db, id)) === undefined);
    expect(await portsOf(id)).toEqual([]);
    await waitUntil('its server is gone', LONG, async () => (await serversOf(id)).length === 0);
  }
  expect((await compute.listServerGroups()).filter((group) => group.groupId === groupId)).toEqual([]);
}, 900_000);

it('is replaced, with an event, when its server is deleted behind our back', async () => {
  const { id } = await addEngine(db, groupId, { token_hash: null });
  await finish(id, async () => (await serversOf(id))[0]?.status === 'ACTIVE');
  await db('service_engine').where({ id }).update({ status: 'READY', connected_to: 'somebody' });
  const [server] = await serversOf(id);
  await compute.deleteServer(server?.id ?? '');

  await finish(id, async () => (await findEngine(db, id))?.deleting === true);
  const lost: string[] = await db('event').where({ name: 'ENGINE_LOST', service_engine_id: id }).pluck('message');
  expect(lost).toEqual([expect.stringContaining('is gone, and this service has not deleted it')]);

  await db('service_engine').where({ id }).update({ connected_to: null });
  await finish(id, async () => (await findEngine(db, id)) === undefined);
  expect(await portsOf(id)).toEqual([]);
}, 600_000);
