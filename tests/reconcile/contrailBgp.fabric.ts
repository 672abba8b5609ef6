import { HINTS_TOPIC } from '../../driver/bus/port';
import { findEngineNetworks } from '../../driver/db/engineNetworks';
import { createSealer } from '../../driver/domain/sealing';
import { buildEngineSpec } from '../../driver/target/engineSpec';
import { CONTRAIL_SETTINGS, type ContrailLab, startContrailLab } from '../support/contrailLab';
import { waitUntil } from '../support/wait';

jest.setTimeout(120_000);

let lab: ContrailLab;
afterEach(() => lab.close());

const BGPAAS = 'bgp-as-a-service';
const VMI = 'virtual-machine-interface';
const WAIT = 30_000;

async function openTwo(options: Parameters<typeof startContrailLab>[0] = {}): Promise<[string, string]> {
  lab = await startContrailLab({ group: { maxEngines: 2, minScaleout: 2, hostRedundancy: false }, ...options });
  const second = await lab.newEngine();
  await lab.start();
  return [lab.engineId, second];
}

async function announced(): Promise<string> {
  const flavorId = await lab.newFlavor({ vip_mode: 'bgp' });
  const { id } = await lab.createLoadBalancer({ flavorId });
  await lab.hint(id);
  return id;
}

const membersOf = (service: { refs: Readonly<Record<string, readonly { uuid: string }[]>> } | undefined) =>
  (service?.refs[VMI] ?? []).map(({ uuid }) => uuid).sort();

it('engines join one service of BGP of their group and network, before the load balancer is ACTIVE', async () => {
  const engines = await openTwo();
  const id = await announced();
  await lab.reaches(id, 'ACTIVE');
  const services = lab.contrail.store.list(BGPAAS);
  expect(services).toHaveLength(1);
  expect(services[0]?.properties).toMatchObject({
    autonomous_system: 65_100,
    bgpaas_shared: false,
    bgpaas_session_attributes: { hold_time: 9, address_families: { family: ['inet', 'inet6'] } },
  });
  const ports = [await lab.portOf(engines[0]), await lab.portOf(engines[1])];
  expect(membersOf(services[0])).toEqual([...ports].sort());
  for (const port of ports) {
    expect(lab.contrail.store.get(VMI, port)?.refs['bgp-router']).toHaveLength(1);
    expect(lab.pairsOf(port)).toEqual([]);
  }
  expect(await lab.db('vip_wiring').pluck('mode')).toEqual(['bgp', 'bgp']);
});

it('a second load balancer needs nothing more, and with the last one the service goes', async () => {
  await openTwo();
  const before = lab.contrail.store.count();
  const [first, second] = [await announced(), await announced()];
  await lab.reaches(first, 'ACTIVE');
  await lab.reaches(second, 'ACTIVE');
  expect(lab.contrail.store.list(BGPAAS)).toHaveLength(1);

  await lab.startDelete(first);
  await lab.hint(first);
  await lab.reaches(first, 'DELETED');
  expect(membersOf(lab.contrail.store.list(BGPAAS)[0])).toHaveLength(2);
  await lab.startDelete(second);
  await lab.hint(second);
  await lab.reaches(second, 'DELETED');
  await waitUntil('the service is gone', WAIT, () => lab.contrail.store.list(BGPAAS).length === 0);
  await waitUntil('its row is gone', WAIT, async () => (await lab.db('bgp_service')).length === 0);
  expect(before[BGPAAS]).toBeUndefined();
});

it('an engine is told where its control nodes are, as the network says', async () => {
  const [engine] = await openTwo();
  await lab.reaches(await announced(), 'ACTIVE');
  await waitUntil('its place is known', WAIT, async () => {
    const known = await lab.db('se_vnic').where({ service_engine_id: engine }).whereNotNull('facts');
    return known.length > 0;
  });
  const networks = await findEngineNetworks(lab.db, engine);
  const spec = buildEngineSpec(networks?.vnics ?? [], 1, networks?.sessions);
  const peer = { remoteAs: 64_512, md5Secret: null, bfd: true };
  expect(spec.domains[0]?.bgp).toMatchObject({
    ...{ localAs: 65_100, keepalive: 3, hold: 9 },
    peers: [
      { ...peer, address: '10.60.0.1' },
      { ...peer, address: '10.60.0.2' },
    ],
  });
});

it('an AS that is the cloud’s is refused with the reason', async () => {
  const bgp = { ...CONTRAIL_SETTINGS.bgp, localAs: 64_512 };
  await openTwo({ settings: { bgp } });
  const id = await announced();
  await lab.reaches(id, 'ERROR');
  expect(await lab.db('event').where({ load_balancer_id: id }).pluck('message')).toContainEqual(
    expect.stringContaining("is the AS of Contrail's control nodes"),
  );
  expect(lab.contrail.store.list(BGPAAS)).toEqual([]);
});

it('a port that joined too soon after it was made is taken out and put in again', async () => {
  // As long as the recorded one, so that a fresh port is too fresh.
  await openTwo({ settle: 400 });
  // To leave and join at once does not help, there as here.
  Object.assign(lab.wiring, { routerPatience: { wait: 2_000, lookAfter: 20, pause: 900 } });
  const id = await announced();
  await waitUntil('it is ACTIVE', WAIT, async () => (await lab.row(id)).provisioning_status === 'ACTIVE');
  const ports = lab.contrail.store.list(BGPAAS).flatMap(membersOf);
  for (const port of ports) expect(lab.contrail.store.get(VMI, port)?.refs['bgp-router']).toHaveLength(1);
});

it('that no session is left in the cloud is told, and it comes right when there is one', async () => {
  await openTwo();
  lab.contrail.faults.noFreeBgpPort = true;
  const id = await announced();
  await waitUntil('it is in ERROR', WAIT, async () => (await lab.row(id)).provisioning_status === 'ERROR');
  const messages = await lab.db('event').where({ load_balancer_id: id }).pluck('message');
  expect(messages).toContainEqual(expect.stringContaining('gets no BGP router'));
  lab.contrail.faults.noFreeBgpPort = false;
  await waitUntil('it is ACTIVE', WAIT, async () => (await lab.row(id)).provisioning_status === 'ACTIVE');
});

it('an engine that goes leaves the service before its port is deleted', async () => {
  const [first, second] = await openTwo();
  const id = await announced();
  await lab.reaches(id, 'ACTIVE');
  const [gone, stays] = [await lab.portOf(first), await lab.portOf(second)];
  await lab.db('service_engine').where({ id: first }).update({ deleting: 1, status: 'DOWN', connected_to: null });
  await lab.bus.publish(HINTS_TOPIC, { method: 'engine', args: { id: first } });
  await waitUntil(
    'the engine is gone',
    WAIT,
    async () => (await lab.db('service_engine').where({ id: first })).length === 0,
  );
  expect(lab.contrail.store.get(VMI, gone)).toBeUndefined();
  expect(membersOf(lab.contrail.store.list(BGPAAS)[0])).toEqual([stays]);
});

it('the sessions of a group that is to have one share a secret, sealed in the row', async () => {
  const bgp = { ...CONTRAIL_SETTINGS.bgp, md5Groups: ['secret'] };
  lab = await startContrailLab({ settings: { bgp } });
  await lab.db('service_engine_group').update({ name: 'secret' });
  Object.assign(lab.wiring, { sealer: createSealer(['passphrase of the test']) });
  await lab.start();
  await lab.reaches(await announced(), 'ACTIVE');
  const [service] = lab.contrail.store.list(BGPAAS);
  const attributes = service?.properties['bgpaas_session_attributes'] as unknown;
  const key = (attributes as { auth_data: { key_items: { key: string }[] } }).auth_data.key_items[0]?.key;
  const [sealed] = await lab.db('bgp_service').pluck('md5_secret');
  expect(key).toMatch(/^[\w-]{20,}$/);
  expect(sealed).not.toContain(key);
});
