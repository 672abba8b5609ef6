import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { ENGINES_TOPIC } from '../../driver/bus/port';
import { createNoopNetwork } from '../../driver/clouds/network/noop';
import { reconcileLoadBalancer } from '../../driver/reconcile/loadBalancerUnit';
import { createMutex } from '../../driver/reconcile/wiringTarget';
import { startTestApi, type TestApi } from '../support/api';
import { addEngine, addPlacement } from '../support/fleetRows';
import { type HealthSite, startHealthSite } from '../support/healthSite';
import { ANSWER, ARM, createOneArm, type OneArm, WANTED } from '../support/oneArm';
import { placeOn, waitUntilConfirmed, wantVnic } from '../support/placed';
import { openRelay } from '../support/relay';
import { waitUntil } from '../support/wait';
import { describeWithNamespaces } from '../support/withServers';

const WAIT = 60_000;
const UNHURRIED = {
  heartbeatInterval: 500,
  countersInterval: 200,
  ackTimeout: 30_000,
  networkPatience: 60_000,
  compareInterval: 300,
};
/** Seconds that connections are given. */
const BOUND = 8;
/** One connection on which a request follows another; a line for each answer, and one for its end. */
const HOLDER = `
const socket = require('node:net').connect(80, '${ARM.vip}');
const ask = () => socket.write('GET / HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n');
socket.on('connect', ask);
socket.on('data', () => { console.log('answer'); setTimeout(ask, 100); });
socket.on('error', () => undefined);
socket.on('close', () => { console.log('end'); process.exit(); });
`;

/** Two engines in namespaces with the real agent; API, health-manager and the load balancer's unit are real, too. */
describeWithNamespaces('an engine that is left', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ss-drn-'));
  const socket = join(directory, 'port');
  const arms: OneArm[] = [];
  const engineIds: string[] = [];
  let site: HealthSite;
  let api: TestApi;
  let relay: { close(): void };
  let lb: string;

  const addArm = async (prefix: string): Promise<void> => {
    const { id, token } = await addEngine(site.db, site.groupId, { name: prefix });
    const arm = await createOneArm(prefix, { config: { engineId: id, token, controllers: [`ws+unix://${socket}:/`] } });
    arms.push(arm);
    engineIds.push(id);
    await arm.engine.start({ waits: false });
    await arm.network.plug(arm.machine, { macAddress: ARM.mac, up: false });
  };

  beforeAll(async () => {
    site = await startHealthSite();
    const { url } = await site.start(UNHURRIED);
    relay = await openRelay(socket, Number(new URL(url).port));
    api = await startTestApi({ db: site.db });
    const properties = JSON.stringify({ maxEngines: 2, scaleinTimeout: BOUND });
    await site.db('service_engine_group').update({ properties, is_default: 1 });
    await addArm('ss-dra');
    await addArm('ss-drb');
    const [a = '', b = ''] = engineIds;
    const placed = await placeOn(site, a, WANTED);
    lb = placed.loadBalancerId;
    await wantVnic(site, { engineId: b, loadBalancerId: lb }, WANTED);
    const placementId = await addPlacement(site.db, { loadBalancerId: lb, engineId: b });
    await site.db('service_engine').update({ slots_used: 1 });
    await site.db('load_balancer').update({ scale_adjustment: 1 });
    for (const id of [a, b]) await site.bus.broadcast(ENGINES_TOPIC, { method: 'networks', args: { engine_id: id } });
    await waitUntilConfirmed(site, placed, WAIT);
    await waitUntilConfirmed(site, { loadBalancerId: lb, placementId }, WAIT);
  });
  afterAll(async () => {
    for (const arm of arms) await arm.dispose();
    relay?.close();
    await api?.close();
    await site?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const run = () =>
    reconcileLoadBalancer(
      {
        ...{ db: site.db, bus: site.bus, log: pino({ level: 'silent' }), network: createNoopNetwork() },
        ...{ bootsNothing: false, owner: `worker-${randomUUID()}`, alone: createMutex() },
        settings: {
          ...{ leaseSeconds: 30, stepSeconds: 5, pendingDeadline: 120, engineCreateTimeout: 600, drainSettle: 2 },
          ...{ engineNamePrefix: 'test', backOff: () => 0.1 },
        },
      },
      lb,
    );
  /** As a worker does: again and again. */
  const runUntil = (what: string, condition: () => Promise<boolean>) =>
    waitUntil(what, WAIT, async () => {
      await run();
      return condition();
    });
  const ask = async (word: string, body: object): Promise<void> => {
    expect((await api.post(`/v2/slipstream/loadbalancers/${lb}/${word}`, { [word]: body })).status).toBe(202);
  };
  const row = () => site.db('load_balancer').where({ id: lb }).first();
  const placementOnA = () => site.db('placement').where({ service_engine_id: engineIds[0] }).first();
  const isActive = async () => (await row()).provisioning_status === 'ACTIVE';
  const isLeft = async () => (await placementOnA()) === undefined;

  /** A client's connection through the first engine. */
  const hold = async () => {
    const child = arms[0]?.client.namespace.spawn(process.execPath, ['-e', HOLDER], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let said = '';
    child?.stdout?.on('data', (text: Buffer) => {
      said += String(text);
    });
    const answers = () => said.split('answer').length - 1;
    const goesOn = async () => {
      const before = answers();
      await waitUntil('it is answered', WAIT, () => answers() > before + 2);
    };
    await goesOn();
    return { goesOn, ended: () => said.includes('end'), close: () => child?.kill() };
  };

  it('keeps its connections when it is scaled in, and the load balancer is ACTIVE meanwhile', async () => {
    const other = arms[1];
    await other?.client.load(ARM.vip, 80);
    const connection = await hold();
    // So that the engine has told of it.
    await waitUntil('it is counted', WAIT, async () => {
      const counts = await site
        .db('listener_statistics')
        .where({ amphora_id: engineIds[0] })
        .pluck('active_connections');
      return counts.some((count) => Number(count) > 0);
    });

    await ask('scalein', { service_engine_id: engineIds[0] });
    await runUntil('it is ACTIVE', isActive);

    expect(await placementOnA()).toMatchObject({ deleting: 0, drain_until: expect.any(String) });
    await run();
    await connection.goesOn();
    connection.close();
    await runUntil('the engine is left', isLeft);
    expect((await other?.client.unload())?.failures).toEqual([]);
    expect(await other?.client.fetch(ARM.vip, 80)).toBe(ANSWER);
    expect(await site.events('ENGINE_DRAINED')).toHaveLength(1);
  });

  it('cuts them when their time is over, and serves anew when it is scaled out', async () => {
    await ask('scaleout', {});
    await runUntil('it is served by both', async () => {
      const placement = await placementOnA();
      return placement !== undefined && Number(placement.confirmed_generation) === Number((await row()).generation);
    });
    const connection = await hold();
    await runUntil('it is ACTIVE', isActive);
    const begun = Date.now();
    await ask('scalein', { service_engine_id: engineIds[0] });

    await runUntil('the engine is left', isLeft);

    expect(Date.now() - begun).toBeGreaterThanOrEqual(BOUND * 1000);
    await waitUntil('the connection is cut', WAIT, connection.ended);
    expect((await site.events('ENGINE_DRAIN_EXPIRED')).map(({ message }) => message)).toEqual([
      'the time to drain is over: 1 connections on the engine are cut',
    ]);
  });
});
