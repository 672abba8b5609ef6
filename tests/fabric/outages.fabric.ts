import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../support/wait';
import { isPaired, VMI } from './support/drifts';
import { countEvents, eventsOf, mend, tellMended, wiredPorts } from './support/mending';
import { openSecondServer, type SecondServer } from './support/secondServer';
import {
  asked,
  type Balanced,
  balance,
  isAnsweredBy,
  isFull,
  openStage,
  PATIENCE,
  remove,
  type Stage,
} from './support/stage';
import { keepAsking } from './support/traffic';

jest.setTimeout(500_000);

/** Milliseconds that Contrail is away. */
const AWAY = isFull ? 60_000 : 3_000;

let stage: Stage;
/** By address pairs, and by BGP. */
let paired: Balanced;
let announced: Balanced;
let second: SecondServer;
const told: string[] = [];

beforeAll(async () => {
  stage = await openStage({
    group: { maxEngines: 2 },
    settings: '[house_keeping]\naudit_interval = 2',
    async servers(url) {
      second = await openSecondServer(url);
      return [second.url, url];
    },
  });
  paired = await balance(stage, { mode: { vip_mode: 'aap', isFloating: false } });
  announced = await balance(stage, { mode: { vip_mode: 'bgp', isFloating: false } });
  for (const one of [paired, announced]) await asked('both engines answer', one, isAnsweredBy(2));
}, 240_000);

afterAll(async () => {
  console.info(`outages of Contrail:\n${told.join('\n')}`);
  second?.stop();
  await stage?.site.close();
});

const contrail = () => stage.site.cloud.contrail.contrail;
const count = (name: string, text = ''): Promise<number> => countEvents(stage, name, text);

/** With requests to both VIPs going on, of which none may be lost. */
async function unharmed(title: string, work: () => Promise<unknown>): Promise<void> {
  const clients = [paired, announced].map(({ asker, url }) => keepAsking(asker, { url, parallel: 2, timeout: 5_000 }));
  await Promise.all(clients.map(({ begun }) => begun));
  const from = performance.now();
  await work().catch(async (error: unknown) => {
    throw new Error(`${error}:\n${await eventsOf(stage)}`);
  });
  const seconds = (performance.now() - from) / 1_000;
  const results = await Promise.all(clients.map((one) => one.stop()));
  const failures = results.flatMap((one) => one.failures);
  const answered = results.flatMap(({ answers }) => Object.values(answers)).reduce((sum, one) => sum + one, 0);
  told.push(`${seconds.toFixed(1).padStart(6)} s  ${failures.length} of ${answered + failures.length} lost  ${title}`);
  expect(failures).toEqual([]);
}

/** A change that has the load balancer's wiring looked at. */
async function change({ id }: Balanced): Promise<void> {
  await stage.site.api('PUT', `/v2/lbaas/loadbalancers/${id}`, { loadbalancer: { description: `${Date.now()}` } });
}

const until = (what: string, condition: () => Promise<boolean>): Promise<void> => waitUntil(what, PATIENCE, condition);
const all = () => contrail().store.count();

it('asks the other of two servers when one dies, without a word', async () => {
  const before = all();
  await unharmed('one of two API servers dead', async () => {
    second.stop();
    await change(paired);
    await stage.site.reaches(paired.id);
  });
  expect(await count('CLOUD_AWAY')).toBe(0);
  expect(all()).toEqual(before);
});

it('loses no request while the API is away, does what was asked when it is back, and tells of it once', async () => {
  const before = all();
  await unharmed(`the API away for ${AWAY / 1_000} s`, async () => {
    contrail().faults.dropConnections();
    await change(paired);
    await change(announced);
    await until('it is told', async () => (await count('CLOUD_AWAY', 'contrail')) > 0);
    await sleep(AWAY);
    contrail().faults.clear();
    await stage.site.reaches(paired.id);
    await stage.site.reaches(announced.id);
    await until('its return is told', async () => (await count('CLOUD_BACK', 'contrail')) > 0);
  });
  expect([await count('CLOUD_AWAY', 'contrail'), await count('CLOUD_BACK', 'contrail')]).toEqual([1, 1]);
  for (const name of ['DEADLINE_EXPIRED', 'CHANGE_FAILED', 'WIRING_DRIFTED']) expect(await count(name)).toBe(0);
  expect(all()).toEqual(before);
});

it('loses no request while the API is slow, and answers 503, 500, 502 and 401 in turn', async () => {
  const before = all();
  const away = await count('CLOUD_AWAY', 'contrail');
  await unharmed('the API slow, and with 503, 500, 502 and 401 in turn', async () => {
    contrail().faults.delay = 100;
    for (const status of [503, 500, 502, 401]) {
      contrail().faults.answer(status, { times: 3, when: ({ path }) => !path.startsWith('/neutron') });
    }
    await change(paired);
    await change(announced);
    await stage.site.reaches(paired.id);
    await stage.site.reaches(announced.id);
    contrail().faults.clear();
    await until('nothing is open', async () => (await stage.site.db('trouble').select('cause')).length === 0);
  });
  expect(await count('CLOUD_AWAY', 'contrail')).toBeLessThanOrEqual(away + 1);
  expect(await count('DEADLINE_EXPIRED')).toBe(0);
  expect(all()).toEqual(before);
});

it('puts back what an older database has forgotten, under the ids it had, once its server is back', async () => {
  const { faults } = contrail();
  const old = faults.snapshot();
  const later = await balance(stage, { mode: { vip_mode: 'aap', isFloating: false } });
  await asked('both engines answer', later, isAnsweredBy(2));
  const ports = await wiredPorts(stage, later);
  const before = all();
  await unharmed('restarted with an older database', async () => {
    const mended = await mend({
      title: 'VIPs of the older database that it does not know',
      balanced: later,
      async breaks() {
        faults.dropConnections();
        faults.restore(old);
        await sleep(1_000);
        faults.clear();
      },
      isRight: () => isPaired({ stage }, later),
    });
    told.push(tellMended([mended]));
    await until('nothing is open', async () => (await stage.site.db('trouble').select('cause')).length === 0);
  });
  expect(await wiredPorts(stage, later)).toEqual(ports);
  const { loadbalancer } = await stage.site.api('GET', `/v2/lbaas/loadbalancers/${later.id}`);
  expect(contrail().store.get(VMI, loadbalancer.vip_port_id)).toBeDefined();
  expect(loadbalancer.vip_address).toBe(later.vip);
  expect(all()).toEqual(before);
});

/** A load balancer in a network of its own, whose engines need sessions there that they do not get before `mends`. */
async function madeLate(index: number, mends: () => void): Promise<void> {
  const { site, members } = stage;
  const before = all();
  const failed = await count('ENGINE_VNIC_FAILED');
  const network = await site.cloud.addNetwork(`late-${index}`, [`10.20.${index}.0/24`]);
  const vip = { vip_subnet_id: network.subnetIds[0] };
  const mode = { vip_mode: 'bgp', isFloating: false } as const;
  // Its end is an error meanwhile, and heals.
  const made = balance(stage, { mode, vip, members: members.slice(0, 1) }).catch(() => undefined);
  await until('it is told', async () => (await count('ENGINE_VNIC_FAILED')) > failed);
  mends();
  await made;
  const row: { load_balancer_id: string } = await site.db('vip').where({ network_id: network.id }).first();
  const { load_balancer_id: id } = row;
  await until('it is made', async () => {
    const { loadbalancer } = await site.api('GET', `/v2/lbaas/loadbalancers/${id}`);
    return loadbalancer.provisioning_status === 'ACTIVE';
  });
  expect(all()['bgp-as-a-service']).toBe((before['bgp-as-a-service'] ?? 0) + 1);
  // One for each engine, the second of which may be later than what is served, and the network's own.
  await until('it has all sessions', async () => all()['bgp-router'] === (before['bgp-router'] ?? 0) + 3);
  await remove(stage, [id]);
  await until('its service is gone', async () => all()['bgp-as-a-service'] === before['bgp-as-a-service']);
  expect((await count('ENGINE_VNIC_FAILED')) - failed).toBeLessThanOrEqual(2);
}

it('harms nobody but who needs a new session while the schema transformer stands still, and makes up for it', () =>
  unharmed('the schema transformer stopped, till a change that waited for it was made and undone', async () => {
    contrail().faults.transformerStopped = true;
    await madeLate(1, () => contrail().faults.clear());
  }));

it('harms nobody but who needs a new session while none is free, and makes up for it', () =>
  unharmed('no session of BGP free, till a change that waited for one was made and undone', async () => {
    contrail().faults.noFreeBgpPort = true;
    await madeLate(2, () => contrail().faults.clear());
  }));
