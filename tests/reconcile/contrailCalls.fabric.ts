import { type ContrailLab, startContrailLab } from '../support/contrailLab';
import { waitUntil } from '../support/wait';

jest.setTimeout(600_000);

let lab: ContrailLab;
afterEach(() => lab.close());

/** Milliseconds that are never needed: hundreds of load balancers, on a machine with other things to do. */
const WAIT = 240_000;
const MODES = ['aap', 'aap with floating IP', 'bgp', 'bgp with floating IP'] as const;
type Mode = (typeof MODES)[number];

/** Load balancers on two engines that are warm: one is there already. */
async function openWarm(mode: Mode): Promise<Warm> {
  lab = await startContrailLab({ group: { maxEngines: 2, minScaleout: 2, hostRedundancy: false } });
  await lab.newEngine();
  await lab.start();
  const external = await lab.newNetwork('203.0.113.0/24', { 'router:external': true });
  const flavorId = await lab.newFlavor({
    vip_mode: mode.startsWith('bgp') ? 'bgp' : 'aap',
    ...(mode.includes('floating') && { floating_network: external.networkId }),
  });
  const { store } = lab.contrail;
  const isWhole = () => store.list('route-target').length === store.list('virtual-network').length;
  await waitUntil('the schema transformer has seen the networks', WAIT, isWhole);
  const empty = store.count();
  const { id } = await lab.createLoadBalancer({ flavorId });
  await lab.hint(id);
  await reaches(id, 'ACTIVE');
  await idle();
  lab.takeRequests();
  return { flavorId, id, empty };
}

interface Warm {
  readonly flavorId: string;
  /** The one that is there. */
  readonly id: string;
  /** Objects before it. */
  readonly empty: Readonly<Record<string, number>>;
}

const reaches = (id: string, status: string) =>
  waitUntil(`${id} is ${status}`, WAIT, async () => (await lab.row(id)).provisioning_status === status);

/** Looks in a row after which nothing is to come: looks and not seconds, since all of it shares one process. */
const QUIET = 10;

/** Nobody has anything to do, and nobody has asked anything for a while. */
async function idle(): Promise<void> {
  let calls = -1;
  let quiet = 0;
  await waitUntil('all is settled', WAIT, async () => {
    const leases = await Promise.all(UNITS.map((unit) => lab.db(unit).whereNotNull('lease_owner')));
    const work = await Promise.all(UNITS.map((unit) => lab.db(unit).whereRaw('generation <> settled_generation')));
    const isQuiet =
      lab.busy() + leases.flat().length + work.flat().length === 0 && lab.contrail.requests.length === calls;
    calls = lab.contrail.requests.length;
    quiet = isQuiet ? quiet + 1 : 0;
    return quiet === QUIET;
  });
}

const UNITS = ['service_engine', 'load_balancer'];

const sorted = (requests: readonly string[]) => requests.map((it) => it.replace(/[0-9a-f-]{36}/g, 'ID')).sort();

const PAIRS = [
  'GET /virtual-machine-interfaces',
  'GET /virtual-machine-interfaces',
  'PUT /virtual-machine-interface/ID',
  'PUT /virtual-machine-interface/ID',
];
const LOOK = ['GET /floating-ips'];
/** The names of the ports are what a new object has to give besides their ids. */
const ALLOCATE = ['GET /virtual-machine-interfaces', 'POST /floating-ips'];

it.each<[Mode, readonly string[]]>([
  ['aap', [...PAIRS, ...LOOK]],
  ['aap with floating IP', [...PAIRS, ...LOOK, ...ALLOCATE]],
  ['bgp', LOOK],
  ['bgp with floating IP', [...LOOK, ...ALLOCATE]],
])('a load balancer in mode %s on two warm engines costs as few calls as it can', async (mode, expected) => {
  const { flavorId } = await openWarm(mode);
  const { id } = await lab.createLoadBalancer({ flavorId });
  await lab.hint(id);
  await reaches(id, 'ACTIVE');
  await idle();
  expect(sorted(lab.takeRequests())).toEqual([...expected].sort());
});

it.each(MODES)('load balancers in mode %s that come and go leave nothing behind', async (mode) => {
  const count = Number(process.env['CONTRAIL_LOAD_BALANCERS'] ?? 12);
  const { flavorId, id: first, empty } = await openWarm(mode);
  const before = lab.contrail.store.count();
  const made = await Promise.all(Array.from({ length: count }, () => lab.createLoadBalancer({ flavorId })));
  await Promise.all(made.map(({ id }) => lab.hint(id)));
  for (const { id } of made) await reaches(id, 'ACTIVE');
  for (const { id } of made) await lab.startDelete(id);
  await Promise.all(made.map(({ id }) => lab.hint(id)));
  for (const { id } of made) await reaches(id, 'DELETED');
  await idle();
  expect(lab.contrail.store.count()).toEqual(before);
  for (const row of await lab.db('service_engine').select('id')) {
    expect(lab.pairsOf(await lab.portOf(row.id))).toHaveLength(mode.startsWith('aap') ? 1 : 0);
  }

  // With the last one of a network and group go the engines' ports, and what these had.
  await lab.startDelete(first);
  await lab.hint(first);
  await reaches(first, 'DELETED');
  await idle();
  // The schema transformer keeps the router at its own end of sessions as long as there is the network.
  expect(lab.contrail.store.count()).toEqual({ ...empty, ...(mode.startsWith('bgp') && { 'bgp-router': 1 }) });
});
