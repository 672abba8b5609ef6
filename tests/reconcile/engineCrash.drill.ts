import { findEngine, retireEngine } from '../../driver/db/engines';
import { listVnics } from '../../driver/db/vnics';
import { reconcileEngine } from '../../driver/reconcile/engineUnit';
import { type EngineStage, setEngineStage } from '../support/engineOnOpenstack';
import { mortalWorker } from '../support/mortalWorker';

const ENGINES = 50;

let stage: EngineStage;
beforeEach(async () => {
  stage = await setEngineStage({ hosts: Array.from({ length: ENGINES }, (_, index) => `compute-${index}`) });
});
afterEach(() => stage.close());

/** The next worker finds the lease expired. */
async function runAndDie(id: string, fatal: number): Promise<boolean> {
  const died = await mortalWorker(stage.parts, fatal).run((dying) => reconcileEngine(dying, id));
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
    // Plugged in at the same time, in any order.
    const plugged = [management?.id, ...vnics.map(({ portId }) => portId)];
    expect(server?.ports.map((port) => port.id).sort()).toEqual(plugged.sort());
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
