import { ipBatch, runIn } from '../../devstack/lab/hosts/shell';
import { waitUntil } from '../support/wait';
import { type Fabric, openFabric } from './support/fabric';
import { type HandMachine, startMachine } from './support/handMachines';
import {
  addFloatingIp,
  addNetwork,
  createHandStore,
  type HandNetwork,
  type HandStore,
  setPairs,
} from './support/handStore';
import { ask, keepAsking, startAnswering } from './support/traffic';

const VIP = '10.1.0.100';
const VIP6 = '2001:db8:1::100';

interface Stage {
  readonly store: HandStore;
  readonly fabric: Fabric;
  readonly tenant: HandNetwork;
  readonly outside: HandNetwork;
  readonly client: string;
  readonly engines: readonly HandMachine[];
}

let fabric: Fabric;
let stage: Stage;

beforeAll(async () => {
  const store = createHandStore();
  fabric = await openFabric({ store });
  const tenant = addNetwork(store, 'tenant', ['10.1.0.', '2001:db8:1::']);
  const outside = addNetwork(store, 'outside', ['198.51.100.', '2001:db8:ff::']);
  const engines: HandMachine[] = [];
  for (const [index, host] of ['compute-1', 'compute-2', 'compute-1'].entries()) {
    const addresses = [`10.1.0.1${index}`, `2001:db8:1::1${index}`] as const;
    engines.push(await startMachine({ fabric, store }, { network: tenant, label: `e${index}`, host, addresses }));
  }
  for (const [index, { machine }] of engines.entries()) {
    await ipBatch(machine, [`address add ${VIP}/32 dev lo`, `address add ${VIP6}/128 dev lo nodad`]);
    await startAnswering(machine, `e${index}`, 80, ['::']);
  }
  const { machine: client } = await startMachine(
    { fabric, store },
    { network: tenant, label: 'client', host: 'compute-2', addresses: ['10.1.0.50', '2001:db8:1::50'] },
  );
  stage = { store, fabric, tenant, outside, client, engines };
});

afterAll(async () => {
  await fabric?.close();
});

async function pair(engines: readonly HandMachine[], mode = 'active-active'): Promise<void> {
  const { store, fabric } = stage;
  for (const { id } of stage.engines) setPairs(store, id, [], mode);
  for (const { id } of engines) setPairs(store, id, [VIP, VIP6], mode);
  await fabric.settled();
}

async function add(engines: readonly HandMachine[]): Promise<void> {
  for (const { id } of engines) setPairs(stage.store, id, [VIP, VIP6]);
  await stage.fabric.settled();
}

const shares = (answers: Readonly<Record<string, number>>) => Object.keys(answers).sort();

it.each([
  ['IPv4', `http://${VIP}/`],
  ['IPv6', `http://[${VIP6}]/`],
])('spreads the flows of an address pair over two engines and then three, by %s', async (_family, url) => {
  const { engines, client } = stage;
  await pair(engines.slice(0, 2));
  const two = await ask(client, { url, requests: 120, parallel: 4 });

  await pair(engines);
  const three = await ask(client, { url, requests: 240, parallel: 4 });

  expect([two.failures, three.failures]).toEqual([[], []]);
  expect(shares(two.answers)).toEqual(['e0', 'e1']);
  expect(shares(three.answers)).toEqual(['e0', 'e1', 'e2']);
  expect(Math.min(...Object.values(two.answers))).toBeGreaterThan(25);
  expect(Math.min(...Object.values(three.answers))).toBeGreaterThan(20);
});

it('leaves connections where they are when an engine joins', async () => {
  const { engines, client } = stage;
  await pair(engines.slice(0, 2));
  const asking = keepAsking(client, { url: `http://${VIP}/`, parallel: 12, keepAlive: true });
  await asking.begun;
  await add(engines);
  await ask(client, { url: `http://${VIP}/`, requests: 60, parallel: 4 });

  const { failures, answers } = await asking.stop();

  expect(failures).toEqual([]);
  expect(shares(answers)).toEqual(['e0', 'e1']);
});

it('takes nothing from an address that an engine has no pair for', async () => {
  const { engines, client } = stage;
  await pair(engines.slice(0, 1));
  const [, second] = engines;
  await runIn(second?.machine ?? '', 'ping', ['-c', '1', '-W', '2', '10.1.0.50']);

  await expect(runIn(second?.machine ?? '', 'ping', ['-c', '1', '-W', '1', '-I', VIP, '10.1.0.50'])).rejects.toThrow();
  expect(shares((await ask(client, { url: `http://${VIP}/`, requests: 20 })).answers)).toEqual(['e0']);
});

it('follows the engine that announces itself last in an active-standby pair', async () => {
  const { engines, client } = stage;
  const [first, second] = engines;
  await runIn(second?.machine ?? '', 'ip', ['address', 'del', `${VIP}/32`, 'dev', 'lo']);
  await pair(engines.slice(0, 2), 'active-standby');
  const answering = async () => shares((await ask(client, { url: `http://${VIP}/`, timeout: 500 })).answers).join();
  await waitUntil('the first engine has it', 30_000, async () => (await answering()) === 'e0');

  await ipBatch(second?.machine ?? '', [`address add ${VIP}/32 dev lo`]);
  await ipBatch(first?.machine ?? '', [`address del ${VIP}/32 dev lo`]);
  await announce(second?.machine ?? '');

  await waitUntil('the second engine has it', 30_000, async () => (await answering()) === 'e1');
  await ipBatch(first?.machine ?? '', [`address add ${VIP}/32 dev lo`]);
});

/** Asks for somebody with the VIP as its own address: that is ARP from it. */
async function announce(machine: string): Promise<void> {
  await runIn(machine, 'ip', ['neigh', 'flush', 'all']);
  await runIn(machine, 'ping', ['-c', '1', '-W', '1', '-I', VIP, '10.1.0.1']).catch(() => undefined);
}

describe('a floating IP', () => {
  const FLOATING = '198.51.100.60';
  const FLOATING6 = '2001:db8:ff::60';
  let outsider: string;
  let ids: string[];

  beforeAll(async () => {
    const { store, fabric, outside, engines } = stage;
    await pair(engines);
    ids = [
      addFloatingIp(store, outside, { address: FLOATING, fixed: VIP, interfaces: engines }),
      addFloatingIp(store, outside, { address: FLOATING6, fixed: VIP6, interfaces: engines }),
    ];
    outsider = await fabric.machine('outsider');
    await fabric.plugOutside(outside.id, {
      namespace: outsider,
      addresses: ['203.0.113.5/24', '2001:db8:cc::5/64'],
      gateways: ['203.0.113.1/24', '2001:db8:cc::1/64'],
    });
  });

  it.each([
    ['IPv4', `http://${FLOATING}/`, '203.0.113.5'],
    ['IPv6', `http://[${FLOATING6}]/`, '2001:db8:cc::5'],
  ])('is spread over all engines with the pair, which see the client, by %s', async (_family, url, own) => {
    await stage.fabric.settled();
    const { answers, failures, from } = await ask(outsider, { url, requests: 240, parallel: 4 });

    expect(failures).toEqual([]);
    expect(shares(answers)).toEqual(['e0', 'e1', 'e2']);
    expect(Object.keys(from).map((one) => one.replace('::ffff:', ''))).toEqual([own]);
  });

  it('leaves an engine with its reference, and with the pair', async () => {
    const { store, fabric, engines } = stage;
    const [first, second, third] = engines.map(({ id }) => ({ uuid: id }));
    store.change('floating-ip', ids[0] ?? '', { virtual_machine_interface_refs: [first, second] });
    await fabric.settled();
    const less = await ask(outsider, { url: `http://${FLOATING}/`, requests: 60, parallel: 4 });
    store.change('floating-ip', ids[0] ?? '', { virtual_machine_interface_refs: [first, second, third] });
    await pair(engines.slice(0, 1));
    const least = await ask(outsider, { url: `http://${FLOATING}/`, requests: 30, parallel: 4 });

    expect([less.failures, least.failures]).toEqual([[], []]);
    expect(shares(less.answers)).toEqual(['e0', 'e1']);
    expect(shares(least.answers)).toEqual(['e0']);
  });
});

it('withdraws the routes of an engine whose health check has no answer, within the time the check allows', async () => {
  const { store, fabric, engines, client } = stage;
  await pair(engines.slice(0, 2));
  const check = store.put('service-health-check', {
    service_health_check_properties: {
      ...{ enabled: true, health_check_type: 'link-local', monitor_type: 'PING' },
      ...{ delay: 0, delayUsecs: 100_000, timeout: 0, timeoutUsecs: 100_000, max_retries: 2 },
    },
  });
  for (const { id } of engines) {
    store.change('virtual-machine-interface', id, { service_health_check_refs: [{ uuid: check }] });
  }
  await fabric.settled();
  const spread = async () =>
    shares((await ask(client, { url: `http://${VIP}/`, requests: 30, timeout: 1000 })).answers);
  await waitUntil('both have answered', 30_000, async () => (await spread()).join() === 'e0,e1');
  const asking = keepAsking(client, { url: `http://${VIP}/`, parallel: 4, timeout: 300 });
  await asking.begun;
  const from = Date.now();
  await ipBatch(engines[1]?.machine ?? '', ['link set eth0 down']);
  await waitUntil('the first has all', 30_000, async () => (await spread()).join() === 'e0');
  const { failures } = await asking.stop();

  expect(failures.length).toBeGreaterThan(0);
  expect(Math.max(...failures.map(({ at }) => at)) - from).toBeLessThan(1_500);
});
