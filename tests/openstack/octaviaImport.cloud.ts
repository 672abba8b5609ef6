import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { connectDatabase, type Db } from '../../driver/db/connect';
import { issue, readBundleFile } from '../support/certificates/issue';
import { ownerOverHttp } from '../support/simulators/keyOwner';
import { waitUntil } from '../support/wait';
import { logIn, type Session } from './clients/session';
import { type Endpoint, plugIn } from './hosts/endpoints';
import { type LabOctavia, startOctavia } from './hosts/octavia';
import { fullTree, smallTree, type TreeNeeds } from './hosts/octaviaTrees';
import { MEMBER_PORT, openMemberPort, PATIENCE } from './hosts/stage';
import { answersOf } from './hosts/traffic';
import { readTree } from './hosts/trees';
import { difference, type Inventory, takeInventory } from './inventory';
import { readLab } from './lab';

/** Load balancers that Debian's Octavia has made with the lab's Nova, Neutron and Barbican are taken over by Slipstream. */
const LB = 'load-balancer';
const LBAAS = '/v2/lbaas';
const MEMBERS = ['member-0', 'member-1'];
const lab = readLab();
const name = `import-${randomBytes(3).toString('hex')}`;
const CLI = path.resolve(__dirname, '../../dist/driver/cli.js');
const undo: (() => Promise<unknown>)[] = [];

interface Taken {
  readonly id: string;
  readonly vip: string;
  readonly vipPortId: string;
}

let octavia: LabOctavia;
let theirDb: Db;
let ourDb: Db;
/** The same people, at Octavia and at Slipstream. */
let there: Record<'admin' | 'demo', Session>;
let here: typeof there;
let service: Session;
let tenant: Endpoint;
let outside: Endpoint;
let full: Taken;
let small: Taken;
/** Octavia's, which the VIP's port has. */
let groupId: string;
let floatingIp: { readonly id: string; readonly address: string };
let before: Inventory;

beforeAll(async () => {
  const as = async (elsewhere = {}) => ({
    admin: await logIn(lab.person('admin', 'admin'), elsewhere),
    demo: await logIn(lab.person('demo', 'demo'), elsewhere),
  });
  here = await as();
  service = await logIn(lab.person('octavia', 'service'));
  before = await takeInventory(lab);
  const group = await openMemberPort(here.demo, name, undo);
  [octavia] = await Promise.all([startOctavia(lab), plugEndpoints(group)]);
  there = await as({ [LB]: octavia.url });
  theirDb = await connectDatabase(octavia.connection);
  ourDb = await connectDatabase(lab.databaseUrl);
  [full, small] = await makeBoth();
  floatingIp = await giveFloatingIp(full);
}, 3 * PATIENCE);
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step();
  await Promise.all([theirDb?.destroy(), ourDb?.destroy(), octavia?.stop()]);
}, 3 * PATIENCE);

const members: Endpoint[] = [];

async function plugEndpoints(group: string): Promise<void> {
  const { cloud } = lab;
  const plug = async (session: Session, networkId: string, groups: readonly string[] = []) => {
    const endpoint = await plugIn(session, networkId, groups);
    undo.push(() => endpoint.remove());
    return endpoint;
  };
  for (const body of MEMBERS) {
    const member = await plug(here.demo, cloud.members_network_id, [group]);
    await member.serve(body, MEMBER_PORT);
    members.push(member);
  }
  tenant = await plug(here.demo, cloud.private_network_id);
  outside = await plug(here.admin, cloud.public_network_id);
}

/** Both at once: a server takes its time. */
async function makeBoth(): Promise<[Taken, Taken]> {
  const { private_subnet_id: vipSubnetId, members_subnet_id: membersSubnetId } = lab.cloud;
  const needs: TreeNeeds = { name, vipSubnetId, membersSubnetId, members };
  const catalogue = {
    ...(await makeChoices()),
    otherSubnetId: await addSubnet(),
    certificates: await keepCertificates(),
  };
  const trees = [fullTree({ ...needs, ...catalogue }), smallTree(needs)];
  const made: Taken[] = [];
  for (const loadbalancer of trees) {
    const answer = (await there.demo.ask(LB, 'POST', `${LBAAS}/loadbalancers`, { loadbalancer })).loadbalancer;
    made.push({ id: answer.id, vip: answer.vip_address, vipPortId: answer.vip_port_id });
    undo.push(() => removeEverywhere(answer.id));
  }
  for (const { id } of made) {
    await waitUntil(`Octavia shows ${id} ACTIVE`, PATIENCE, async () => (await statusAt(there.demo, id)) === 'ACTIVE');
  }
  return [made[0] as Taken, made[1] as Taken];
}

/** A flavor, an availability zone, and a limit of the project's, as Octavia's operator sets them. */
async function makeChoices(): Promise<{ readonly flavorId: string; readonly availabilityZone: string }> {
  const make = async (path: string, kind: string, body: object) => {
    const made = (await there.admin.ask(LB, 'POST', `${LBAAS}/${path}`, { [kind]: { name, ...body } }))[kind];
    const key = kind === 'availability_zone' ? name : made.id;
    for (const session of [there.admin, here.admin]) undo.push(() => removeIfThere(session, `${path}/${key}`));
    return made.id;
  };
  const data = { provider_name: 'amphora' };
  const flavorData = JSON.stringify({ loadbalancer_topology: 'SINGLE' });
  const profile = await make('flavorprofiles', 'flavorprofile', { ...data, flavor_data: flavorData });
  const flavorId = await make('flavors', 'flavor', { flavor_profile_id: profile, enabled: true });
  const zoneData = JSON.stringify({ compute_zone: 'nova' });
  const zoneProfile = { ...data, availability_zone_data: zoneData };
  const zone = await make('availabilityzoneprofiles', 'availability_zone_profile', zoneProfile);
  await make('availabilityzones', 'availability_zone', { availability_zone_profile_id: zone, enabled: true });
  await there.admin.ask(LB, 'PUT', `${LBAAS}/quotas/${here.demo.projectId}`, { quota: { load_balancer: 77 } });
  for (const session of [there.admin, here.admin]) {
    undo.push(() => removeIfThere(session, `quotas/${here.demo.projectId}`));
  }
  return { flavorId, availabilityZone: name };
}

async function removeIfThere(session: Session, item: string): Promise<void> {
  await session.ask(LB, 'DELETE', `${LBAAS}/${item}`).catch((error: Error) => {
    if (!error.message.includes(': 404 ')) throw error;
  });
}

async function addSubnet(): Promise<string> {
  const subnet = { name, network_id: lab.cloud.private_network_id, ip_version: 4, cidr: '10.10.12.0/24' };
  const { id } = (await here.demo.ask('network', 'POST', '/v2.0/subnets', { subnet })).subnet;
  // An engine that served there gives its address back a little later.
  const isDeleted = async () => {
    const asked = here.demo.ask('network', 'DELETE', `/v2.0/subnets/${id}`);
    return asked.then(() => true).catch(() => false);
  };
  undo.push(() => waitUntil('nobody is in the subnet', PATIENCE, isDeleted));
  return id;
}

async function keepCertificates() {
  const { token, userId, projectId } = here.demo;
  const identity = { userId, projectId, domainId: null, systemScope: null, roles: ['creator'], isAdmin: false };
  const base = here.demo.endpoint('key-manager').replace(/\/v1$/, '');
  const keys = ownerOverHttp(base, { token, identity });
  const { pem, keyPem } = await issue({ cn: 'shop.example' });
  const [certificate, key] = [await keys.keep(pem), await keys.keep(keyPem)];
  const container = await keys.contain({ certificate, private_key: key });
  const bundle = await keys.keep(readBundleFile('aes'));
  const refOf = (what: { kind: string; id: string }) => `${base}/v1/${what.kind}s/${what.id}`;
  for (const what of [certificate, key, bundle, container]) {
    undo.push(() => here.demo.ask('key-manager', 'DELETE', new URL(refOf(what)).pathname));
  }
  return { container: refOf(container), bundle: refOf(bundle) };
}

async function giveFloatingIp({ vip, vipPortId }: Taken) {
  // Octavia's port has the address of the additional VIP as well.
  const floatingip = { floating_network_id: lab.cloud.public_network_id, port_id: vipPortId, fixed_ip_address: vip };
  const made = (await here.demo.ask('network', 'POST', '/v2.0/floatingips', { floatingip })).floatingip;
  undo.push(() => here.demo.ask('network', 'DELETE', `/v2.0/floatingips/${made.id}`));
  return { id: made.id, address: made.floating_ip_address };
}

const statusAt = async (session: Session, id: string): Promise<string | undefined> =>
  (await session.find(LB, `${LBAAS}/loadbalancers/${id}`))?.loadbalancer.provisioning_status;

/** Wherever it is by then. */
async function removeEverywhere(id: string): Promise<void> {
  for (const session of [here.admin, there.admin]) {
    await waitUntil(`${id} is gone`, PATIENCE, async () => {
      const status = await statusAt(session, id);
      if (status === 'ACTIVE' || status === 'ERROR') {
        await session.ask(LB, 'DELETE', `${LBAAS}/loadbalancers/${id}?cascade=true`);
      }
      return status === undefined;
    });
  }
}

const words = (...given: readonly string[]) => [
  ...[CLI, 'import-octavia', '--config-file', path.join(lab.directory, 'etc/slipstream.conf')],
  ...['--connection', octavia.connection, '-f', 'json', ...given],
];

/** What the command says of one load balancer. */
async function importOne(id: string, ...step: readonly string[]): Promise<Record<string, string>> {
  const said = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, words(...step, '--load-balancer', id), (error, stdout, stderr) => {
      if (error) reject(new Error(`${stdout}\n${stderr}`));
      else resolve(stdout);
    });
  });
  const [line] = JSON.parse(said);
  return line;
}

const portOf = async (id: string) => (await service.ask('network', 'GET', `/v2.0/ports/${id}`)).port;
/** The ports by which amphorae answered. */
const amphoraPorts = (id: string): Promise<string[]> =>
  theirDb('amphora').where({ load_balancer_id: id }).pluck('vrrp_port_id');
const pairsOf = async (id: string): Promise<string[]> =>
  (await portOf(id)).allowed_address_pairs.map((pair: { ip_address: string }) => pair.ip_address);

jest.setTimeout(600_000);

describe('load balancers that the real Octavia has made', () => {
  it('are shown before anything is done', async () => {
    const shown = await importOne(full.id);

    expect(shown).toMatchObject({ id: full.id, name, vip_address: full.vip, action: 'take' });
    expect(shown['objects']).toBe(
      '6 listeners, 6 pools, 12 members, 6 health_monitors, 4 l7policies, 5 l7rules, 1 amphorae',
    );
    expect(await statusAt(here.demo, full.id)).toBeUndefined();
    expect(await statusAt(there.demo, full.id)).toBe('ACTIVE');
  });

  it('are taken over with every kind of object, under the same ids', async () => {
    const [theirs, port] = [await readTree(there.demo, full.id), await portOf(full.vipPortId)];
    const [amphoraPort = ''] = await amphoraPorts(full.id);
    expect(await pairsOf(amphoraPort)).toContain(full.vip);

    expect(await importOne(full.id, '--take')).toMatchObject({ action: 'taken' });

    expect(await statusAt(here.demo, full.id)).toBe('ACTIVE');
    expect(await readTree(here.demo, full.id)).toMatchObject(theirs);
    const { quota } = await here.admin.ask(LB, 'GET', `${LBAAS}/quotas/${here.demo.projectId}`);
    expect(quota.load_balancer).toBe(77);
    const flavor = (await here.admin.find(LB, `${LBAAS}/flavors/${theirs.loadBalancer['flavor_id']}`))?.flavor;
    expect(flavor).toMatchObject({ name });
    expect(await here.admin.find(LB, `${LBAAS}/availabilityzones/${name}`)).toBeDefined();
    const now = await portOf(full.vipPortId);
    expect(now).toMatchObject({ fixed_ips: port.fixed_ips, project_id: port.project_id, device_id: port.device_id });
    expect(await pairsOf(amphoraPort)).not.toContain(full.vip);
  });

  it('carry traffic through their VIP, with TLS, and through their floating IP', async () => {
    expect(await answersOf(tenant, `http://${full.vip}/`)).toEqual(MEMBERS);
    expect(await answersOf(tenant, `https://${full.vip}/`)).toEqual(MEMBERS);
    const { floatingip } = await here.demo.ask('network', 'GET', `/v2.0/floatingips/${floatingIp.id}`);
    expect(floatingip).toMatchObject({ port_id: full.vipPortId, floating_ip_address: floatingIp.address });
    expect(await answersOf(outside, `http://${floatingIp.address}/`)).toEqual(MEMBERS);
  });

  it('are left alone by Octavia as long as nothing is confirmed', async () => {
    const change = there.demo.ask(LB, 'PUT', `${LBAAS}/loadbalancers/${full.id}`, { loadbalancer: { name: 'x' } });
    await expect(change).rejects.toThrow(/: 409 /);
  });

  it('are taken over by a second run where the first was killed', async () => {
    const command = spawn(process.execPath, words('--take', '--load-balancer', small.id), { stdio: 'ignore' });
    const ended = once(command, 'exit');
    const stateOf = async () =>
      (await ourDb('octavia_import').where({ load_balancer_id: small.id }).first('state'))?.state;
    await waitUntil('it has begun', PATIENCE, async () => (await stateOf()) !== undefined);
    command.kill('SIGKILL');
    await ended;
    expect(['locking', 'copied']).toContain(await stateOf());
    const [amphoraPort = ''] = await amphoraPorts(small.id);

    expect(await importOne(small.id, '--take')).toMatchObject({ action: 'taken' });

    expect(await pairsOf(amphoraPort)).not.toContain(small.vip);
    expect(await answersOf(tenant, `http://${small.vip}/`)).toEqual(MEMBERS);
  });

  it('are given back as they were', async () => {
    const [amphoraPort = ''] = await amphoraPorts(small.id);

    expect(await importOne(small.id, '--undo')).toMatchObject({ action: 'given back' });

    expect(await statusAt(here.demo, small.id)).toBeUndefined();
    expect(await statusAt(there.demo, small.id)).toBe('ACTIVE');
    expect(await pairsOf(amphoraPort)).toContain(small.vip);
    expect(await portOf(small.vipPortId)).toMatchObject({ fixed_ips: [{ ip_address: small.vip }] });
    // Octavia works on it again.
    const loadbalancer = { description: 'again' };
    await there.demo.ask(LB, 'PUT', `${LBAAS}/loadbalancers/${small.id}`, { loadbalancer });
    await waitUntil('it has', PATIENCE, async () => (await statusAt(there.demo, small.id)) === 'ACTIVE');
  });

  it('are forgotten by Octavia once that is confirmed, and serve on without its amphorae', async () => {
    const { detail = '', action } = await importOne(full.id, '--confirm');

    expect(action).toBe('confirmed');
    expect(await statusAt(there.demo, full.id)).toBeUndefined();
    groupId = await deleteUnused(detail);
    expect(await portOf(full.vipPortId)).toMatchObject({ device_owner: 'Octavia' });
    expect(await answersOf(outside, `http://${floatingIp.address}/`)).toEqual(MEMBERS);
  });

  it('leave nothing of either behind when they are deleted', async () => {
    for (const step of undo.splice(0).reverse()) await step();
    await service.ask('network', 'DELETE', `/v2.0/security-groups/${groupId}`);

    let left: string[] = [];
    const settled = waitUntil('nothing is left over', 60_000, async () => {
      left = difference(await takeInventory(lab), before).filter((it) => !ENGINES.test(it));
      return left.length === 0;
    });
    await settled.catch(() => undefined);
    expect(left).toEqual([]);
  });
});

/** Engines stay for the next load balancer. */
const ENGINES = /\(slipstream-/;

/** What the command says is no longer used; gives the security group that is to go last. */
async function deleteUnused(detail: string): Promise<string> {
  const [, server, port, group = ''] =
    /^no longer used: server (\S+), port (\S+); once it is deleted: security group (\S+)$/.exec(detail) ?? [];
  await service.ask('compute', 'DELETE', `/servers/${server}`);
  const isGone = async () => (await service.find('compute', `/servers/${server}`)) === undefined;
  await waitUntil('the server is gone', PATIENCE, isGone);
  await service.ask('network', 'DELETE', `/v2.0/ports/${port}`);
  return group;
}
