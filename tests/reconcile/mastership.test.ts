import { randomUUID } from 'node:crypto';
import { type Db, inTransaction } from '../../driver/db/connect';
import { silenceEngine, takeConnection } from '../../driver/db/engineConnections';
import { askForSwitchover } from '../../driver/db/engineVerbs';
import { recordHearing } from '../../driver/db/healing';
import { recordClaims } from '../../driver/db/masterships';
import { openTestDatabase } from '../support/database';
import { type Lab, startLab } from '../support/reconciler';
import { insertEngine, insertLoadBalancer } from '../support/rows';
import { waitUntil } from '../support/wait';

const PATIENCE = 30_000;
const GROUP = { haMode: 'active_standby', maxEngines: 2 };

let db: Db;
let lab: Lab;
let older: string;
let younger: string;
let lb: string;

beforeEach(async () => {
  db = await openTestDatabase();
});
afterEach(async () => {
  await lab.close();
  await db.destroy();
});

async function startPair(group: object = GROUP, tags: readonly string[] = []): Promise<void> {
  lab = await startLab(db, { group });
  older = lab.engineId;
  younger = randomUUID();
  await insertEngine(db, { id: younger, service_engine_group_id: lab.groupId });
  await db('service_engine').where({ id: older }).update({ created_at: '2026-01-01 00:00:00.000' });
  await db('service_engine').where({ id: younger }).update({ created_at: '2026-01-02 00:00:00.000' });
  await lab.startWorker();
  const pending = { provisioning_status: 'PENDING_CREATE', generation: 1, settled_generation: 0 } as const;
  lb = (await insertLoadBalancer(db, pending)).id;
  for (const tag of tags) await db('tags').insert({ resource_id: lb, tag });
  await lab.hint(lb);
  await lab.reaches(lb, 'ACTIVE');
  await waitUntil('both know the term', PATIENCE, async () => (await pair()).term === 1 && (await isQuiet()));
}

const isQuiet = async (): Promise<boolean> =>
  (await db('placement').whereNotNull('request').orWhereRaw('confirmed_generation < wanted_generation')).length === 0;

async function pair(): Promise<{ term: number | null; master: string }> {
  const { master_term: term } = await db('load_balancer').where({ id: lb }).first('master_term');
  const row = await db('placement').where({ load_balancer_id: lb, role: 'primary', deleting: 0 }).first();
  return { term: term === null ? null : Number(term), master: row?.service_engine_id ?? '' };
}

const becomes = (master: string, term: number): Promise<void> =>
  waitUntil(`${master} is the master with term ${term}`, PATIENCE, async () => {
    await lab.hint(lb);
    const now = await pair();
    return now.master === master && now.term === term;
  });

async function silence(engineId: string): Promise<void> {
  lab.health.behave(engineId, { answer: 'silent' });
  await inTransaction(db, (trx) => silenceEngine(trx, { engineId, epoch: 1 }));
}

it('makes the older engine the master', async () => {
  await startPair();
  expect(await pair()).toEqual({ term: 1, master: older });
});

it('takes a load balancer with the tag to the second engine of a pair', async () => {
  await startPair({ ...GROUP, distributeLoad: true }, ['ACTIVE_STANDBY_SE_2']);
  expect(await pair()).toEqual({ term: 1, master: younger });
});

it('grants the next term to the standby when the master is silent, unless the standby hears it', async () => {
  await startPair();
  await recordHearing(db, younger, [{ engineId: older, heard: true }]);
  await silence(older);
  await lab.hint(lb);
  await lab.hint(lb);
  expect(await pair()).toEqual({ term: 1, master: older });

  await recordHearing(db, younger, [{ engineId: older, heard: false }]);
  await becomes(younger, 2);
  expect(await lab.events('MASTERSHIP_MOVED')).toHaveLength(1);
});

it('learns of an engine that took over while no controller was there, and gives back if it may', async () => {
  await startPair({ ...GROUP, autoRedistribute: true });
  await db('service_engine').update({ updated_at: '2026-01-03 00:00:00.000' });
  await silence(older);
  await recordClaims(db, { engineId: younger }, [{ loadBalancerId: lb, term: 4, master: true }]);
  await becomes(younger, 4);
  expect(await lab.events('MASTERSHIP_LEARNT')).toHaveLength(1);

  lab.health.behave(older, { answer: 'confirm' });
  const back = { connectedTo: 'health-1', status: { from: 'DOWN', to: 'READY' } } as const;
  await takeConnection(db, { engineId: older, epoch: 2 }, back);
  await db('placement').update({ stale: 0 });
  await db('service_engine').update({ updated_at: '2026-01-03 00:00:00.000' });
  await becomes(older, 5);
  expect(await lab.events('MASTERSHIP_GIVEN_BACK')).toHaveLength(1);
});

it('hands over when an operator asks, and has an engine that is cut off on the data network do so', async () => {
  await startPair();
  expect(await askForSwitchover(db, { loadBalancerId: lb }, 'req-1')).toEqual({ asked: 1, alone: 0 });
  await becomes(younger, 2);

  await recordHearing(db, younger, [{ engineId: younger, heard: false }]);
  await recordHearing(db, older, [{ engineId: younger, heard: false }]);
  await becomes(older, 3);
});

it('forgets the term when it is no pair any more', async () => {
  await startPair();
  await db('service_engine_group').update({ properties: JSON.stringify({ ...GROUP, haMode: 'active_active' }) });
  await waitUntil('it is none', PATIENCE, async () => {
    await lab.hint(lb);
    return (await pair()).term === null;
  });
  expect(await db('placement').where({ load_balancer_id: lb, role: 'standby' })).toEqual([]);
});
