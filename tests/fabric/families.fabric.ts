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

async function whileAsking(work: () => Promise<unknown>): Promise<Record<string, unknown>> {
  const asking = cases.map(({ asker, url, title }): [string, Asking] => [
    title,
    keepAsking(asker, { url, timeout: 20_000, pause: 20 }),
  ]);
  await Promise.all(asking.map(([, { begun }]) => begun));
  await work();
  const heard = await Promise.all(asking.map(async ([title, one]) => [title, (await one.stop()).failures] as const));
  return Object.fromEntries(heard.filter(([, failures]) => failures.length > 0));
}

it(
  'is spread over two engines, then three, then two again',
  async () => {
    for (const [index, { answers }] of (await by(2)).entries()) {
      const label = cases[index]?.label;
      expect(Object.keys(answers).sort()).toEqual([`${label}-0`, `${label}-1`]);
    }

    const grown = await whileAsking(async () => {
      await scale('scaleout');
      await by(3);
    });
    const shrunk = await whileAsking(async () => {
      await scale('scalein');
      await by(2);
    });

    // A crowd on a small machine loses a request at times: slipstream.fabric.ts looks at that one by one.
    if (isFull) expect({ grown, shrunk }).toEqual({ grown: {}, shrunk: {} });
  },
  PATIENCE * 8,
);
