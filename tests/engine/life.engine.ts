import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { ENGINES_TOPIC } from '../../driver/bus/port';
import { openEmbeddedNetwork } from '../../driver/clouds/network/memory';
import { createMemoryStore } from '../../driver/clouds/network/store';
import { inTransaction } from '../../driver/db/connect';
import { findEngine, retireEngine } from '../../driver/db/engines';
import { needVnic, recordVnicFacts, recordVnicPort } from '../../driver/db/vnics';
import { reconcileEngine } from '../../driver/reconcile/engineUnit';
import { createFakeCompute } from '../support/fakeCompute';
import { addEngine, addListener, addLoadBalancer, addMember, addPlacement, addPool } from '../support/fleetRows';
import { type HealthSite, startHealthSite } from '../support/healthSite';
import { ANSWER, ARM, createOneArm, type OneArm } from '../support/oneArm';
import { openRelay } from '../support/relay';
import { waitUntil } from '../support/wait';
import { describeWithNamespaces } from '../support/withServers';

const WAIT = 60_000;
const UNHURRIED = { heartbeatInterval: 500, ackTimeout: 30_000, networkPatience: 60_000, compareInterval: 1000 };

/** From the row to the end, as worker and health-manager see it; the agent is real, Nova is not. */
describeWithNamespaces('the life of an engine', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ss-life-'));
  const socket = join(directory, 'port');
  const compute = createFakeCompute();
  let site: HealthSite;
  let relay: { close(): void };
  let engineId: string;
  let arm: OneArm | undefined;
  let run: () => Promise<unknown>;

  beforeAll(async () => {
    site = await startHealthSite();
    const { url } = await site.start(UNHURRIED);
    relay = await openRelay(socket, Number(new URL(url).port));
    engineId = (await addEngine(site.db, site.groupId, { status: 'BUILDING', token_hash: null })).id;
    const { driver } = await openEmbeddedNetwork({ store: createMemoryStore() });
    const settings = { leaseSeconds: 30, engineCreateTimeout: 300, backOff: () => 1 };
    const { db, bus } = site;
    const parts = { db, bus, compute, network: driver, settings, owner: 'worker-1', controllers: [url] };
    run = () => reconcileEngine({ ...parts, log: pino({ level: 'silent' }) }, engineId);
  });
  afterAll(async () => {
    await arm?.dispose();
    relay?.close();
    await site?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const engine = () => findEngine(site.db, engineId);
  const place = async (): Promise<{ loadBalancerId: string; placementId: string }> => {
    const { db } = site;
    const loadBalancerId = await addLoadBalancer(db);
    await db('vip').where({ load_balancer_id: loadBalancerId }).update({ ip_address: ARM.vip, network_id: ARM.domain });
    const poolId = await addPool(db, loadBalancerId);
    await addMember(db, poolId, { ip_address: ARM.member, protocol_port: 8000 });
    await addListener(db, loadBalancerId, { protocol_port: 80, default_pool_id: poolId });
    const need = { id: randomUUID(), engineId, loadBalancerId, networkId: ARM.domain, domainId: ARM.domain };
    const vnic = await inTransaction(db, (trx) => needVnic(trx, { ...need, subnetId: null, vipSide: true }));
    await recordVnicPort(db, vnic.id, { portId: 'port-1', macAddress: ARM.mac, ipAddress: '10.0.0.5' });
    const facts = { subnetIds: [], mtu: 1500, gateways: [], hostRoutes: [], staticRoutes: [] };
    await recordVnicFacts(db, vnic.id, { ...facts, addresses: ['10.0.0.5/24'] });
    return { loadBalancerId, placementId: await addPlacement(db, { loadBalancerId, engineId }) };
  };

  let placed: { loadBalancerId: string; placementId: string };

  it('boots with what its server was told, and is READY when it has called', async () => {
    await run();
    const [request] = compute.requests;
    if (request === undefined) throw new Error('no server was asked for');
    const config = { engineId, token: request.token, controllers: [`ws+unix://${socket}:/`] };
    arm = await createOneArm('ss-life', { config });
    await arm.engine.start({ waits: false });

    await waitUntil('it is READY', WAIT, async () => (await engine())?.status === 'READY');
    expect(await site.events('ENGINE_UP')).toMatchObject([{ service_engine_id: engineId }]);
  });

  it('serves what is placed on it, once its vNIC is plugged in', async () => {
    placed = await place();
    await site.bus.broadcast(ENGINES_TOPIC, { method: 'networks', args: { engine_id: engineId } });
    await arm?.network.plug(arm.machine, { macAddress: ARM.mac, up: false });
    await waitUntil('it has confirmed', WAIT, async () => {
      const row = await site.db('placement').where({ id: placed.placementId }).first('confirmed_generation');
      return row?.confirmed_generation === 1;
    });
    expect(await arm?.client.fetch(ARM.vip, 80)).toBe(ANSWER);
  });

  it('drains under traffic, and is gone when its last load balancer has left', async () => {
    if (arm === undefined) throw new Error('there is no engine');
    const { client, engine: agent } = arm;
    await client.load(ARM.vip, 80);
    await retireEngine(site.db, engineId);
    await run();
    expect((await engine())?.status).toBe('DRAINING');
    expect(compute.servers.size).toBe(1);
    expect(await client.fetch(ARM.vip, 80)).toBe(ANSWER);
    expect((await client.unload()).failures).toEqual([]);

    // As a worker does once another engine serves it.
    await site.db('placement').where({ id: placed.placementId }).update({ deleting: 1 });
    await site.hint(engineId, placed.loadBalancerId);
    await waitUntil('it has left', WAIT, async () => (await site.db('placement')).length === 0);
    expect(await client.fetch(ARM.vip, 80, 2000)).not.toBe(ANSWER);

    await waitUntil('the engine is gone', WAIT, async () => {
      await run();
      // With its server goes the agent.
      if (compute.servers.size === 0) await agent.end('SIGKILL');
      return (await engine()) === undefined;
    });
    expect(await site.events('ENGINE_DELETED')).toHaveLength(1);
  });
});
