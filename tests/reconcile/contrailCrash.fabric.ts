import { HINTS_TOPIC } from '../../driver/bus/port';
import type { LoadBalancerParts } from '../../driver/reconcile/loadBalancerRun';
import { reconcileLoadBalancer } from '../../driver/reconcile/loadBalancerUnit';
import { createPairWriter } from '../../driver/reconcile/pairWriter';
import { type ContrailLab, startContrailLab } from '../support/contrailLab';

/** A worker dies right after Contrail has done what it was asked. Another one comes and brings all to the same end. */
class Crash extends Error {}

jest.setTimeout(300_000);

const EXPIRED = '2020-01-01 00:00:00.000';

/** Parts of a worker that dies after the `fatal`-th call to Contrail; `life.calls` says how many it made. */
function mortal(lab: ContrailLab, fatal: number): { parts: LoadBalancerParts; life: { calls: number } } {
  const life = { calls: 0 };
  const driver = new Proxy(lab.wiring.driver, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        if (life.calls >= fatal) throw new Crash();
        const result: unknown = await Reflect.apply(value, target, args);
        life.calls += 1;
        if (life.calls === fatal) throw new Crash();
        return result;
      };
    },
  });
  const pairs = createPairWriter(lab.db, driver);
  const contrail = { ...lab.wiring, driver, pairs, seenServices: new Map(), seenWiring: new Map() };
  return { parts: lab.parts({ contrail, db: lab.db }), life };
}

async function driveToEnd(lab: ContrailLab, id: string, first: LoadBalancerParts): Promise<void> {
  let worker = first;
  for (let turn = 0; turn < 40; turn += 1) {
    await reconcileLoadBalancer(worker, id);
    await lab.runEngine(worker);
    await new Promise((resolve) => setTimeout(resolve, 1));
    await lab.health.answerAgain(lab.engineId, id);
    const { generation, settled_generation } = await lab.row(id);
    if (Number(generation) === Number(settled_generation)) return;
    // The next one is alive.
    if (turn === 6) worker = lab.parts();
    for (const table of ['load_balancer', 'service_engine', 'service_engine_group']) {
      await lab.db(table).update({ lease_until: EXPIRED });
    }
  }
  throw new Error('it did not come to an end');
}

type Scene = { readonly mode: 'aap' | 'bgp'; readonly act: 'create' | 'delete' };

async function play({ mode, act }: Scene, fatal: number) {
  const lab = await startContrailLab({ settle: 5 });
  try {
    Object.assign(lab.wiring, { routerPatience: { wait: 400, lookAfter: 5, pause: 20 } });
    await lab.bus.subscribe(HINTS_TOPIC, () => undefined);
    const external = await lab.newNetwork('203.0.113.0/24', { 'router:external': true });
    const flavorId = await lab.newFlavor({ vip_mode: mode, floating_network: external.networkId });
    const before = lab.contrail.store.count();
    const lb = await lab.createLoadBalancer({ flavorId });
    if (act === 'delete') {
      await driveToEnd(lab, lb.id, lab.parts());
      await lab.startDelete(lb.id);
    }
    const { parts, life } = mortal(lab, fatal);
    await driveToEnd(lab, lb.id, parts);
    // What the load balancer needs no more is the engine's to take away.
    if (act === 'delete') for (let turn = 0; turn < 4; turn += 1) await settleEngine(lab);
    return { end: await describeEnd(lab, before), calls: life.calls };
  } finally {
    await lab.close();
  }
}

async function settleEngine(lab: ContrailLab): Promise<void> {
  for (const table of ['service_engine', 'service_engine_group']) await lab.db(table).update({ lease_until: EXPIRED });
  await lab.runEngine(lab.parts());
}

async function describeEnd({ contrail, db, portOf, pairsOf, engineId }: ContrailLab, before: Record<string, number>) {
  const { store } = contrail;
  const [fip] = store.list('floating-ip');
  const ours = ['floating-ip', 'bgp-as-a-service', 'virtual-machine-interface', 'instance-ip'];
  return {
    status: await db('load_balancer').pluck('provisioning_status'),
    more: ours.map((type) => (store.count()[type] ?? 0) - (before[type] ?? 0)),
    pairs: pairsOf(await portOf(engineId)).map(({ mode }) => mode),
    links: fip?.refs['virtual-machine-interface']?.length ?? 0,
    members: store.list('bgp-as-a-service').flatMap(({ refs }) => refs['virtual-machine-interface'] ?? []).length,
    wiring: await db('vip_wiring').pluck('mode'),
    services: (await db('bgp_service')).length,
  };
}

it.each<[Scene, object]>([
  [
    { mode: 'aap', act: 'create' },
    { status: ['ACTIVE'], pairs: ['active-active'], links: 2, wiring: ['aap'] },
  ],
  [
    { mode: 'bgp', act: 'create' },
    { status: ['ACTIVE'], pairs: [], links: 2, members: 1, wiring: ['bgp'] },
  ],
  [
    { mode: 'aap', act: 'delete' },
    { status: ['DELETED'], more: [0, 0, 0, 0], wiring: [] },
  ],
  [
    { mode: 'bgp', act: 'delete' },
    { status: ['DELETED'], more: [0, 0, 0, 0], wiring: [], services: 0 },
  ],
])(
  'a worker that dies during %j leaves nothing that the next one does not bring to the same end',
  async (scene, expected) => {
    const { end, calls } = await play(scene, Number.POSITIVE_INFINITY);
    expect(end).toMatchObject(expected);
    expect(calls).toBeGreaterThan(2);
    for (let fatal = 1; fatal <= calls; fatal += 1) {
      expect({ fatal, end: (await play(scene, fatal)).end }).toEqual({ fatal, end });
    }
  },
);
