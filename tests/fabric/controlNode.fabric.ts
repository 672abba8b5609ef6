import { ipBatch } from '../../devstack/lab/hosts/shell';
import { waitUntil } from '../support/wait';
import { startBird } from './support/bird';
import { type Fabric, openFabric } from './support/fabric';
import { type HandMachine, startMachine } from './support/handMachines';
import { addNetwork, createHandStore, type HandNetwork, type HandStore } from './support/handStore';
import { ask, startAnswering } from './support/traffic';

const VIP = '10.2.0.100';
const VIP6 = '2001:db8:2::100';
const PATIENCE = 60_000;

let fabric: Fabric;
let store: HandStore;
let network: HandNetwork;
let client: HandMachine;
const running: { stop(): void }[] = [];
let count = 0;

beforeAll(async () => {
  store = createHandStore();
  fabric = await openFabric({ store });
  network = addNetwork(store, 'tenant', ['10.2.0.', '2001:db8:2::']);
  const addresses = ['10.2.0.50', '2001:db8:2::50'] as const;
  client = await startMachine({ fabric, store }, { network, label: 'client', host: 'compute-2', addresses });
});

afterEach(async () => {
  for (const one of running.splice(0)) one.stop();
  for (const type of ['bgp-as-a-service', 'bgp-router']) {
    for (const one of store.list(type)) store.remove(type, String(Reflect.get(one, 'uuid')));
  }
  await fabric.settled();
});

afterAll(async () => {
  await fabric?.close();
});

async function startEngine(host: string): Promise<HandMachine> {
  count += 1;
  const addresses = [`10.2.0.1${count}`, `2001:db8:2::1${count}`] as const;
  const engine = await startMachine({ fabric, store }, { network, label: `e${count}`, host, addresses });
  await ipBatch(engine.machine, [`address add ${VIP}/32 dev lo`, `address add ${VIP6}/128 dev lo nodad`]);
  running.push(await startAnswering(engine.machine, `e${count}`, 80, ['::']));
  return engine;
}

/** As the schema transformer does it: a router for each interface. */
function addService(engines: readonly HandMachine[], autonomousSystem: number, md5?: string): void {
  store.put('bgp-as-a-service', {
    autonomous_system: autonomousSystem,
    bgpaas_session_attributes: {
      hold_time: 9,
      ...(md5 !== undefined && { auth_data: { key_type: 'md5', key_items: [{ key_id: 0, key: md5 }] } }),
    },
    virtual_machine_interface_refs: engines.map(({ id }) => ({ uuid: id })),
  });
  for (const [index, { id, addresses }] of engines.entries()) {
    const router = store.put('bgp-router', {
      bgp_router_parameters: { address: addresses[0], source_port: 50_000 + count * 10 + index },
    });
    store.change('virtual-machine-interface', id, { bgp_router_refs: [{ uuid: router }] });
  }
}

function speak({ machine, addresses }: HandMachine, localAs: number, md5?: string) {
  const [address = '', address6 = ''] = addresses;
  const peers = ['10.2.0.1', '10.2.0.2'].map((one) => ({ address: one, as: 64512, ...(md5 !== undefined && { md5 }) }));
  const bird = startBird(machine, { localAs, address, address6, peers, prefixes: [`${VIP}/32`, `${VIP6}/128`] });
  running.push(bird);
  return bird;
}

const states = async ({ id }: HandMachine) => (await fabric.controlNodes.sessionsOf(id)).join();
const UP = 'ESTABLISHED,ESTABLISHED';
const URL4 = `http://${VIP}/`;
const URL6 = `http://[${VIP6}]/`;
const answering = async (url = URL4): Promise<string> =>
  Object.keys((await ask(client.machine, { url, requests: 60, parallel: 2, timeout: 500 })).answers)
    .sort()
    .join();

it('spreads a prefix that engines on two computes announce over both, and takes it back with the session', async () => {
  const one = await startEngine('compute-1');
  const labelOfOne = `e${count}`;
  const two = await startEngine('compute-2');
  const labelOfTwo = `e${count}`;
  addService([one, two], 65_001);
  const first = speak(one, 65_001);
  speak(two, 65_001);

  await waitUntil(
    'four sessions are up',
    PATIENCE,
    async () => `${await states(one)} ${await states(two)}` === `${UP} ${UP}`,
  );
  for (const url of [URL4, URL6]) {
    await waitUntil(
      `both answer ${url}`,
      PATIENCE,
      async () => (await answering(url)) === `${labelOfOne},${labelOfTwo}`,
    );
  }
  first.stop();

  await waitUntil('the other has all', PATIENCE, async () => (await answering()) === labelOfTwo);
});

it('uses one of two engines on one compute, which have one route distinguisher', async () => {
  const one = await startEngine('compute-1');
  const label = `e${count}`;
  const two = await startEngine('compute-1');
  addService([one, two], 65_001);
  for (const engine of [one, two]) speak(engine, 65_001);

  await waitUntil(
    'all sessions are up',
    PATIENCE,
    async () => `${await states(one)} ${await states(two)}` === `${UP} ${UP}`,
  );
  await waitUntil('an engine answers', PATIENCE, async () => (await answering()) !== '');

  expect(await answering()).toBe(label);
});

it('lets no session with a secret come up behind translation, and the same session without one', async () => {
  const engine = await startEngine('compute-1');
  addService([engine], 65_001, 'secret');
  const bird = speak(engine, 65_001, 'secret');
  const other = await startEngine('compute-2');
  // The session of an engine without a secret tells that enough time has passed.
  addService([other], 65_001);
  speak(other, 65_001);
  await waitUntil('the other session is up', PATIENCE, async () => (await states(other)) === UP);

  expect(await states(engine)).not.toContain('ESTABLISHED');
  bird.stop();
  const service = store.list('bgp-as-a-service').map((one) => String(Reflect.get(one, 'uuid')))[0] ?? '';
  store.change('bgp-as-a-service', service, { bgpaas_session_attributes: { hold_time: 9 } });
  speak(engine, 65_001);

  await waitUntil('the session is up', PATIENCE, async () => (await states(engine)) === UP);
});

it('has no session with an engine of its own AS', async () => {
  const inner = await startEngine('compute-1');
  const outer = await startEngine('compute-2');
  addService([inner], 64_512);
  addService([outer], 65_001);
  speak(inner, 64_512);
  speak(outer, 65_001);

  await waitUntil('the eBGP session is up', PATIENCE, async () => (await states(outer)) === UP);

  expect(await states(inner)).toBe('NONE,NONE');
});
