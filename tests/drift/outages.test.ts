import pino from 'pino';
import { ENGINES_TOPIC } from '../../driver/bus/port';
import { createContrailDriver } from '../../driver/clouds/contrail/http';
import { openVncService, type VncService } from '../../driver/clouds/contrail/service';
import { configFromText } from '../../driver/config/config';
import type { RunningProcess } from '../../driver/domain/process';
import { runWorker } from '../../driver/worker/main';
import type { NewlyMade } from '../support/contrailLab';
import { freePorts } from '../support/freePorts';
import type { AskedRequest } from '../support/simulators/contrail/faults';
import { waitUntil } from '../support/wait';
import { type AuditStage, openAuditStage } from '../support/wiringAudit';

jest.setTimeout(180_000);

const PATIENCE = 60_000;
const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });

let stage: AuditStage;
let worker: RunningProcess | undefined;
let vnc: VncService | undefined;
afterEach(async () => {
  await worker?.close();
  await vnc?.close();
  worker = undefined;
  vnc = undefined;
  await stage.lab.close();
});

/** A worker as it runs, whose calls to Contrail go to these servers. */
async function work(servers: readonly string[], settings = ''): Promise<void> {
  const { lab } = stage;
  vnc = openVncService({ servers, log, timeout: 2_000, pace: { perSecond: 10_000, burst: 10_000 } });
  worker = await runWorker({
    config: configFromText(`[controller_worker]\nnetwork_driver = contrail\ncompute_driver = nova\n${settings}`),
    ...{ db: lab.db, bus: lab.bus, network: lab.network, compute: lab.compute, log },
    vnc: createContrailDriver({ service: vnc, role: 'admin' }),
    settings: { firstRetry: 0.1, lastRetry: 0.5, cloudFailures: 3, cloudPause: 0.3, cloudCallTimeout: 20 },
  });
}

/** A load balancer that the API has just left. */
async function asked(): Promise<NewlyMade> {
  const made = await stage.lab.createLoadBalancer();
  await stage.lab.hint(made.id);
  return made;
}

const statusOf = async (id: string): Promise<string> => (await stage.lab.row(id)).provisioning_status;
const active = (id: string): Promise<void> =>
  waitUntil(`${id} is ACTIVE`, PATIENCE, async () => (await statusOf(id)) === 'ACTIVE');
const count = async (name: string): Promise<number> => (await stage.lab.events(name)).length;

/** Contrail's own API; Neutron, which asks it too, goes on. */
const isVnc = ({ path }: AskedRequest): boolean => !path.startsWith('/neutron');

/** All are wired to both engines, and nothing is there twice. */
async function expectWired(lbs: readonly NewlyMade[]): Promise<void> {
  const engines = await Promise.all(
    (await stage.lab.db('service_engine').pluck('id')).map((id: string) => stage.lab.portOf(id)),
  );
  const want = lbs.map(({ address }) => address).sort();
  for (const port of engines)
    expect(
      stage.lab
        .pairsOf(port)
        .map(({ address }) => address)
        .sort(),
    ).toEqual(want);
  expect(stage.lab.contrail.store.list('service-health-check')).toHaveLength(1);
}

describe('while Contrail', () => {
  it.each<[string, (broken: () => boolean) => void]>([
    [
      'drops connections',
      (broken) => stage.lab.contrail.faults.dropConnections({ when: (it) => broken() && isVnc(it) }),
    ],
    ...[503, 502, 401].map((status): [string, (broken: () => boolean) => void] => [
      `answers ${status}`,
      (broken) => stage.lab.contrail.faults.answer(status, { when: (it) => broken() && isVnc(it) }),
    ]),
  ])('%s, a change waits, uses up no deadline, and is told as one cause', async (_name, breaks) => {
    stage = await openAuditStage({}, {}, { works: false });
    await work([stage.lab.contrail.url]);
    const before = await asked();
    await active(before.id);
    let isBroken = true;
    breaks(() => isBroken);
    const during = await asked();
    await waitUntil('the cloud is known to be away', PATIENCE, async () => (await count('CLOUD_AWAY')) > 0);
    const soon = new Date(Date.now() + 60_000).toISOString().slice(0, 23).replace('T', ' ');
    await stage.lab.db('load_balancer').where({ id: during.id }).update({ pending_deadline: soon });
    await waitUntil('its deadline moves on', PATIENCE, async () => {
      const deadline = (await stage.lab.row(during.id)).pending_deadline;
      return deadline !== null && deadline !== soon && deadline > soon;
    });
    expect(await statusOf(during.id)).toBe('PENDING_CREATE');

    isBroken = false;
    await active(during.id);

    await waitUntil('the return is told', PATIENCE, async () => (await count('CLOUD_BACK')) > 0);
    await expectWired([before, during]);
    expect([await count('CLOUD_AWAY'), await count('CLOUD_BACK')]).toEqual([1, 1]);
    for (const name of ['CHANGE_FAILED', 'DEADLINE_EXPIRED', 'ENGINE_FAILED']) expect(await count(name)).toBe(0);
  });

  it('answers 503, 500, 502 and loses answers in turn, and slowly, all is made once', async () => {
    stage = await openAuditStage({}, {}, { works: false });
    await work([stage.lab.contrail.url]);
    const { faults } = stage.lab.contrail;
    faults.delay = 60;
    for (const status of [503, 500, 502, 401]) {
      faults.answer(status, { times: 2, when: isVnc });
      faults.loseAnswers({ times: 1, when: isVnc });
    }
    const lbs = [await asked(), await asked()];
    for (const { id } of lbs) await active(id);

    await expectWired(lbs);
    for (const name of ['CHANGE_FAILED', 'DEADLINE_EXPIRED']) expect(await count(name)).toBe(0);
    expect(await count('CLOUD_AWAY')).toBeLessThanOrEqual(1);
  });
});

it('asks the second of two servers when the first is dead, without a word', async () => {
  stage = await openAuditStage({}, {}, { works: false });
  const [dead = 0] = await freePorts(1);
  await work([`http://127.0.0.1:${dead}`, stage.lab.contrail.url]);
  const lb = await asked();

  await active(lb.id);

  await expectWired([lb]);
  expect(await count('CLOUD_AWAY')).toBe(0);
});

it('brings back what an older database has forgotten, under the ids it had', async () => {
  stage = await openAuditStage();
  const { networkId } = await stage.lab.newNetwork('203.0.113.0/24', { 'router:external': true });
  const first = await stage.served();
  const old = stage.lab.contrail.faults.snapshot();
  const flavorId = await stage.lab.newFlavor({ floating_network: networkId });
  const second = await stage.served({ flavorId });
  const floating = stage.lab.contrail.store.list('floating-ip').map(({ uuid }) => uuid);
  expect(floating).toHaveLength(1);
  const vip = () => stage.lab.db('vip').where({ load_balancer_id: second.id }).first('ip_address', 'port_id');
  stage.lab.contrail.faults.restore(old);
  const audited = async (): Promise<boolean> => {
    await stage.audit();
    const isOver = (await stage.lab.db('trouble').select('cause')).length === 0;
    // A run that was under way may have wired what it had found before: the next audit sees that.
    const isThere = stage.lab.contrail.store.get('virtual-machine-interface', (await vip()).port_id) !== undefined;
    const isBack = isThere && stage.engines.every(({ portId }) => stage.lab.pairsOf(portId).length === 2);
    return isOver && isBack && stage.lab.contrail.store.list('floating-ip').length === 1;
  };

  await waitUntil('all is as wanted', PATIENCE, audited);

  await expectWired([first, second]);
  expect(stage.lab.contrail.store.list('floating-ip').map(({ uuid }) => uuid)).toEqual(floating);
  expect((await vip()).ip_address).toBe(second.address);
});

it('goes on when the schema transformer does, and tells once that a router has not come', async () => {
  stage = await openAuditStage({ settings: { vipMode: 'bgp' } });
  stage.lab.contrail.faults.transformerStopped = true;
  const { id } = await stage.lab.createLoadBalancer();
  await stage.lab.hint(id);
  await waitUntil('somebody was told', PATIENCE, async () => (await count('ENGINE_VNIC_FAILED')) > 0);

  stage.lab.contrail.faults.transformerStopped = false;

  await active(id);
  expect(stage.lab.contrail.store.list('bgp-as-a-service')).toHaveLength(1);
  // One for each of the two engines.
  expect(await count('ENGINE_VNIC_FAILED')).toBeLessThanOrEqual(2);
});

it('tells once that the sessions of BGP come to an end, and when there are enough', async () => {
  stage = await openAuditStage({ settings: { vipMode: 'bgp' } });
  const [system] = stage.lab.contrail.store.list('global-system-config');
  await stage.put('global-system-config', system?.uuid ?? '', {
    bgpaas_parameters: { port_start: 50_000, port_end: 50_001 },
  });
  const { id } = await stage.served();
  await stage.audit();
  await stage.audit();
  expect(await count('BGP_POOL_LOW')).toBe(1);

  await stage.lab.startDelete(id);
  await stage.lab.hint(id);
  await waitUntil('it is gone', PATIENCE, async () => (await statusOf(id)) === 'DELETED');
  await waitUntil('enough are left', PATIENCE, async () => {
    await stage.audit();
    return (await count('BGP_POOL_OK')) === 1;
  });
  expect(await count('BGP_POOL_LOW')).toBe(1);
});

it('tells that the control nodes have taken the AS of the engines, and engines whatever AS they have', async () => {
  stage = await openAuditStage({ settings: { vipMode: 'bgp' } });
  const [system] = stage.lab.contrail.store.list('global-system-config');
  const change = (autonomous_system: number) =>
    stage.put('global-system-config', system?.uuid ?? '', { autonomous_system });
  await stage.served();
  await stage.audit();
  expect(await count('BGP_AS_TAKEN')).toBe(0);
  const told: unknown[] = [];
  await stage.lab.bus.subscribeBroadcast(ENGINES_TOPIC, async ({ args }) => void told.push(args['engine_id']));

  await change(65_100);
  await stage.audit();
  await stage.audit();
  expect(await count('BGP_AS_TAKEN')).toBe(1);
  expect(await stage.lab.db('bgp_service').pluck('remote_as')).toEqual([65_100]);
  await waitUntil('its engines are told', PATIENCE, () => stage.engines.every(({ id }) => told.includes(id)));

  await change(64_999);
  await stage.audit();
  expect(await count('BGP_AS_OK')).toBe(1);
  expect(await stage.lab.db('bgp_service').pluck('remote_as')).toEqual([64_999]);
});
