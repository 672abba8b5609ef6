import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { ENGINES_TOPIC } from '../../driver/bus/port';
import { openEmbeddedNetwork } from '../../driver/clouds/network/memory';
import { createMemoryStore } from '../../driver/clouds/network/store';
import { findEngine, retireEngine } from '../../driver/db/engines';
import { reconcileEngine } from '../../driver/reconcile/engineUnit';
import { createFakeCompute } from '../support/fakeCompute';
import { addEngine } from '../support/fleetRows';
import { type HealthSite, startHealthSite } from '../support/healthSite';
import { ANSWER, ARM, createOneArm, type OneArm, WANTED } from '../support/oneArm';
import { type Placed, placeOn, waitUntilConfirmed } from '../support/placed';
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
  let placed: Placed;

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
    placed = await placeOn(site, engineId, WANTED);
    await site.bus.broadcast(ENGINES_TOPIC, { method: 'networks', args: { engine_id: engineId } });
    await arm?.network.plug(arm.machine, { macAddress: ARM.mac, up: false });
    await waitUntilConfirmed(site, placed, WAIT);
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
