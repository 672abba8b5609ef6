import { openEmbeddedNetwork } from '../../driver/clouds/network/memory';
import { ENGINE_PORT_OWNER, type NetworkDriver, VIP_PORT_OWNER, vipPortNames } from '../../driver/clouds/network/port';
import { SEED_IDS, seedNetworks } from '../../driver/clouds/network/seed';
import { createMemoryStore } from '../../driver/clouds/network/store';
import type { Db } from '../../driver/db/connect';
import type { LoadBalancerParts } from '../../driver/reconcile/loadBalancerRun';
import { reconcileLoadBalancer } from '../../driver/reconcile/loadBalancerUnit';
import { openTestDatabase } from '../support/database';
import { createFakeCompute } from '../support/fakeCompute';
import { type Lab, startLab } from '../support/reconciler';
import { insertListener, insertLoadBalancer, insertMember, insertPool } from '../support/rows';

/**
 * A worker dies at a certain point: before a step, or right after a cloud has done what it was asked. From then on it
 * does nothing at all. Another one comes, finds the lease expired, and must bring everything to the same end.
 */
class Crash extends Error {}

const ADDRESS = '127.80.0.77';
const LB = '11111111-2222-4333-8444-555555555555';

interface Stage {
  /** Servers take ports, and the load balancer has a member in another network. */
  readonly plugs: boolean;
  readonly db: Db;
  readonly lab: Lab;
  readonly network: NetworkDriver;
}

async function setStage(plugs: boolean): Promise<Stage> {
  const db = await openTestDatabase();
  const { driver, model } = await openEmbeddedNetwork({ store: createMemoryStore() });
  await seedNetworks(model, { projectId: 'service' });
  const lab = await startLab(db, { network: driver, ...(plugs && { compute: createFakeCompute({ plugs }) }) });
  const port = await driver.createPort({
    ...vipPortNames(LB),
    projectId: 'project-1',
    networkId: SEED_IDS.localNetwork,
    fixedIps: [{ subnetId: SEED_IDS.localSubnet, ipAddress: ADDRESS }],
    deviceOwner: VIP_PORT_OWNER,
    adminStateUp: false,
  });
  const vip = {
    ip_address: ADDRESS,
    port_id: port.id,
    subnet_id: SEED_IDS.localSubnet,
    network_id: SEED_IDS.localNetwork,
  };
  await insertLoadBalancer(
    db,
    {
      id: LB,
      provisioning_status: 'PENDING_CREATE',
      generation: 1,
      settled_generation: 0,
      pending_deadline: '2099-01-01 00:00:00.000',
    },
    vip,
  );
  await insertListener(db, { id: 'listener-1', load_balancer_id: LB, provisioning_status: 'PENDING_CREATE' });
  if (plugs) {
    await insertPool(db, { id: 'pool-1', load_balancer_id: LB });
    await insertMember(db, { id: 'member-1', pool_id: 'pool-1', subnet_id: SEED_IDS.publicSubnet });
  }
  return { plugs, db, lab, network: driver };
}

/** Parts of a worker that dies at the `fatal`-th point; `count` says how many points it passed. */
function mortalParts({ plugs, lab, db, network }: Stage, fatal: number) {
  const life = { points: 0, dead: false };
  const pass = (): void => {
    if (life.dead) throw new Crash();
    life.points += 1;
    if (life.points === fatal) {
      life.dead = true;
      throw new Crash();
    }
  };
  const mortal = <T extends object>(part: T, after: () => void): T =>
    new Proxy(part, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (life.dead) throw new Crash();
          const result: unknown = Reflect.apply(value, target, args);
          if (!(result instanceof Promise)) return result;
          return result.then((it: unknown) => {
            after();
            return it;
          });
        };
      },
    });
  const mortalDb = new Proxy(db, {
    apply: (target, self, args) => {
      if (life.dead) throw new Crash();
      return Reflect.apply(target, self, args);
    },
    get: (target, property) => {
      if (life.dead) throw new Crash();
      return Reflect.get(target, property);
    },
  });
  const parts: LoadBalancerParts = lab.parts({
    db: mortalDb,
    network: mortal(network, pass),
    bus: mortal(lab.bus, () => undefined),
    trace: pass,
    plugsVnics: plugs,
  });
  return { parts, life };
}

/** Runs the units by turns until the load balancer has settled; whoever dies leaves a lease that expires. */
async function driveToEnd(stage: Stage, parts: LoadBalancerParts): Promise<void> {
  const { db, lab } = stage;
  let worker = parts;
  for (let turn = 0; turn < 30; turn += 1) {
    try {
      await reconcileLoadBalancer(worker, LB);
      await lab.runEngine(worker);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      worker = lab.parts({ plugsVnics: stage.plugs });
      for (const table of ['load_balancer', 'service_engine'])
        await db(table).update({ lease_until: '2020-01-01 00:00:00.000' });
    }
    // What the fake health-manager does on a hint runs on the bus.
    await new Promise((resolve) => setTimeout(resolve, 1));
    await lab.health.answerAgain(lab.engineId, LB);
    const { generation, settled_generation } = await lab.row(LB);
    if (generation === settled_generation) return;
  }
  throw new Error('it did not come to an end');
}

/** Everything there is at the end, less ids and times. */
async function describeEnd({ db, lab, network }: Stage) {
  const ports = await network.listPorts({ networkId: SEED_IDS.localNetwork });
  const [server] = await lab.compute.listServers();
  const plugged = (await lab.compute.listServerPorts?.(server?.id ?? '')) ?? [];
  const { provisioning_status, generation, settled_generation, lease_owner } = await lab.row(LB);
  return {
    loadBalancer: { provisioning_status, generation, settled_generation, lease_owner },
    listeners: await db('listener').select('id', 'provisioning_status'),
    placements: await db('placement').select('role', 'deleting', 'confirmed_generation'),
    slots: await db('service_engine').pluck('slots_used'),
    wiring: await db('vip_wiring').select('ip_address', 'mode'),
    serves: lab.health.serves(lab.engineId).length,
    vnics: await db('se_vnic').orderBy('network_id').select('network_id', 'deleting'),
    uses: (await db('vnic_use').select('se_vnic_id')).length,
    members: (await network.listPorts({ networkId: SEED_IDS.publicNetwork })).length,
    plugged: plugged.length,
    ports: ports
      .map(({ deviceOwner, allowedAddressPairs, fixedIps }) => ({
        deviceOwner,
        pairs: allowedAddressPairs.map(({ ipAddress }) => ipAddress),
        vip: fixedIps.some(({ ipAddress }) => ipAddress === ADDRESS),
      }))
      .sort((a, b) => (a.deviceOwner < b.deviceOwner ? -1 : 1)),
  };
}

async function startDelete({ db }: Stage): Promise<void> {
  await db('load_balancer')
    .where({ id: LB })
    .update({ provisioning_status: 'PENDING_DELETE', deleting: 1, generation: 2 });
}

async function settleEngine({ lab, db }: Stage): Promise<void> {
  await db('service_engine').update({ lease_until: '2020-01-01 00:00:00.000' });
  await lab.runEngine(lab.parts({ plugsVnics: true }));
}

type End = Awaited<ReturnType<typeof describeEnd>>;

const PLUGGED = ['plugged create', 'departure of the members', 'plugged delete'] as const;
type Scene = 'create' | 'delete' | 'lost port' | (typeof PLUGGED)[number];

async function play(scene: Scene, fatal: number): Promise<{ end: End; points: number }> {
  const plugs = PLUGGED.some((it) => it === scene);
  const stage = await setStage(plugs);
  try {
    if (!scene.endsWith('create')) await driveToEnd(stage, stage.lab.parts({ plugsVnics: plugs }));
    if (scene.endsWith('delete')) await startDelete(stage);
    if (scene === 'departure of the members') {
      await stage.db('member').delete();
      await stage.db('load_balancer').update({ generation: 2, provisioning_status: 'PENDING_UPDATE' });
    }
    if (scene === 'lost port') {
      const { port_id } = await stage.db('vip').first();
      await stage.network.deletePort(port_id);
      await stage.db('load_balancer').update({ generation: 2, provisioning_status: 'PENDING_UPDATE' });
    }
    const { parts, life } = mortalParts(stage, fatal);
    await driveToEnd(stage, parts);
    // The vNICs that were released on the way are the engine's to unplug.
    if (plugs) await settleEngine(stage);
    return { end: await describeEnd(stage), points: life.points };
  } finally {
    await stage.lab.close();
    await stage.db.destroy();
  }
}

const SERVED = {
  loadBalancer: { provisioning_status: 'ACTIVE', lease_owner: null },
  listeners: [{ provisioning_status: 'ACTIVE' }],
  placements: [{ role: 'primary', deleting: 0 }],
  slots: [1],
  wiring: [{ ip_address: ADDRESS, mode: 'aap' }],
  serves: 1,
  ports: [
    { deviceOwner: VIP_PORT_OWNER, vip: true },
    { deviceOwner: ENGINE_PORT_OWNER, pairs: [ADDRESS], vip: false },
  ],
};
const LOCAL_VNIC = { network_id: SEED_IDS.localNetwork, deleting: 0 };
const MEMBER_VNIC = { network_id: SEED_IDS.publicNetwork, deleting: 0 };
const ENDS = {
  'plugged create': {
    ...SERVED,
    vnics: expect.arrayContaining([LOCAL_VNIC, MEMBER_VNIC]),
    uses: 2,
    plugged: 2,
    members: 1,
  },
  'departure of the members': { ...SERVED, vnics: [LOCAL_VNIC], uses: 1, plugged: 1, members: 0 },
  'plugged delete': { slots: [0], wiring: [], serves: 0, ports: [], vnics: [], uses: 0, plugged: 0, members: 0 },
  create: SERVED,
  'lost port': SERVED,
  delete: {
    loadBalancer: { provisioning_status: 'DELETED' },
    listeners: [],
    placements: [],
    slots: [0],
    wiring: [],
    serves: 0,
    ports: [{ deviceOwner: ENGINE_PORT_OWNER, pairs: [], vip: false }],
  },
};

describe.each(['create', 'delete', 'lost port', ...PLUGGED] as const)('a worker that dies during a %s', (scene) => {
  it('leaves nothing that the next one does not bring to the same end, wherever it died', async () => {
    const { end, points } = await play(scene, Number.POSITIVE_INFINITY);
    expect(end).toMatchObject(ENDS[scene]);
    expect(points).toBeGreaterThan(3);
    for (let fatal = 1; fatal <= points; fatal += 1) {
      const after = await play(scene, fatal);
      expect({ fatal, end: after.end }).toEqual({ fatal, end });
    }
  }, 180_000);
});
