import { waitUntil } from '../support/wait';
import { cut, type Outage, watchOutage } from './support/outages';
import { asked, type Balanced, balance, isAnsweredBy, openStage, PATIENCE, type Stage } from './support/stage';

let stage: Stage;
let one: Balanced;

beforeAll(async () => {
  stage = await openStage({ group: { haMode: 'active_standby', maxEngines: 2, minScaleout: 1, maxScaleout: 2 } });
  one = await balance(stage, { mode: { vip_mode: 'aap', isFloating: false } });
  await asked('the master answers', one, isAnsweredBy(1));
  await waitUntil('both hear each other', PATIENCE, async () => (await hearing()) === 2);
  await waitUntil('both know their gateway', PATIENCE, async () => (await gateways()) === 2);
}, 180_000);

afterAll(async () => {
  await stage?.site.close();
});

const hearing = async (): Promise<number> => {
  const rows: unknown[] = await stage.site
    .db('engine_hearing')
    .whereRaw('observer_id <> service_engine_id')
    .where({ heard: 1 });
  return rows.length;
};
const gateways = async (): Promise<number> => {
  const rows: unknown[] = await stage.site
    .db('engine_hearing')
    .whereRaw('observer_id = service_engine_id')
    .where({ heard: 1 });
  return rows.length;
};

async function placements(): Promise<{ engineId: string; role: string }[]> {
  const rows: { service_engine_id: string; role: string }[] = await stage.site
    .db('placement')
    .where({ load_balancer_id: one.id, deleting: 0 })
    .select('service_engine_id', 'role');
  return rows.map(({ service_engine_id: engineId, role }) => ({ engineId, role }));
}

const term = async (): Promise<number> =>
  Number((await stage.site.db('load_balancer').where({ id: one.id }).first('master_term')).master_term);
const masterOf = async (): Promise<string> =>
  (await placements()).find(({ role }) => role === 'primary')?.engineId ?? '';
const standbyOf = async (): Promise<string> =>
  (await placements()).find(({ role }) => role === 'standby')?.engineId ?? '';

async function isWell(): Promise<void> {
  await waitUntil('both engines are connected and hear each other', PATIENCE, async () => {
    const up: unknown[] = await stage.site.db('service_engine').where({ status: 'READY' }).whereNotNull('connected_to');
    return up.length === 2 && (await hearing()) === 2 && (await gateways()) === 2;
  });
}

function tell(what: string, { lost, seconds }: Outage): void {
  console.info(`${what}: ${lost} requests lost, ${seconds.toFixed(1)} s out`);
}

it('has the standby take over from a master that is cut off on the data network, and give back by call', async () => {
  const [first, second] = [await masterOf(), await standbyOf()];
  const before = await term();
  const outage = await watchOutage(one);
  const end = await cut(stage.site, first, ['data']);
  await waitUntil('the standby is the master', PATIENCE, async () => (await masterOf()) === second);
  await asked('it answers', one, isAnsweredBy(1));
  tell('data network of the master cut', await outage.stop());
  expect(await term()).toBeGreaterThan(before);
  await end();
  await isWell();

  const back = await watchOutage(one);
  await stage.site.api('POST', `/v2/slipstream/loadbalancers/${one.id}/switchover`, { switchover: {} });
  await waitUntil('it is given back', PATIENCE, async () => (await masterOf()) === first);
  await asked('the first answers again', one, isAnsweredBy(1));
  tell('given back by call', await back.stop());
}, 200_000);

it('takes over alone while no controller is there, and the controllers learn of it', async () => {
  await isWell();
  const [first, second] = [await masterOf(), await standbyOf()];
  const before = await term();
  const ends = [await cut(stage.site, first, ['management']), await cut(stage.site, second, ['management'])];
  await waitUntil('both are silent', PATIENCE, async () => {
    const down: unknown[] = await stage.site.db('service_engine').where({ status: 'DOWN' });
    return down.length === 2;
  });
  await asked('the master still answers', one, isAnsweredBy(1));
  const outage = await watchOutage(one);
  ends.push(await cut(stage.site, first, ['data']));
  await asked('the standby answers', one, isAnsweredBy(1));
  tell('master lost while no controller is there', await outage.stop());
  expect(await masterOf()).toBe(first);

  await ends[1]?.();
  await waitUntil('the controllers know', PATIENCE, async () => (await masterOf()) === second);
  expect(await term()).toBe(before + 1);
  await ends[0]?.();
  await ends[2]?.();
  await isWell();
  await asked('one of the two answers', one, isAnsweredBy(1));
  expect(await masterOf()).toBe(second);
}, 200_000);
