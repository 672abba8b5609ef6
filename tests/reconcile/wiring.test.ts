import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENGINE_PORT_OWNER, type NetworkDriver, VIP_PORT_OWNER, vipPortNames } from '../../driver/clouds/network/port';
import { SEED_IDS } from '../../driver/clouds/network/seed';
import type { Db } from '../../driver/db/connect';
import { noteTakenPort } from '../../driver/db/takenPorts';
import { reconcileLoadBalancer } from '../../driver/reconcile/loadBalancerUnit';
import { openTestDatabase } from '../support/database';
import { type Lab, startLab } from '../support/reconciler';
import { insertEngine, insertLoadBalancer, type Seed } from '../support/rows';
import { aNetworkCloud } from '../support/simulators/network';
import { waitUntil } from '../support/wait';

const CREATING = {
  provisioning_status: 'PENDING_CREATE',
  generation: 1,
  settled_generation: 0,
  pending_deadline: '2099-01-01 00:00:00.000',
} as const;

let db: Db;
let lab: Lab;
let network: NetworkDriver;
const open = async (group: object = { maxEngines: 1 }): Promise<void> => {
  db = await openTestDatabase();
  network = (await aNetworkCloud('service')).driver;
  lab = await startLab(db, { network, group });
  await db('service_engine').update({ slots: 100 });
};
afterEach(async () => {
  await lab.close();
  await db.destroy();
});

/** As the API leaves it: the port made first, then the rows. */
async function createLoadBalancer(vip: Seed<'vip'> = {}): Promise<{ id: string; address: string; portId: string }> {
  const id = randomUUID();
  const port = await network.createPort({
    ...vipPortNames(id),
    projectId: 'project-1',
    networkId: SEED_IDS.localNetwork,
    fixedIps: [{ subnetId: SEED_IDS.localSubnet }],
    deviceOwner: VIP_PORT_OWNER,
    adminStateUp: false,
  });
  const address = port.fixedIps[0]?.ipAddress ?? '';
  const where = { subnet_id: SEED_IDS.localSubnet, network_id: SEED_IDS.localNetwork };
  await insertLoadBalancer(db, { id, ...CREATING }, { ip_address: address, port_id: port.id, ...where, ...vip });
  return { id, address, portId: port.id };
}

const enginePorts = () => network.listPorts({ deviceOwner: ENGINE_PORT_OWNER });
const pairsOf = async (engineId: string): Promise<string[]> =>
  (await enginePorts())
    .filter(({ deviceId }) => deviceId === engineId)
    .flatMap(({ allowedAddressPairs }) => allowedAddressPairs.map(({ ipAddress }) => ipAddress))
    .sort();

describe('address pairs', () => {
  it('many load balancers that come at once on one engine all get theirs, on one port of it', async () => {
    await open();
    await lab.startWorker();
    const lbs = await Promise.all(Array.from({ length: 12 }, () => createLoadBalancer()));
    await Promise.all(lbs.map(({ id }) => lab.hint(id)));
    for (const { id } of lbs) await lab.reaches(id, 'ACTIVE');
    expect(await enginePorts()).toHaveLength(1);
    expect(await pairsOf(lab.engineId)).toEqual(lbs.map(({ address }) => address).sort());
  });

  it('changes of two processes on one port do not undo each other', async () => {
    await open();
    const lbs = await Promise.all(Array.from({ length: 8 }, () => createLoadBalancer()));
    // Each worker has a mutex of its own: between them only the revision of the port keeps order.
    await lab.startWorker();
    for (const { id } of lbs) await lab.hint(id);
    for (const { id } of lbs) await lab.reaches(id, 'ACTIVE');
    const [port] = await enginePorts();
    const { findPort } = network;
    network.findPort = async (id) => {
      const read = await findPort(id);
      await sleep(Math.random() * 5);
      return read;
    };
    await network.updatePort(port?.id ?? '', { allowedAddressPairs: [] });

    const workers = lbs.map(() => lab.parts());
    await Promise.all(lbs.map(({ id }, index) => reconcileLoadBalancer(workers[index] ?? lab.parts(), id)));

    expect(await pairsOf(lab.engineId)).toEqual(lbs.map(({ address }) => address).sort());
  });

  it('of several engines that serve one answers, and the same one when nothing has changed', async () => {
    await open({ maxEngines: 2, minScaleout: 2 });
    const to = randomUUID();
    const server = await lab.compute.createServer({ engineId: to, name: to, token: 'secret', controllers: [] });
    await insertEngine(db, { id: to, compute_id: server.id, service_engine_group_id: lab.groupId, slots: 100 });
    await lab.startWorker();
    const { id, address } = await createLoadBalancer();
    await lab.hint(id);
    await lab.reaches(id, 'ACTIVE');
    expect(await db('placement').pluck('role')).toHaveLength(2);
    const answering = async () => {
      const ports = await enginePorts();
      return ports.filter((it) => it.allowedAddressPairs.length > 0).map(({ deviceId }) => deviceId);
    };
    const [primary] = await db('placement').where({ role: 'primary' }).pluck('service_engine_id');
    expect(await answering()).toEqual([primary]);

    await db('placement').where({ role: 'primary' }).update({ stale: 1 });
    await reconcileLoadBalancer(lab.parts(), id);
    const [secondary] = await db('placement').where({ role: 'secondary' }).pluck('service_engine_id');
    expect(await answering()).toEqual([secondary]);
    await db('placement').update({ stale: 0 });
    await reconcileLoadBalancer(lab.parts(), id);
    expect(await answering()).toEqual([secondary]);
    expect(await pairsOf(secondary)).toEqual([address]);
  });

  it('one that somebody took away is put back, others on the port are left alone', async () => {
    await open();
    await lab.startWorker();
    const { id, address } = await createLoadBalancer();
    await lab.hint(id);
    await lab.reaches(id, 'ACTIVE');
    const [port] = await enginePorts();
    await network.updatePort(port?.id ?? '', { allowedAddressPairs: [{ ipAddress: '10.9.9.9' }] });
    await reconcileLoadBalancer(lab.parts(), id);
    expect(await pairsOf(lab.engineId)).toEqual(['10.9.9.9', address]);
  });

  it('go while the VIP is withdrawn, and come again after that', async () => {
    await open();
    await lab.startWorker();
    const { id, address } = await createLoadBalancer();
    await lab.hint(id);
    await lab.reaches(id, 'ACTIVE');
    const withdraw = async (vip_withdrawn_at: string | null) => {
      await db('load_balancer').where({ id }).update({ vip_withdrawn_at });
      await lab.hint(id);
    };

    await withdraw('2026-01-01 00:00:00.000');
    await waitUntil('it is withdrawn', 30_000, async () => (await pairsOf(lab.engineId)).length === 0);
    expect(await lab.row(id)).toMatchObject({ provisioning_status: 'ACTIVE' });
    expect(await network.listPorts({ deviceOwner: VIP_PORT_OWNER })).toHaveLength(1);
    await withdraw(null);
    await waitUntil('it is back', 30_000, async () => (await pairsOf(lab.engineId)).includes(address));
  });

  it('a failover moves them: the new engine has them before the old one loses them', async () => {
    await open({ maxEngines: 2 });
    await lab.startWorker();
    const { id, address } = await createLoadBalancer();
    await lab.hint(id);
    await lab.reaches(id, 'ACTIVE');
    const { service_engine_id: from } = await db('placement').first();
    const to = randomUUID();
    const server = await lab.compute.createServer({ engineId: to, name: to, token: 'secret', controllers: [] });
    await insertEngine(db, { id: to, compute_id: server.id, service_engine_group_id: lab.groupId });
    const seen: string[][] = [];
    const { updatePort } = network;
    network.updatePort = async (portId, change) => {
      const port = await updatePort(portId, change);
      seen.push([...(await pairsOf(from)).map(() => 'old'), ...(await pairsOf(to)).map(() => 'new')]);
      return port;
    };

    await db('placement').update({ request: 'failover' });
    await db('load_balancer').where({ id }).update({ provisioning_status: 'PENDING_UPDATE', generation: 2 });
    await lab.hint(id);
    await lab.reaches(id, 'ACTIVE');

    expect(await pairsOf(to)).toEqual([address]);
    expect(await pairsOf(from)).toEqual([]);
    expect(seen.every((where) => where.length > 0)).toBe(true);
    expect(await db('vip_wiring').pluck('service_engine_id')).toEqual([to]);
  });
});

describe("the VIP's port", () => {
  beforeEach(() => open());

  it('is made again with the same address when it is lost, and the rows know it', async () => {
    await lab.startWorker();
    const { id, address, portId } = await createLoadBalancer();
    await lab.hint(id);
    await lab.reaches(id, 'ACTIVE');
    await network.deletePort(portId);
    await reconcileLoadBalancer(lab.parts(), id);
    const { port_id } = await db('vip').where({ load_balancer_id: id }).first();
    expect(port_id).not.toBe(portId);
    expect(await network.findPort(port_id)).toMatchObject({
      ...vipPortNames(id),
      deviceOwner: VIP_PORT_OWNER,
      fixedIps: [{ ipAddress: address }],
    });
  });

  it('a change that fails does not give it up', async () => {
    await lab.startWorker();
    lab.health.behave(lab.engineId, { answer: 'refuse' });
    const { id, portId } = await createLoadBalancer();
    await lab.hint(id);
    await lab.reaches(id, 'ERROR');
    expect(await network.findPort(portId)).toBeDefined();
  });

  it('goes last when the load balancer goes; a port of the user is given back as it was', async () => {
    await lab.startWorker();
    const ours = await createLoadBalancer();
    const theirs = await createLoadBalancer({ octavia_owned: 0 });
    for (const { id } of [ours, theirs]) {
      await lab.hint(id);
      await lab.reaches(id, 'ACTIVE');
      await db('load_balancer')
        .where({ id })
        .update({ provisioning_status: 'PENDING_DELETE', deleting: 1, generation: 2 });
      await lab.hint(id);
      await lab.reaches(id, 'DELETED');
    }
    expect(await network.findPort(ours.portId)).toBeUndefined();
    expect(await network.findPort(theirs.portId)).toMatchObject({
      deviceId: '',
      fixedIps: [{ ipAddress: theirs.address }],
    });
    expect(await pairsOf(lab.engineId)).toEqual([]);
  });

  it('of the user gets back what it had when it was taken, less what the user has changed since', async () => {
    // Without a worker, so that no run comes between.
    const parts = lab.parts();
    const runUntil = (id: string, status: string) =>
      waitUntil(`${id} is ${status}`, 30_000, async () => {
        await lab.runEngine(parts);
        await reconcileLoadBalancer(parts, id);
        return (await lab.row(id)).provisioning_status === status;
      });
    const group = async (name: string) =>
      (await network.createSecurityGroup({ name, description: '', projectId: 'project-1', tags: [] })).id;
    const [before, wanted, later] = [await group('before'), await group('wanted'), await group('later')];
    for (const end of [wanted, later]) {
      const { id, portId } = await createLoadBalancer({ octavia_owned: 0 });
      const had = { deviceOwner: 'shop:till', qosPolicyId: null, securityGroupIds: [before] };
      await noteTakenPort(db, { portId, loadBalancerId: id, had });
      await db('vip_security_group').insert({ load_balancer_id: id, sg_id: wanted });
      await runUntil(id, 'ACTIVE');
      expect((await network.findPort(portId))?.securityGroupIds).toEqual([wanted]);
      if (end === later) await network.updatePort(portId, { securityGroupIds: [later] });

      await db('load_balancer')
        .where({ id })
        .update({ provisioning_status: 'PENDING_DELETE', deleting: 1, generation: 2 });
      await runUntil(id, 'DELETED');

      expect(await network.findPort(portId)).toMatchObject({
        deviceId: '',
        deviceOwner: 'shop:till',
        securityGroupIds: [end === later ? later : before],
      });
    }
    expect(await db('taken_port').select('port_id')).toEqual([]);
  });

  it('keeps to the QoS policy and the security groups of the rows', async () => {
    const { id, portId } = await createLoadBalancer();
    const group = await network.findPort(portId).then((port) => port?.securityGroupIds[0]);
    await db('vip_security_group').insert({ load_balancer_id: id, sg_id: group });
    await network.updatePort(portId, { securityGroupIds: [] });
    await lab.startWorker();
    await lab.hint(id);
    await lab.reaches(id, 'ACTIVE');
    await waitUntil('the group is back', 2_000, async () =>
      ((await network.findPort(portId))?.securityGroupIds ?? []).includes(group ?? ''),
    );
  });
});
