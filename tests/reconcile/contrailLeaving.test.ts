import { inTransaction } from '../../driver/db/connect';
import { type ContrailLab, startContrailLab } from '../support/contrailLab';
import { insertListener } from '../support/rows';
import { waitUntil } from '../support/wait';

/** How an engine leaves VIPs that several answer for: its wiring goes last, for vRouters cut what it carries with that. */

jest.setTimeout(120_000);

const WAIT = 60_000;
const PAST = '2020-01-01 00:00:00.000';

let lab: ContrailLab;
let id: string;
let leaver: string;
let stayer: string;
afterEach(() => lab.close());

/** A load balancer with a listener on two engines, one of which was asked to go. */
async function openLeaving({
  group = {},
  flavor,
}: {
  group?: object;
  flavor?: () => Promise<object>;
} = {}): Promise<void> {
  lab = await startContrailLab({ group: { maxEngines: 2, minScaleout: 1, hostRedundancy: false, ...group } });
  leaver = lab.engineId;
  stayer = await lab.newEngine();
  await lab.start();
  const flavorId = flavor && (await lab.newFlavor({ ...(await flavor()) }));
  const lb = await lab.createLoadBalancer(flavorId === undefined ? {} : { flavorId });
  id = lb.id;
  const listener = await insertListener(lab.db, { load_balancer_id: id });
  // Somebody is connected: a drain ends when it is told to, and not before it was seen.
  await lab.db('listener_statistics').insert({
    ...{ listener_id: listener.id, load_balancer_id: id, amphora_id: leaver, active_connections: 1 },
    ...{ bytes_in: 0, bytes_out: 0, total_connections: 1, request_errors: 0 },
  });
  await lab.db('load_balancer').where({ id }).update({ scale_adjustment: 1 });
  await lab.hint(id);
  await lab.reaches(id, 'ACTIVE');
  await waitUntil(
    'both have it',
    WAIT,
    async () => (await lab.db('vip_wiring').where({ state: 'wired' })).length === 2,
  );
}

const pairsOn = async (engineId: string): Promise<number> => lab.pairsOf(await lab.portOf(engineId)).length;
const placementOn = (engineId: string) =>
  lab.db('placement').where({ service_engine_id: engineId, load_balancer_id: id }).first();

async function scaleIn(): Promise<void> {
  const change = {
    scale_adjustment: 0,
    provisioning_status: 'PENDING_UPDATE',
    generation: lab.db.raw('generation + 1'),
  };
  await inTransaction(lab.db, async (trx) => {
    await trx('placement').where({ service_engine_id: leaver }).update({ request: 'scalein' });
    await trx('load_balancer').where({ id }).update(change);
  });
  await lab.hint(id);
  await lab.reaches(id, 'ACTIVE');
}

const drains = () => waitUntil('it drains', WAIT, async () => Boolean((await placementOn(leaver))?.drain_until));

async function endDrain(): Promise<void> {
  await lab.db('placement').where({ service_engine_id: leaver }).update({ drain_until: PAST });
  await lab.hint(id);
  await waitUntil('it was told to forget', WAIT, async () => (await placementOn(leaver))?.deleting === 1);
}

it('keeps its pair while it drains and until it has forgotten the load balancer', async () => {
  await openLeaving();
  await scaleIn();
  await drains();
  expect(await pairsOn(leaver)).toBe(1);

  lab.health.behave(leaver, { answer: 'silent' });
  await endDrain();
  await lab.hint(id);
  await waitUntil('nothing is under way', WAIT, () => lab.busy() === 0);
  expect(await pairsOn(leaver)).toBe(1);

  lab.health.behave(leaver, { answer: 'confirm' });
  await lab.health.answerAgain(leaver, id);
  await waitUntil('its pair is gone', WAIT, async () => (await pairsOn(leaver)) === 0);
  expect(await placementOn(leaver)).toBeUndefined();
  expect(await pairsOn(stayer)).toBe(1);
});

it('loses its pair all the same if it does not say that it has forgotten', async () => {
  await openLeaving();
  await scaleIn();
  await drains();
  lab.health.behave(leaver, { answer: 'silent' });
  await endDrain();
  await lab.db('placement').where({ service_engine_id: leaver }).update({ updated_at: PAST });
  await lab.hint(id);
  await waitUntil('its pair is gone', WAIT, async () => (await pairsOn(leaver)) === 0);
  expect(await pairsOn(stayer)).toBe(1);
});

it('loses its pair once it has forgotten, though a change meanwhile is not confirmed by those that stay', async () => {
  await openLeaving();
  await scaleIn();
  await drains();
  lab.health.behave(leaver, { answer: 'silent' });
  await endDrain();
  lab.health.behave(stayer, { answer: 'silent' });
  await lab
    .db('load_balancer')
    .where({ id })
    .update({ generation: lab.db.raw('generation + 1') });
  lab.health.behave(leaver, { answer: 'confirm' });
  await lab.health.answerAgain(leaver, id);
  await waitUntil('its pair is gone', WAIT, async () => (await pairsOn(leaver)) === 0);
  expect(await pairsOn(stayer)).toBe(1);
});

it('loses its pair at once where nothing is let drain', async () => {
  await openLeaving({ group: { scaleinTimeout: 0 } });
  await scaleIn();
  await waitUntil('its pair is gone', WAIT, async () => (await pairsOn(leaver)) === 0);
  expect(await lab.events('ENGINE_DRAINING')).toEqual([]);
});

it('keeps the floating IP of a VIP that it announces until it has forgotten the load balancer', async () => {
  await openLeaving({
    flavor: async () => {
      const { networkId } = await lab.newNetwork('203.0.113.0/24', { 'router:external': true });
      return { vip_mode: 'bgp', floating_network: networkId };
    },
  });
  await waitUntil('both have it', WAIT, async () => (await isReached(leaver)) && (await isReached(stayer)));
  await scaleIn();
  await drains();
  lab.health.behave(leaver, { answer: 'silent' });
  await endDrain();
  await lab.hint(id);
  await waitUntil('nothing is under way', WAIT, () => lab.busy() === 0);
  expect(await isReached(leaver)).toBe(true);

  lab.health.behave(leaver, { answer: 'confirm' });
  await lab.health.answerAgain(leaver, id);
  await waitUntil('it is not reached any more', WAIT, async () => !(await isReached(leaver)));
  expect(await isReached(stayer)).toBe(true);
  expect(await lab.db('vip_wiring').pluck('service_engine_id')).toEqual([stayer]);
});

async function isReached(engineId: string): Promise<boolean> {
  const port = await lab.portOf(engineId);
  return lab.contrail.store.referrers(port, 'floating-ip').length > 0;
}
