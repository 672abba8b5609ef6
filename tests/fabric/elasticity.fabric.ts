import { waitUntil } from '../support/wait';
import { enginesOf } from './support/failures';
import { asked, type Balanced, balance, isAnsweredBy, openStage, PATIENCE, type Stage } from './support/stage';
import { type Answers, type Asking, keepAsking } from './support/traffic';

/** A group follows a load that clients make: engines come with it and go with it, and no request is lost. */

/** Seconds between two looks. */
const INTERVAL = 3;
/** Open connections an engine is said to be able to serve. */
const CAPACITY = 30;
/** Each has one open nearly all the time: on one or two engines that is more than 80 %, on three between 30 and 80 %. */
const MANY = 54;
const FEW = 3;
/** Milliseconds that members take for an answer. */
const AFTER = 1_000;

let stage: Stage;
let one: Balanced;
const began = Date.now();

beforeAll(async () => {
  stage = await openStage({
    group: {
      ...{ haMode: 'n_plus_m', minEngines: 1, maxEngines: 3, minScaleout: 1, maxScaleout: 3 },
      ...{ autoRebalance: true, rebalanceInterval: INTERVAL },
      ...{ rebalanceCriteria: ['open_conns'], rebalanceCapacity: [CAPACITY] },
    },
    settings: '[health_manager]\nload_window = 2\nheartbeat_interval = 0.5\nflush_interval = 0.5',
  });
  one = await balance(stage, { mode: { vip_mode: 'aap', isFloating: false } });
  await asked('one engine answers', one, isAnsweredBy(1));
}, 180_000);

afterAll(async () => {
  await stage?.site.close();
});

const engines = async (): Promise<number> => (await enginesOf(stage.site, one)).length;
const events = (name: string): Promise<string[]> => stage.site.db('event').where({ name }).pluck('message');
const scalings = async (): Promise<number> =>
  (await events('REBALANCE_SCALEOUT')).length + (await events('REBALANCE_SCALEIN')).length;
const sum = (counts: Answers['answers']): number => Object.values(counts).reduce((all, it) => all + it, 0);

async function load(clients: number): Promise<Asking> {
  const url = `${one.url}?after=${AFTER}`;
  const asking = keepAsking(one.asker, { url, parallel: clients, timeout: 30_000, pause: 20 });
  await asking.begun;
  return asking;
}

/** Looks that come and go. */
async function passLooks(count: number): Promise<void> {
  const lookedAt = async (): Promise<string> => (await stage.site.db('group_elasticity').first('looked_at')).looked_at;
  for (let index = 0; index < count; index += 1) {
    const before = await lookedAt();
    await waitUntil('it is looked at the load', PATIENCE, async () => (await lookedAt()) !== before);
  }
}

function tell(what: string): void {
  console.info(`${((Date.now() - began) / 1000).toFixed(1)} s: ${what}`);
}

it('serves a load balancer from more engines while its clients are many, and from one when they are few', async () => {
  const few = await load(FEW);
  tell(`${FEW} clients, ${await engines()} engine`);
  const many = await load(MANY);
  tell(`${FEW + MANY} clients`);
  await waitUntil('three engines have it', PATIENCE, async () => (await engines()) === 3);
  await asked('three engines answer', one, isAnsweredBy(3), { requests: 60, timeout: 10_000 });
  tell('three engines answer');

  const scaled = await scalings();
  await passLooks(5);
  expect([await engines(), await scalings()]).toEqual([3, scaled]);
  const [hot] = await events('ENGINE_LOAD_HIGH');
  expect(hot).toMatch(/is loaded to (8[1-9]|9\d|1\d\d) %/);

  const first = await many.stop();
  tell(`${FEW} clients again`);
  await waitUntil('one engine has it', PATIENCE, async () => (await engines()) === 1);
  tell('one engine has it');
  const second = await few.stop();
  const steps = { out: await events('REBALANCE_SCALEOUT'), in: await events('REBALANCE_SCALEIN') };
  console.info(`${sum(first.answers) + sum(second.answers)} requests answered; ${JSON.stringify(steps, null, 1)}`);

  expect([...first.failures, ...second.failures]).toEqual([]);
  expect(steps.in).toHaveLength(2);
}, 240_000);
