import { randomBytes, randomUUID } from 'node:crypto';
import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { type Drivers, type OpenedDrivers, openDrivers } from '../../driver/cli/drivers';
import { ENGINE_PORT_OWNER } from '../../driver/clouds/network/port';
import { configFromText } from '../../driver/config/config';
import { type Db, inTransaction } from '../../driver/db/connect';
import { findEngine, retireEngine } from '../../driver/db/engines';
import { listVnics, needVnic } from '../../driver/db/vnics';
import { createLeftoverSearch } from '../../driver/fleet/leftoverServers';
import { createEngineGroups } from '../../driver/reconcile/engineGroups';
import type { EngineParts } from '../../driver/reconcile/engineRun';
import { reconcileEngine } from '../../driver/reconcile/engineUnit';
import { openTestDatabase } from '../support/database';
import { addEngine, addGroup } from '../support/fleetRows';
import { waitUntil } from '../support/wait';
import { logIn, type Session } from './clients/session';
import { uploadImage } from './hosts/image';
import { readLab } from './lab';

/**
 * Mode 3: everything in one project, by a user of it who is no admin of anything. The engine's unit and the drivers as the
 * configuration opens them, with a database and an owner tag of their own.
 */
const LONG = 240_000;
const lab = readLab();
const owner = `single-${randomBytes(4).toString('hex')}`;
const log = pino({ level: 'silent' });
let demo: Session;
let removeImage: () => Promise<void>;
let opened: OpenedDrivers;
let drivers: Drivers;
let db: Db;
let parts: EngineParts;

beforeAll(async () => {
  demo = await logIn(lab.person('demo', 'demo'));
  // The service's own other projects do not see.
  removeImage = await uploadImage(demo, owner);
  opened = openDrivers(configFromText(configuration()), log);
  drivers = opened.drivers;
  db = await openTestDatabase();
  const { network, compute } = drivers;
  parts = {
    ...{ db, compute, network, log, bus: createMemoryBus({ log }), owner: 'worker' },
    ...createEngineGroups({ db, network, ownerTag: owner }),
    controllers: ['ws://192.0.2.1:5555'],
    management: { networkId: lab.cloud.plain_network_id, securityGroupIds: [] },
    settings: { leaseSeconds: 120, engineCreateTimeout: 600, ownerTag: owner, backOff: () => 1 },
  };
}, LONG);
afterAll(async () => {
  await removeImage?.();
  await opened?.close();
  await db?.destroy();
});

/** Tokens of users are checked by another account, which has a role for that and nothing else to do. */
function configuration(): string {
  const login = (username: string, project: string) =>
    `auth_url = ${lab.authUrl}\nusername = ${username}\npassword = ${lab.password}\nproject_name = ${project}\n`;
  return [
    `[keystone_authtoken]\n${login('octavia', 'service')}`,
    `[service_auth]\n${login('demo', 'demo')}`,
    '[controller_worker]\nnetwork_driver = neutron\ncompute_driver = nova',
    `amp_flavor_id = ${lab.cloud.server_flavor_id}\namp_image_tag = ${owner}`,
    `amp_boot_network_list = ${lab.cloud.plain_network_id}`,
    '[nova]\nenable_anti_affinity = true',
    `[service_engine]\nowner_tag = ${owner}\ntenancy_mode = 3\n`,
  ].join('\n');
}

async function need(engineId: string): Promise<void> {
  const { members_network_id: networkId, members_subnet_id: subnetId } = lab.cloud;
  const domainId = lab.cloud.private_network_id;
  const wanted = { id: randomUUID(), engineId, networkId, subnetId, subnetIds: [subnetId], domainId };
  await inTransaction(db, (trx) => needVnic(trx, wanted));
}

const runUntil = (id: string, isDone: () => Promise<boolean>): Promise<void> =>
  waitUntil('the engine is as wanted', LONG, async () => {
    await reconcileEngine(parts, id);
    return isDone();
  });

/** What the project has of the engine, as its user sees it. */
async function belongings(engineId: string) {
  const { servers } = await demo.ask('compute', 'GET', '/servers/detail');
  const mine = servers.filter((server: { metadata: object }) => Object.values(server.metadata).includes(engineId));
  const { ports } = await demo.ask('network', 'GET', `/v2.0/ports?description=${owner} engine ${engineId}`);
  const { security_groups: groups } = await demo.ask('network', 'GET', `/v2.0/security-groups?tags=${owner}`);
  const { server_groups: serverGroups } = await demo.ask('compute', 'GET', '/os-server-groups');
  return {
    servers: mine.map((server: { status: string; tenant_id: string }) => [server.status, server.tenant_id]),
    ports: ports.map((port: { project_id: string }) => port.project_id),
    securityGroups: groups.map((group: { project_id: string }) => group.project_id),
    serverGroups: serverGroups.filter(({ name }: { name: string }) => name.startsWith(`${owner}-`)).length,
  };
}

const NOTHING = { servers: [], ports: [], securityGroups: [], serverGroups: 0 };

it('has engines in that project, on its quota, and nothing of them afterwards', async () => {
  const used = async (): Promise<number> =>
    (await demo.ask('compute', 'GET', '/limits')).limits.absolute.totalInstancesUsed;
  const before = await used();
  const { id } = await addEngine(db, await addGroup(db), { token_hash: null });
  await need(id);

  const isPlugged = async () => (await listVnics(db, id)).every((vnic) => vnic.portId !== null && vnic.facts !== null);
  await runUntil(id, async () => (await isPlugged()) && (await belongings(id)).servers[0]?.[0] === 'ACTIVE');

  const { projectId } = demo;
  expect(await belongings(id)).toEqual({
    servers: [['ACTIVE', projectId]],
    ports: [projectId, projectId],
    securityGroups: [projectId],
    serverGroups: 1,
  });
  expect(await used()).toBe(before + 1);

  await retireEngine(db, id);
  await runUntil(id, async () => (await findEngine(db, id)) === undefined);
  await waitUntil('nothing is left', LONG, async () => (await belongings(id)).servers.length === 0);
  expect(await belongings(id)).toEqual(NOTHING);
}, 600_000);

it('finds and deletes what is left over in that project, without being an admin', async () => {
  const { network, compute } = drivers;
  const engineId = randomUUID();
  const port = await network.createPort({
    ...{ name: owner, projectId: null, networkId: lab.cloud.plain_network_id, fixedIps: [], deviceId: '' },
    ...{ deviceOwner: ENGINE_PORT_OWNER, adminStateUp: true, description: `${owner} engine ${engineId}` },
  });
  await compute.createServer({ engineId, name: owner, token: 't', controllers: [] });
  const settings = { ownerTag: owner, tenancyMode: 'single', grace: 0, now: () => 0 } as const;

  await createLeftoverSearch({ db, compute, network, log, ...settings })();

  await waitUntil('nothing is left', LONG, async () => (await belongings(engineId)).servers.length === 0);
  expect(await belongings(engineId)).toEqual(NOTHING);
  expect(await network.findPort(port.id)).toBeUndefined();
}, 600_000);

it('answers for VIPs of that project, and is refused ports in others', async () => {
  const { network } = drivers;
  const request = {
    ...{ name: owner, projectId: demo.projectId, networkId: lab.cloud.private_network_id, fixedIps: [] },
    ...{ deviceId: '', deviceOwner: 'Octavia', adminStateUp: true, description: '' },
  };
  const port = await network.createPort(request);
  try {
    const pairs = [{ ipAddress: '10.10.1.250' }];
    const changed = await network.updatePort(port.id, { allowedAddressPairs: pairs }, { ifRevision: port.revision });
    expect(changed.allowedAddressPairs).toMatchObject(pairs);
    const theirs = network.createPort({ ...request, projectId: lab.cloud.service_project_id });
    await expect(theirs).rejects.toMatchObject({ name: 'NeutronError', status: expect.any(Number) });
  } finally {
    await network.deletePort(port.id);
  }
});
