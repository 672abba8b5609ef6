import type { TenantMachine } from './support/slipstream';
import {
  asked,
  type Balanced,
  balance,
  enginesIn,
  isAnsweredBy,
  isFull,
  MODES,
  type Mode,
  openStage,
  PATIENCE,
  plugOutsider,
  type Stage,
  startMembers,
} from './support/stage';
import { type Answers, type Asking, keepAsking } from './support/traffic';

/**
 * IPv6, and members in another network than the VIP's, in all modes, while engines come and go. IPv4 in one network is shown
 * in slipstream.fabric.ts.
 */

interface Wish {
  readonly mode: Mode;
  readonly family: 'IPv4' | 'IPv6';
  readonly arms: 'one arm' | 'two arms';
}

interface Case extends Balanced {
  readonly title: string;
  readonly label: string;
}

const ALL: readonly Wish[] = (['IPv6', 'IPv4'] as const).flatMap((family) =>
  (['one arm', 'two arms'] as const).flatMap((arms) =>
    family === 'IPv4' && arms === 'one arm' ? [] : MODES.map((mode) => ({ mode, family, arms })),
  ),
);
/** A floating IP with two arms; without, IPv6. */
const SOME = ALL.filter(({ mode, family, arms }) =>
  mode.isFloating ? arms === 'two arms' : family === 'IPv6' && arms === 'one arm',
);

let stage: Stage;
const cases: Case[] = [];

beforeAll(async () => {
  stage = await openStage();
  const back = await stage.site.cloud.addNetwork('back', ['10.20.0.0/24', '2001:db8:20::/64']);
  const far = await startMembers(stage.site, back, 'far');
  for (const { mode, family, arms } of isFull ? ALL : SOME) {
    const index = family === 'IPv6' ? 1 : 0;
    const [network, members] = arms === 'two arms' ? [back, far] : [stage.front, stage.members];
    const made = await balance(stage, {
      mode,
      members: members.map((one): TenantMachine => ({ ...one, addresses: one.addresses.slice(index) })),
      vip: { vip_subnet_id: stage.front.subnetIds[index] },
      ...(network.subnetIds[index] !== undefined && { subnetId: network.subnetIds[index] }),
    });
    cases.push({ ...made, title: `${mode.name}, ${family}, ${arms}`, label: arms === 'two arms' ? 'far' : 'near' });
  }
  await plugOutsider(stage);
}, 400_000);

afterAll(async () => {
  await stage?.site.close();
});

const all = (what: string, isRight: (answers: Answers) => boolean) =>
  Promise.all(cases.map((one) => asked(`${one.title}: ${what}`, one, isRight, { requests: 45 })));
const by = (engines: number) =>
  all(`${engines} engines answer`, (answers) => isAnsweredBy(engines)(answers) && enginesIn(answers) === engines);

async function scale(verb: 'scaleout' | 'scalein'): Promise<void> {
  for (const { id } of cases) {
    await stage.site.api('POST', `/v2/slipstream/loadbalancers/${id}/${verb}`, { [verb]: { count: 1 } });
  }
  for (const { id } of cases) await stage.site.reaches(id);
}

/**
 * Milliseconds. TCP asks again after 1, 3, 7, 15 and 31 seconds, and has no answer before the way leads elsewhere: on a
 * machine that is busy the controllers take their time for that.
 */
const ONE_ANSWER = 60_000;

/** What clients of each case lost meanwhile: `<when, in seconds> <case>: <why>`; told as it is found. */
async function whileAsking(step: string, work: () => Promise<unknown>): Promise<string[]> {
  const began = Date.now();
  const asking = cases.map(({ asker, url, title }): [string, Asking] => [
    title,
    keepAsking(asker, { url, timeout: ONE_ANSWER, pause: 20 }),
  ]);
  await Promise.all(asking.map(([, { begun }]) => begun));
  // What was lost is told, whatever else fails.
  const failed = await work().then(
    () => null,
    (error: unknown) => ({ error }),
  );
  const heard = await Promise.all(asking.map(async ([title, one]) => [title, await one.stop()] as const));
  const answered = heard.map(([title, { answers }]) => `${title} ${sum(answers)}`);
  const lost = heard.flatMap(([title, { failures }]) =>
    failures.map(({ at, error }) => `${((at - began) / 1000).toFixed(2)} s, ${title}: ${error}`),
  );
  const slow = heard.flatMap(([title, answers]) =>
    answers.slow.map(({ at, took }) => `${((at - began) / 1000).toFixed(2)} s, ${title}: took ${took} ms`),
  );
  console.info(`${step}: answered ${answered.join(', ')}; lost ${lost.length}\n${[...lost, ...slow].join('\n')}`);
  if (failed) throw failed.error;
  return lost;
}

const sum = (counts: Answers['answers']): number => Object.values(counts).reduce((all, it) => all + it, 0);

it(
  'is spread over two engines, then three, then two again',
  async () => {
    for (const [index, { answers }] of (await by(2)).entries()) {
      const label = cases[index]?.label;
      expect(Object.keys(answers).sort()).toEqual([`${label}-0`, `${label}-1`]);
    }

    const grown = await whileAsking('two engines to three', async () => {
      await scale('scaleout');
      await by(3);
    });
    const shrunk = await whileAsking('three engines to two', async () => {
      await scale('scalein');
      await by(2);
    });

    expect({ grown, shrunk }).toEqual({ grown: [], shrunk: [] });
  },
  PATIENCE * 8,
);
