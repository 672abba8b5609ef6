import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../support/wait';
import {
  asked,
  type Balanced,
  balance,
  isFull,
  type Member,
  MODES,
  openStage,
  PATIENCE,
  plugOutsider,
  type Stage,
} from './support/stage';
import { type Answers, keepAsking } from './support/traffic';

/** Seconds; a member that changes each second must stay below. */
const DAMPED = 3;
/** Times a member goes and comes. */
const FLAPS = isFull ? 20 : 4;

const POLICIES = [true, 'close'] as const;
type Policy = (typeof POLICIES)[number];

interface Case extends Balanced {
  readonly title: string;
  readonly policy: Policy;
}

let stage: Stage;
const cases: Case[] = [];

beforeAll(async () => {
  const settings = `[service_engine]\nvip_withdraw_delay = ${DAMPED}\nvip_restore_delay = ${DAMPED}`;
  stage = await openStage({ settings });
  const monitor = { type: 'HTTP', delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1, url_path: '/' };
  for (const mode of MODES) {
    for (const policy of POLICIES) {
      const wanted = { mode, flavor: { withdraw_vip_on_down: policy }, pool: { healthmonitor: monitor } };
      cases.push({ ...(await balance(stage, wanted)), title: `${mode.name}, ${policy}`, policy });
    }
  }
  await plugOutsider(stage);
}, 240_000);

afterAll(async () => {
  await stage?.site.close();
});

const errorsOf = ({ failures }: Answers): string[] => [...new Set(failures.map(({ error }) => error))];
/** There is no way to the VIP: routers say so, or nobody says anything. */
const NO_WAY = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'timeout']);
/** No answer came of an engine: neither a page nor a reset. */
const isGone = (answers: Answers): boolean =>
  Object.keys(answers.answers).length === 0 && errorsOf(answers).every((error) => NO_WAY.has(error));
/** What is there of an engine is its kernel. */
const isClosed = (answers: Answers): boolean => errorsOf(answers).join() === 'ECONNREFUSED';

const all = (what: string, isRight: (one: Case) => (answers: Answers) => boolean) =>
  Promise.all(cases.map((one) => asked(`${one.title}: ${what}`, one, isRight(one), { requests: 6, timeout: 500 })));
const goes = () => all('it is gone', ({ policy }) => (policy === 'close' ? isClosed : isGone));
const isServed = ({ failures }: Answers): boolean => failures.length === 0;
const serves = () => Promise.all(cases.map((one) => asked(`${one.title}: it is served`, one, isServed)));

/** How often VIPs went and came, by load balancer. */
async function happenings(): Promise<Record<string, number>> {
  const rows: { load_balancer_id: string }[] = await stage.site
    .db('event')
    .whereIn('name', ['VIP_WITHDRAWN', 'VIP_RESTORED'])
    .select('load_balancer_id');
  const counts: Record<string, number> = {};
  for (const { load_balancer_id: id } of rows) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
}

async function flap(member: Member): Promise<void> {
  for (let count = 0; count < FLAPS; count += 1) {
    member.stop();
    await sleep(1000);
    member.start();
    await sleep(1000);
  }
}

it('takes routes, pairs and floating IPs away or closes ports while all members are down, and brings them back with one', async () => {
  const [first, second] = stage.members;
  await serves();

  first?.stop();
  second?.stop();
  await goes();
  first?.start();

  const served = await serves();
  expect(served.map(({ answers }) => Object.keys(answers))).toEqual(cases.map(() => [first?.label]));
  await waitUntil('it is told of each', PATIENCE, async () => {
    const counts = await happenings();
    return cases.every(({ id }) => counts[id] === 2);
  });
}, 240_000);

it('leaves them as they are while the last member comes and goes every second', async () => {
  const [first, second] = stage.members;
  await serves();
  second?.stop();
  const before = await happenings();
  const asking = cases.map(({ asker, url }) => keepAsking(asker, { url, timeout: 10_000, pause: 200 }));
  await Promise.all(asking.map(({ begun }) => begun));
  await flap(first as Member);
  const meanwhile = await Promise.all(asking.map((one) => one.stop()));

  // There is nobody behind the VIP at times: engines say so.
  expect(meanwhile.flatMap(errorsOf).filter((error) => !error.startsWith('status 50'))).toEqual([]);
  expect(await happenings()).toEqual(before);
}, 240_000);
