import { randomUUID } from 'node:crypto';
import { ENGINES_TOPIC } from '../../driver/bus/port';
import { inTransaction } from '../../driver/db/connect';
import { recordFirewall } from '../../driver/db/firewalls';
import { ensurePeerPort } from '../../driver/db/peers';
import { needVnic, recordVnicFacts, recordVnicPort, releaseVnics, type Vnic } from '../../driver/db/vnics';
import { addListener, addLoadBalancer, addPlacement, addPool } from '../support/fleetRows';
import { type HealthSite, startHealthSite } from '../support/healthSite';
import { waitUntil } from '../support/wait';

let site: HealthSite;
beforeEach(async () => {
  site = await startHealthSite();
});
afterEach(() => site.close());

const WAIT = 30_000;
const FACTS = { subnetIds: [], mtu: 1450, gateways: ['10.0.0.1'], hostRoutes: [], staticRoutes: [] };

/** As a worker does before it places the load balancer. */
async function needs(engineId: string, loadBalancerId: string, networkId: string, domainId = 'vip-net'): Promise<Vnic> {
  return inTransaction(site.db, (trx) =>
    needVnic(trx, {
      ...{ id: randomUUID(), engineId, networkId, domainId, loadBalancerId },
      subnetId: null,
      vipSide: networkId === domainId,
    }),
  );
}

/** As the engine's unit does once the port is there. */
async function plug(vnic: Vnic, ipAddress = '10.0.0.5'): Promise<void> {
  const { id } = vnic;
  await recordVnicPort(site.db, id, {
    portId: `p-${id.slice(0, 8)}`,
    macAddress: 'FA:16:3E:00:00:01',
    ipAddress,
  });
  await recordVnicFacts(site.db, id, { ...FACTS, addresses: [`${ipAddress}/24`] });
}

const placed = (where: Record<string, unknown>) =>
  waitUntil(`a placement is ${JSON.stringify(where)}`, WAIT, async () => {
    const found = await site.db('placement').where(where).first('id');
    return found !== undefined;
  });

jest.setTimeout(120_000);

it('a load balancer is pushed with its domain once its vNIC is in force, the networks before it', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine({}, { managesNetworks: true });
  engine.behave({ networkProblems: undefined });
  await engine.connect(url);
  const lb = await addLoadBalancer(site.db);
  const vnic = await needs(engine.id, lb, 'vip-net');
  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
  await site.hint(engine.id, lb);
  await plug(vnic);
  await site.bus.broadcast(ENGINES_TOPIC, { method: 'networks', args: { engine_id: engine.id } });
  await waitUntil('the engine knows its networks', WAIT, () => engine.networks !== undefined);
  await site.hint(engine.id, lb);
  expect(engine.puts(lb)).toEqual([]);

  engine.behave({ networkProblems: [] });
  engine.ackNetworks();

  await placed({ id: placement, confirmed_generation: 1 });
  expect(engine.networks?.domains).toEqual([
    {
      id: 'vip-net',
      vnics: [
        { id: vnic.id, networkId: 'vip-net', macAddress: 'fa:16:3e:00:00:01', mtu: 1450, addresses: ['10.0.0.5/24'] },
      ],
      routes: [{ destination: '0.0.0.0/0', nextHop: '10.0.0.1', vnicId: vnic.id, metric: 100 }],
    },
  ]);
  expect(engine.held.get(lb)).toMatchObject({ domainId: 'vip-net', firewall: null });
});

it('an awaited interface keeps back those that need it, and nobody else; the problem is told of once', async () => {
  const { url } = await site.start({ networkPatience: 100 });
  const engine = await site.addEngine({}, { managesNetworks: true });
  const [one, other] = [await addLoadBalancer(site.db), await addLoadBalancer(site.db)];
  const [here, there] = [await needs(engine.id, one, 'vip-net'), await needs(engine.id, other, 'other', 'other')];
  for (const vnic of [here, there]) await plug(vnic);
  engine.behave({ networkProblems: [{ domainId: 'other', vnicId: there.id, reason: 'it has not been plugged in' }] });
  for (const lb of [one, other]) await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
  await engine.connect(url);

  await waitUntil('the one is served', WAIT, () => engine.held.has(one));
  await waitUntil('it is told', WAIT, async () => (await site.events('ENGINE_NETWORK_PROBLEM')).length > 0);
  expect(engine.puts(other)).toEqual([]);
  engine.behave({ networkProblems: [] });
  engine.ackNetworks();
  await waitUntil('the other is served', WAIT, () => engine.held.has(other));

  expect(await site.events('ENGINE_NETWORK_PROBLEM')).toMatchObject([
    { message: expect.stringContaining('it has not been plugged in'), service_engine_id: engine.id },
  ]);
});

it('trouble of the BGP speaker keeps nobody back from being served', async () => {
  const { url } = await site.start({ networkPatience: 100 });
  const engine = await site.addEngine({}, { managesNetworks: true });
  const lb = await addLoadBalancer(site.db);
  await plug(await needs(engine.id, lb, 'vip-net'));
  const problem = { domainId: 'vip-net', vnicId: null, reason: 'BIRD does not start', about: 'bgp' } as const;
  engine.behave({ networkProblems: [problem] });
  await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
  await engine.connect(url);

  await waitUntil('it is served', WAIT, () => engine.held.has(lb));
  await waitUntil('it is told', WAIT, async () => (await site.events('ENGINE_NETWORK_PROBLEM')).length > 0);
});

it('a domain that is not there keeps back all that is to be in it', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine({}, { managesNetworks: true });
  const [lb, elsewhere] = [await addLoadBalancer(site.db), await addLoadBalancer(site.db)];
  await plug(await needs(engine.id, lb, 'vip-net'));
  await plug(await needs(engine.id, elsewhere, 'other', 'other'));
  engine.behave({ networkProblems: [{ domainId: 'vip-net', vnicId: null, reason: 'no namespace' }] });
  for (const id of [lb, elsewhere]) await addPlacement(site.db, { loadBalancerId: id, engineId: engine.id });
  await engine.connect(url);

  await waitUntil('the other is served', WAIT, () => engine.held.has(elsewhere));
  expect(engine.puts(lb)).toEqual([]);
});

it('a change of what is served already does not wait for ever for a vNIC that does not come', async () => {
  const { url } = await site.start({ networkPatience: 300 });
  const engine = await site.addEngine({}, { managesNetworks: true });
  const lb = await addLoadBalancer(site.db);
  await plug(await needs(engine.id, lb, 'vip-net'));
  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
  await engine.connect(url);
  await waitUntil('it is served', WAIT, () => engine.held.has(lb));

  const late = await needs(engine.id, lb, 'members');
  engine.behave({ networkProblems: [{ domainId: 'vip-net', vnicId: late.id, reason: 'awaited' }] });
  await plug(late);
  await site.db('load_balancer').where({ id: lb }).update({ generation: 2 });
  await site.db('placement').where({ id: placement }).update({ wanted_generation: 2 });
  await site.hint(engine.id, lb);

  await placed({ id: placement, confirmed_generation: 2 });
});

it('a vNIC that nobody needs any more leaves the engine', async () => {
  const { url } = await site.start();
  const engine = await site.addEngine({}, { managesNetworks: true });
  const lb = await addLoadBalancer(site.db);
  const vnics = [await needs(engine.id, lb, 'vip-net'), await needs(engine.id, lb, 'members')];
  for (const vnic of vnics) await plug(vnic);
  await engine.connect(url);
  await waitUntil('both are told', WAIT, () => engine.networks?.domains[0]?.vnics.length === 2);

  const members = vnics[1];
  if (!members) throw new Error('there are two');
  const use = { vnicId: members.id, engineId: engine.id, networkId: 'members', domainId: 'vip-net', deleting: false };
  await inTransaction(site.db, (trx) => releaseVnics(trx, lb, [use]));

  await waitUntil('one is told', WAIT, () => engine.networks?.domains[0]?.vnics.length === 1);
  expect(await site.db('se_vnic').where({ id: members.id }).first('deleting')).toEqual({ deleting: 1 });
});

it('an engine that comes back with the networks it has is told nothing, and serves at once', async () => {
  const first = await site.start();
  const engine = await site.addEngine({}, { managesNetworks: true });
  const lb = await addLoadBalancer(site.db);
  await plug(await needs(engine.id, lb, 'vip-net'));
  await engine.connect(first.url);
  await waitUntil('the networks are told', WAIT, () => engine.networks !== undefined);
  await first.stop();
  await engine.disconnect();
  engine.behave({ networkProblems: undefined });

  const second = await site.start();
  await engine.connect(second.url);
  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: engine.id });
  await placed({ id: placement, confirmed_generation: 1 });

  expect(engine.received.filter(({ type }) => type === 'networks')).toHaveLength(1);
});

it("the user's groups come along as rules; an agent of version 1 is told of neither networks nor domains", async () => {
  const { url } = await site.start();
  const engine = await site.addEngine({}, { managesNetworks: true });
  const old = await site.addEngine();
  const lb = await addLoadBalancer(site.db);
  await site.db('vip_security_group').insert({ load_balancer_id: lb, sg_id: 'group-1' });
  const rule = { protocol: 'tcp', portMin: 80, portMax: 80, sources: ['10.0.0.0/8'] };
  await recordFirewall(site.db, lb, [rule]);
  await plug(await needs(engine.id, lb, 'vip-net'));
  for (const { id } of [engine, old]) await addPlacement(site.db, { loadBalancerId: lb, engineId: id });

  for (const it of [engine, old]) await it.connect(url);
  await waitUntil('both serve it', WAIT, () => engine.held.has(lb) && old.held.has(lb));

  expect(engine.held.get(lb)).toMatchObject({ domainId: 'vip-net', firewall: [rule] });
  expect(old.held.get(lb)).toMatchObject({ domainId: null, firewall: null });
  expect(old.networks).toBeUndefined();
});

it('engines of a load balancer that learns of its clients are told of one another, and anew when they change', async () => {
  const { url } = await site.start();
  const lb = await addLoadBalancer(site.db);
  const pool = await addPool(site.db, lb);
  await site.db('session_persistence').insert({ pool_id: pool, type: 'APP_COOKIE', cookie_name: 'session' });
  await addListener(site.db, lb, { default_pool_id: pool });
  const port = (await ensurePeerPort(site.db, lb, 'vip-net'))?.port;
  const [one, two] = [
    await site.addEngine({}, { managesNetworks: true }),
    await site.addEngine({}, { managesNetworks: true }),
  ];
  await plug(await needs(one.id, lb, 'vip-net'), '10.0.0.5');
  await addPlacement(site.db, { loadBalancerId: lb, engineId: one.id });
  await one.connect(url);
  await waitUntil('it is served alone', WAIT, () => one.held.has(lb));
  expect(one.held.get(lb)?.peers).toEqual({ name: one.id, address: '10.0.0.5', port, others: [] });

  await plug(await needs(two.id, lb, 'vip-net'), '10.0.0.6');
  const placement = await addPlacement(site.db, { loadBalancerId: lb, engineId: two.id });
  await two.connect(url);
  await site.hint(one.id, lb);
  await waitUntil('both know', WAIT, () => one.held.get(lb)?.peers?.others.length === 1 && two.held.has(lb));
  expect(one.held.get(lb)?.peers?.others).toEqual([{ name: two.id, address: '10.0.0.6' }]);
  expect(two.held.get(lb)?.peers).toMatchObject({
    name: two.id,
    port,
    others: [{ name: one.id, address: '10.0.0.5' }],
  });

  await site.db('placement').where({ id: placement }).update({ deleting: 1, wanted_generation: 2 });
  await site.hint(one.id, lb);
  await waitUntil('the one is alone again', WAIT, () => one.held.get(lb)?.peers?.others.length === 0);
});
