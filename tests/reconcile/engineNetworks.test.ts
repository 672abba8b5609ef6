import { randomUUID } from 'node:crypto';
import { ENGINES_TOPIC, HINTS_TOPIC } from '../../driver/bus/port';
import type { NetworkModel } from '../../driver/clouds/network/model/model';
import { createNetwork } from '../../driver/clouds/network/model/networks';
import { createQosPolicy } from '../../driver/clouds/network/model/qosPolicies';
import { createSubnet } from '../../driver/clouds/network/model/subnets';
import { type NetworkDriver, VIP_PORT_OWNER, vipPortNames } from '../../driver/clouds/network/port';
import { SEED_IDS } from '../../driver/clouds/network/seed';
import { type Db, inTransaction } from '../../driver/db/connect';
import { findEngineNetworks } from '../../driver/db/engineNetworks';
import { listConcernedBy, noteCut, noteCutOver, recordReach } from '../../driver/db/engineReach';
import { retireEngine } from '../../driver/db/engines';
import { findFirewall } from '../../driver/db/firewalls';
import { digestOfPeers } from '../../driver/db/peers';
import { needVnic, recordVnicFacts, recordVnicPort } from '../../driver/db/vnics';
import { PEER_PORTS } from '../../driver/domain/peers';
import type { RoutingOptions } from '../../driver/domain/vnic';
import { createEngineGroups } from '../../driver/reconcile/engineGroups';
import { buildEngineSpec } from '../../driver/target/engineSpec';
import { openTestDatabase } from '../support/database';
import { createFakeCompute, type FakeCompute } from '../support/fakeCompute';
import { type Lab, startLab } from '../support/reconciler';
import { insertEngine, insertLoadBalancer, insertMember, insertPlacement, insertPool } from '../support/rows';
import { aNetworkCloud } from '../support/simulators/network';
import { waitUntil } from '../support/wait';

/** Engines whose vNICs are plugged in as load balancers need them, on the embedded Neutron. */
let db: Db;
let lab: Lab;
let network: NetworkDriver;
let model: NetworkModel;
let compute: FakeCompute;

const WAIT = 30_000;
jest.setTimeout(120_000);

const open = async (routing?: RoutingOptions): Promise<void> => {
  db = await openTestDatabase();
  ({ driver: network, model } = await aNetworkCloud('service'));
  compute = createFakeCompute({ plugs: true });
  lab = await startLab(db, { network, compute });
  await db('service_engine').update({ slots: 100 });
  await lab.startWorker(
    { plugsVnics: true, networkOfSubnet: new Map(), ...(routing && { routing }) },
    { ...createEngineGroups({ db, network, ownerTag: 'test' }), ...(routing && { routing }) },
  );
};
afterEach(async () => {
  await lab.close();
  await db.destroy();
});

/** A network with one subnet, without DHCP. */
async function addNetwork(cidr: string, more: { hostRoutes?: { destination: string; nexthop: string }[] } = {}) {
  const named = { name: cidr, projectId: 'project-1' };
  const { id: networkId } = await createNetwork(model, { ...named, mtu: 1400 });
  const subnet = await createSubnet(model, { ...named, networkId, cidr, enableDhcp: false, ...more });
  return { networkId, subnetId: subnet.id };
}

/** As the API leaves it. */
async function createLoadBalancer(subnetId: string, vip: { vip_sg_ids?: readonly string[] } = {}) {
  const id = randomUUID();
  const subnet = await network.findSubnet(subnetId);
  const port = await network.createPort({
    ...vipPortNames(id),
    projectId: 'project-1',
    networkId: subnet?.networkId ?? '',
    fixedIps: [{ subnetId }],
    deviceOwner: VIP_PORT_OWNER,
    adminStateUp: false,
  });
  const address = port.fixedIps[0]?.ipAddress ?? '';
  const place = { subnet_id: subnetId, network_id: port.networkId };
  await insertLoadBalancer(
    db,
    {
      id,
      provisioning_status: 'PENDING_CREATE',
      generation: 1,
      settled_generation: 0,
      pending_deadline: '2099-01-01 00:00:00.000',
    },
    { ip_address: address, port_id: port.id, ...place },
  );
  for (const sg_id of vip.vip_sg_ids ?? []) await db('vip_security_group').insert({ load_balancer_id: id, sg_id });
  return { id, address };
}

/** A change as the API commits it. */
async function change(id: string): Promise<void> {
  await db('load_balancer')
    .where({ id })
    .update({
      provisioning_status: 'PENDING_UPDATE',
      generation: db.raw('generation + 1'),
      pending_deadline: '2099-01-01 00:00:00.000',
    });
  await lab.hint(id);
  await settled(id);
}

async function remove(id: string): Promise<void> {
  await db('load_balancer')
    .where({ id })
    .update({
      provisioning_status: 'PENDING_DELETE',
      deleting: 1,
      generation: db.raw('generation + 1'),
      pending_deadline: '2099-01-01 00:00:00.000',
    });
  await lab.hint(id);
  await waitUntil(`${id} is gone`, WAIT, async () => (await lab.row(id)).provisioning_status === 'DELETED');
}

const settled = (id: string) =>
  waitUntil(`${id} is active`, WAIT, async () => (await lab.row(id)).provisioning_status === 'ACTIVE');

const spec = async () => {
  const networks = await findEngineNetworks(db, lab.engineId);
  return buildEngineSpec(networks?.vnics ?? [], networks?.generation ?? 0);
};
const plugged = async (): Promise<string[]> => {
  const [server] = compute.servers.keys();
  const ids = (await compute.listServerPorts?.(server ?? '')) ?? [];
  const ports = await Promise.all(ids.map((id) => network.findPort(id)));
  return ports.map((port) => port?.networkId ?? '').sort();
};
const toldNetworks = async (): Promise<string[]> =>
  (await spec()).domains.flatMap(({ id, vnics }) => vnics.map(({ networkId }) => `${id} ${networkId}`)).sort();

it('an engine has a vNIC in the VIP network and one in that of the members, as they come and go', async () => {
  await open();
  const vips = await addNetwork('10.1.0.0/24');
  const members = await addNetwork('10.7.0.0/24', {
    hostRoutes: [{ destination: '10.8.0.0/16', nexthop: '10.7.0.254' }],
  });
  const lb = await createLoadBalancer(vips.subnetId);
  await lab.hint(lb.id);
  await settled(lb.id);
  await waitUntil('one is plugged in', WAIT, async () => (await plugged()).length === 1);

  const pool = await insertPool(db, { load_balancer_id: lb.id });
  const member = await insertMember(db, { pool_id: pool.id, subnet_id: members.subnetId, ip_address: '10.7.0.9' });
  await change(lb.id);
  await waitUntil('both are told', WAIT, async () => (await toldNetworks()).length === 2);

  expect(await plugged()).toEqual([vips.networkId, members.networkId].sort());
  const [domain] = (await spec()).domains;
  expect(domain?.id).toBe(vips.networkId);
  expect(domain?.vnics.map(({ networkId, mtu, addresses }) => [networkId, mtu, addresses])).toEqual([
    [vips.networkId, 1400, [expect.stringMatching(/^10\.1\.0\.\d+\/24$/)]],
    [members.networkId, 1400, [expect.stringMatching(/^10\.7\.0\.\d+\/24$/)]],
  ]);
  const [outer, inner] = domain?.vnics ?? [];
  expect(domain?.routes).toEqual([
    { destination: '0.0.0.0/0', nextHop: '10.1.0.1', vnicId: outer?.id, metric: 100 },
    { destination: '10.8.0.0/16', nextHop: '10.7.0.254', vnicId: inner?.id, metric: 100 },
  ]);

  await db('member').where({ id: member.id }).delete();
  await change(lb.id);
  await waitUntil('one is unplugged', WAIT, async () => (await plugged()).length === 1);
  expect(await toldNetworks()).toEqual([`${vips.networkId} ${vips.networkId}`]);
  expect(await network.listPorts({ networkId: members.networkId })).toEqual([]);

  await remove(lb.id);
  await waitUntil('nothing is plugged in', WAIT, async () => (await plugged()).length === 0);
  expect(await db('se_vnic').select('id')).toEqual([]);
});

it('members in the VIP network need no other vNIC, and a network two domains want is two', async () => {
  await open();
  const one = await addNetwork('10.1.0.0/24');
  const other = await addNetwork('10.2.0.0/24');
  const shared = await addNetwork('10.3.0.0/24');
  for (const { subnetId } of [one, other]) {
    const lb = await createLoadBalancer(subnetId);
    const pool = await insertPool(db, { load_balancer_id: lb.id });
    for (const [index, it] of [subnetId, shared.subnetId].entries()) {
      await insertMember(db, { pool_id: pool.id, subnet_id: it, ip_address: `10.3.0.${index + 10}` });
    }
    await lab.hint(lb.id);
    await settled(lb.id);
  }
  await waitUntil('all are told', WAIT, async () => (await toldNetworks()).length === 4);

  expect(await toldNetworks()).toEqual(
    [one, other].flatMap(({ networkId: id }) => [`${id} ${id}`, `${id} ${shared.networkId}`]).sort(),
  );
  expect(await plugged()).toHaveLength(4);
});

it('a vNIC that is wanted in another subnet of its network too keeps serving meanwhile, with an address in both', async () => {
  await open();
  const vips = await addNetwork('10.1.0.0/24');
  const named = { name: 'more', projectId: 'project-1', networkId: vips.networkId };
  const more = await createSubnet(model, { ...named, cidr: 'fd00:1::/64', enableDhcp: false });
  const lb = await createLoadBalancer(vips.subnetId);
  await lab.hint(lb.id);
  await settled(lb.id);
  await waitUntil('it is told', WAIT, async () => (await toldNetworks()).length === 1);
  const before = (await spec()).domains[0]?.vnics[0];

  const pool = await insertPool(db, { load_balancer_id: lb.id });
  await insertMember(db, { pool_id: pool.id, subnet_id: more.id, ip_address: 'fd00:1::9' });
  const update = change(lb.id);
  let gone = false;
  await waitUntil('both addresses are told', WAIT, async () => {
    const [vnic] = (await spec()).domains.flatMap(({ vnics }) => vnics);
    gone ||= vnic === undefined;
    return vnic?.addresses.length === 2;
  });
  await update;

  expect(gone).toBe(false);
  const [after] = (await spec()).domains.flatMap(({ vnics }) => vnics);
  expect(after?.id).toBe(before?.id);
  expect(after?.addresses).toEqual(
    expect.arrayContaining([...(before?.addresses ?? []), expect.stringMatching(/\/64$/)]),
  );
  expect(await plugged()).toHaveLength(1);
});

it('the QoS policy of VIPs is that of the port they are answered on, as long as they agree', async () => {
  await open();
  const policy = async (name: string) => (await createQosPolicy(model, { name, projectId: 'project-1' })).id;
  const [fast, slow] = [await policy('fast'), await policy('slow')];
  const vips = await addNetwork('10.1.0.0/24');
  const portPolicy = async () => {
    const ports = await network.listPorts({ networkId: vips.networkId });
    return ports.find(({ name }) => name.startsWith('slipstream-vnic'))?.qosPolicyId;
  };
  const [one, other] = [await createLoadBalancer(vips.subnetId), await createLoadBalancer(vips.subnetId)];
  await db('vip').update({ qos_policy_id: fast });
  for (const { id } of [one, other]) {
    await lab.hint(id);
    await settled(id);
  }
  expect(await portPolicy()).toBe(fast);

  await db('vip').where({ load_balancer_id: other.id }).update({ qos_policy_id: slow });
  await change(other.id);
  expect(await portPolicy()).toBeNull();

  await remove(other.id);
  await change(one.id);
  expect(await portPolicy()).toBe(fast);
});

it('a vNIC stays while another load balancer needs it', async () => {
  await open();
  const members = await addNetwork('10.7.0.0/24');
  const lbs = [await createLoadBalancer(SEED_IDS.localSubnet), await createLoadBalancer(SEED_IDS.localSubnet)];
  for (const { id } of lbs) {
    const pool = await insertPool(db, { load_balancer_id: id });
    await insertMember(db, { pool_id: pool.id, subnet_id: members.subnetId });
    await lab.hint(id);
    await settled(id);
  }
  const [first, second] = lbs;
  await remove(first?.id ?? '');
  expect(await toldNetworks()).toHaveLength(2);

  await remove(second?.id ?? '');
  expect(await toldNetworks()).toEqual([]);
});

it('is not unplugged before the engine has confirmed that it does without', async () => {
  await open();
  const members = await addNetwork('10.7.0.0/24');
  const lb = await createLoadBalancer(SEED_IDS.localSubnet);
  const pool = await insertPool(db, { load_balancer_id: lb.id });
  const member = await insertMember(db, { pool_id: pool.id, subnet_id: members.subnetId });
  await lab.hint(lb.id);
  await settled(lb.id);
  await waitUntil('both are told', WAIT, async () => (await toldNetworks()).length === 2);

  lab.health.behave(lab.engineId, { answer: 'silent' });
  await db('member').where({ id: member.id }).delete();
  await db('load_balancer')
    .where({ id: lb.id })
    .update({ provisioning_status: 'PENDING_UPDATE', generation: 2, pending_deadline: '2099-01-01 00:00:00.000' });
  await lab.hint(lb.id);
  await waitUntil('the engine is asked', WAIT, async () => {
    const { wanted_generation } = await db('placement').first('wanted_generation');
    return Number(wanted_generation) === 2;
  });
  expect(await toldNetworks()).toHaveLength(2);

  lab.health.behave(lab.engineId, { answer: 'confirm' });
  await lab.health.answerAgain(lab.engineId, lb.id);
  await waitUntil('it is released', WAIT, async () => (await toldNetworks()).length === 1);
});

it('stays on an engine that is cut from its network until that is over, or the load balancer goes', async () => {
  await open();
  const { networkId, subnetId } = await addNetwork('10.1.0.0/24');
  const lbs = [await createLoadBalancer(subnetId), await createLoadBalancer(subnetId)];
  for (const { id } of lbs) {
    await lab.hint(id);
    await settled(id);
  }
  const cut = { engineId: lab.engineId, networkId };
  await recordReach(db, lab.engineId, [{ domainId: networkId, gateway: 'silent', heard: [], missed: [] }]);
  await noteCut(db, { ...cut, proven: true });
  // Others have taken over.
  const { id: other } = await insertEngine(db, { service_engine_group_id: lab.groupId });
  await db('placement').where({ service_engine_id: lab.engineId }).update({ service_engine_id: other });
  for (const { id } of lbs) await change(id);
  expect(await toldNetworks()).toEqual([`${networkId} ${networkId}`]);
  expect([...(await listConcernedBy(db, cut))].sort()).toEqual(lbs.map(({ id }) => id).sort());

  await remove(lbs[0]?.id ?? '');
  expect(await listConcernedBy(db, cut)).toEqual([lbs[1]?.id]);
  expect(await noteCutOver(db, cut)).toBe(true);
  await lab.hint(lbs[1]?.id ?? '');
  await waitUntil('it is released', WAIT, async () => (await toldNetworks()).length === 0);
});

it('static routes lead to members, and to VIPs, where operators say so', async () => {
  const routing = { staticRoutes: [], preferStaticRoutes: true, enableVipStaticRoutes: true };
  await open(routing);
  const vips = await addNetwork('10.1.0.0/24');
  const hop = await addNetwork('10.9.0.0/24');
  const far = await addNetwork('10.7.0.0/24');
  const via = { nextHop: '10.9.0.1', subnetId: hop.subnetId };
  Object.assign(routing, {
    staticRoutes: ['10.7.0.0/16', '10.1.0.0/24'].map((destination) => ({ destination, ...via })),
  });

  const lb = await createLoadBalancer(vips.subnetId);
  const pool = await insertPool(db, { load_balancer_id: lb.id });
  await insertMember(db, { pool_id: pool.id, subnet_id: far.subnetId, ip_address: '10.7.0.9' });
  await lab.hint(lb.id);
  await settled(lb.id);
  await waitUntil('it is told', WAIT, async () => (await toldNetworks()).length > 0);

  expect(await toldNetworks()).toEqual([`${vips.networkId} ${hop.networkId}`]);
  const [domain] = (await spec()).domains;
  expect(
    domain?.routes
      .filter(({ metric }) => metric >= 30_000)
      .map(({ destination }) => destination)
      .sort(),
  ).toEqual(['10.1.0.0/24', '10.7.0.0/16']);
  const [port] = (await network.listPorts({ networkId: hop.networkId })).filter(({ name }) => name.startsWith('slip'));
  expect(port?.allowedAddressPairs).toEqual([{ ipAddress: lb.address }]);
});

it("ports of engines have one open group of ours; the user's groups become rules, also when ports join them", async () => {
  await open();
  const group = async (name: string) =>
    network.createSecurityGroup({ name, description: '', projectId: 'project-1', tags: [] });
  const [clients, users] = [await group('clients'), await group('users')];
  const rule = { direction: 'ingress', etherType: 'IPv4', remotePrefix: null, remoteAddressGroupId: null } as const;
  await network.addSecurityGroupRule(users.id, {
    ...{ ...rule, protocol: 'tcp', portMin: 80, portMax: 80 },
    remoteGroupId: clients.id,
  });
  const lb = await createLoadBalancer(SEED_IDS.localSubnet, { vip_sg_ids: [users.id] });
  await lab.hint(lb.id);
  await settled(lb.id);
  expect(await findFirewall(db, lb.id)).toEqual([]);

  const client = await network.createPort({
    ...{ name: 'client', projectId: 'project-1', networkId: SEED_IDS.localNetwork, deviceId: '', deviceOwner: '' },
    fixedIps: [{ subnetId: SEED_IDS.localSubnet }],
    adminStateUp: true,
    securityGroupIds: [clients.id],
  });
  await lab.hint(lb.id);
  await waitUntil('the client may come', WAIT, async () => (await findFirewall(db, lb.id))?.length === 1);

  expect(await findFirewall(db, lb.id)).toEqual([
    { protocol: 'tcp', portMin: 80, portMax: 80, sources: [`${client.fixedIps[0]?.ipAddress}/32`] },
  ]);
  const [ours, ...more] = await network.listSecurityGroups({ tag: 'test' });
  expect(more).toEqual([]);
  expect(ours?.rules.filter(({ direction }) => direction === 'ingress')).toHaveLength(2);
  const ports = (await network.listPorts({})).filter(({ name }) => name.startsWith('slipstream-vnic'));
  expect(ports.map(({ securityGroupIds }) => securityGroupIds)).toEqual([[ours?.id]]);

  const vipPort = async () => (await network.listPorts({ deviceId: vipPortNames(lb.id).deviceId }))[0];
  expect((await vipPort())?.securityGroupIds).toEqual([users.id]);
  await db('vip_security_group').delete();
  await change(lb.id);
  expect(await findFirewall(db, lb.id)).toBeUndefined();
  expect((await vipPort())?.securityGroupIds).toEqual([]);

  await remove(lb.id);
  await retireEngine(db, lab.engineId);
  await lab.bus.publish(HINTS_TOPIC, { method: 'engine', args: { id: lab.engineId } });
  await waitUntil('the engine is gone', WAIT, async () => (await db('service_engine').select('id')).length === 0);
  await waitUntil(
    'its group is gone',
    WAIT,
    async () => (await network.listSecurityGroups({ tag: 'test' })).length === 0,
  );
  expect(await network.findSecurityGroup(users.id)).toBeDefined();
});

it('engines that learn of clients have a port of their load balancer, and hear when they are others', async () => {
  await open();
  const vips = await addNetwork('10.1.0.0/24');
  const lbs = [await createLoadBalancer(vips.subnetId), await createLoadBalancer(vips.subnetId)];
  for (const { id } of lbs) {
    const pool = await insertPool(db, { load_balancer_id: id });
    await db('session_persistence').insert({ pool_id: pool.id, type: 'APP_COOKIE', cookie_name: 'session' });
    await lab.hint(id);
  }
  const findPorts = (): Promise<number[]> => db('peer_port').where({ network_id: vips.networkId }).pluck('port');
  await waitUntil('both have a port', WAIT, async () => (await findPorts()).length === 2);
  const ports = await findPorts();
  expect(new Set(ports).size).toBe(2);
  expect(ports.filter((port) => port < PEER_PORTS.first || port >= PEER_PORTS.first + PEER_PORTS.count)).toEqual([]);

  const [lb, other] = lbs.map(({ id }) => id);
  const told = async () => (await db('peer_port').where({ load_balancer_id: lb }).first('told')).told;
  await waitUntil('the vNIC is known', WAIT, async () => (await told()) !== digestOfPeers([]));
  const before = await told();
  const hinted: unknown[] = [];
  await lab.bus.subscribeBroadcast(ENGINES_TOPIC, ({ method, args }) => {
    if (method === 'placements' && args['load_balancer_id'] === lb) hinted.push(args['engine_id']);
  });
  const engine = await insertEngine(db, { service_engine_group_id: lab.groupId });
  await insertPlacement(db, { load_balancer_id: lb ?? '', service_engine_id: engine.id, role: 'secondary' });
  const facts = {
    subnetIds: [],
    mtu: 1500,
    addresses: ['10.1.0.77/24'],
    gateways: [],
    hostRoutes: [],
    staticRoutes: [],
  };
  const need = { id: randomUUID(), engineId: engine.id, networkId: vips.networkId, subnetId: null, subnetIds: [] };
  const vnic = await inTransaction(db, (trx) =>
    needVnic(trx, { ...need, domainId: vips.networkId, ...(lb !== undefined && { loadBalancerId: lb }) }),
  );
  await recordVnicPort(db, vnic.id, { portId: 'p-77', macAddress: 'fa:16:3e:00:00:77', ipAddress: '10.1.0.77' });
  await recordVnicFacts(db, vnic.id, facts);
  await lab.hint(lb ?? '');
  await waitUntil('both are hinted', WAIT, () => hinted.includes(engine.id) && hinted.includes(lab.engineId));
  await waitUntil('that is noted', WAIT, async () => (await told()) !== before);

  await remove(other ?? '');
  expect(await db('peer_port').where({ load_balancer_id: other })).toEqual([]);
});
