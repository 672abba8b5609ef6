import type { ComputeDriver } from '../../driver/clouds/compute/port';
import type { NetworkDriver } from '../../driver/clouds/network/port';
import { findEngine, retireEngine } from '../../driver/db/engines';
import { listVnics } from '../../driver/db/vnics';
import type { EngineParts } from '../../driver/reconcile/engineRun';
import { reconcileEngine } from '../../driver/reconcile/engineUnit';
import { type EngineStage, setEngineStage } from '../support/engineOnOpenstack';

/**
 * Workers that die between a call that makes or takes something away and its answer: the cloud has done it, nobody has
 * noted it. The next one finds the lease expired.
 */
class Crash extends Error {}

const CHANGES = ['createPort', 'createServer', 'attachPort', 'detachPort', 'deletePort', 'deleteServer', 'updatePort'];
const ENGINES = 50;

let stage: EngineStage;
beforeEach(async () => {
  stage = await setEngineStage({ hosts: Array.from({ length: ENGINES }, (_, index) => `compute-${index}`) });
});
afterEach(() => stage.close());

/** A worker that dies when its `fatal`-th change has been carried out, and does nothing from then on. */
function mortalWorker(fatal: number): EngineParts {
  let changes = 0;
  let isDead = false;
  const mortal = <T extends object>(driver: T): T =>
    new Proxy(driver, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          if (isDead) throw new Crash();
          const result: unknown = await Reflect.apply(value, target, args);
          if (CHANGES.includes(String(property))) changes += 1;
          isDead = changes === fatal;
          if (isDead) throw new Crash();
          return result;
        };
      },
    });
  const { parts } = stage;
  const db = new Proxy(parts.db, {
    apply: (target, self, args) => {
      if (isDead) throw new Crash();
      return Reflect.apply(target, self, args);
    },
    get: (target, property) => {
      if (isDead) throw new Crash();
      return Reflect.get(target, property);
    },
  });
  const network: NetworkDriver = mortal(parts.network);
  const compute: ComputeDriver = mortal(parts.compute);
  return { ...parts, db, network, compute, owner: `worker-${Math.random()}` };
}

async function runAndDie(id: string, fatal: number): Promise<boolean> {
  const died = await reconcileEngine(mortalWorker(fatal), id).then(
    () => false,
    (error: unknown) => {
      if (error instanceof Crash) return true;
      throw error;
    },
  );
  await stage.db('service_engine').where({ id }).update({ lease_until: '2020-01-01 00:00:00.000' });
  return died;
}

const finish = (id: string) => reconcileEngine({ ...stage.parts, owner: 'survivor' }, id);
const servers = () => [...stage.site.compute.nova.model.servers.values()];
const ports = () => [...stage.site.network.cloud.network.model.ports.all()];

it(`leaves no server and no port twice, and none behind, whenever workers die: ${ENGINES} engines`, async () => {
  const before = ports().length;
  const engines: string[] = [];
  let deaths = 0;
  for (let round = 0; round < ENGINES; round += 1) {
    const id = await stage.newEngine();
    engines.push(id);
    await stage.need(id, 'domain-1');
    await stage.need(id, 'domain-2');
    // The first dies at one of the six calls that make an engine, the second at one of those left.
    if (await runAndDie(id, 1 + (round % 6))) deaths += 1;
    if (await runAndDie(id, 1 + (Math.floor(round / 6) % 3))) deaths += 1;
    for (let turn = 0; turn < 3; turn += 1) await finish(id);
  }
  expect(deaths).toBeGreaterThan(ENGINES);

  expect(
    servers()
      .map(({ metadata }) => metadata['slipstream_engine'])
      .sort(),
  ).toEqual([...engines].sort());
  expect(ports()).toHaveLength(before + 3 * ENGINES);
  for (const id of engines) {
    const server = servers().find(({ metadata }) => metadata['slipstream_engine'] === id);
    const vnics = await listVnics(stage.db, id);
    const management = ports().find(({ name }) => name === `slipstream-mgmt-${id}`);
    expect(server?.ports.map((port) => port.id)).toEqual([management?.id, ...vnics.map(({ portId }) => portId)]);
    expect(await findEngine(stage.db, id)).toMatchObject({
      computeId: server?.id,
      managementAddress: management?.fixed_ips[0]?.ip_address,
    });
  }

  // One vNIC is unplugged, then the engine goes: workers die at each of these calls too.
  for (const [round, id] of engines.entries()) {
    await stage.comeUp(id);
    const [vnic] = await listVnics(stage.db, id);
    await stage
      .db('se_vnic')
      .where({ id: vnic?.id ?? '' })
      .update({ deleting: 1 });
    await runAndDie(id, 1 + (round % 2));
    await finish(id);
    await stage.db('service_engine').where({ id }).update({ connected_to: null });
    await retireEngine(stage.db, id);
    await runAndDie(id, 1 + (round % 3));
    for (let turn = 0; turn < 2; turn += 1) await finish(id);
    expect(await findEngine(stage.db, id)).toBeUndefined();
  }
  expect(servers()).toEqual([]);
  expect(ports()).toHaveLength(before);
}, 300_000);
