import { waitUntil } from '../support/wait';
import { type DriftCase, type DriftStage, driftStage, driftsOf } from './support/drifts';
import { countEvents, eventsOf, type Mended, mend, tellMended } from './support/mending';
import { balance, isFull, openStage, PATIENCE, plugOutsider } from './support/stage';

jest.setTimeout(400_000);

/** Seconds. */
const AUDIT = isFull ? 20 : 2;
/** Seconds of the chance in an audit's interval, of the audit itself and of what it has done. */
const SLACK = 10;

let scene: DriftStage;
let cases: readonly DriftCase[];
const mended: Mended[] = [];

beforeAll(async () => {
  const stage = await openStage({
    settings: `[house_keeping]\naudit_interval = ${AUDIT}\nleftover_port_age = 2`,
    // Else units that look by themselves are sometimes the first to find it, and put it right without a word.
    housekeeping: { unitRounds: 1_000 },
  });
  const paired = await balance(stage, { mode: { vip_mode: 'aap', isFloating: true } });
  const announced = await balance(stage, { mode: { vip_mode: 'bgp', isFloating: false } });
  await plugOutsider(stage);
  scene = await driftStage(stage, { paired, announced });
  cases = driftsOf(scene);
}, 240_000);

afterAll(async () => {
  console.info(`repaired by the audit, every ${AUDIT} s:\n${tellMended(mended)}`);
  await scene?.stage.site.close();
});

/** Milliseconds after which nobody tells any more of what is right again. */
const SILENCE = 3 * AUDIT * 1_000 + 5_000;
const TRIES = 4;

/** Who looks at a unit for another reason may put it right first, without a word: then it is broken again. */
async function mendTold(one: DriftCase): Promise<Mended> {
  const { stage } = scene;
  const before = await countEvents(stage, one.told);
  const isTold = async (): Promise<boolean> => (await countEvents(stage, one.told)) > before;
  for (let tries = 1; ; tries += 1) {
    const result = await mend({ ...one, balanced: scene[one.on] });
    try {
      await waitUntil('it is told', SILENCE, isTold);
      return result;
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
}

/** Breaks it under requests, and waits until it was told and that it is over. */
async function drifts(title: string): Promise<void> {
  const { stage } = scene;
  const one = cases.find((it) => it.title === title);
  if (!one) throw new Error(`no such drift: ${title}`);
  try {
    mended.push(await mendTold(one));
    const open = stage.site.db('trouble');
    await waitUntil('nothing is open', PATIENCE, async () => (await open.clone().select('cause')).length === 0);
  } catch (error) {
    throw new Error(`${error}:\n${await eventsOf(stage)}`);
  }
  const seconds = mended.at(-1)?.seconds ?? 0;
  // What is left over is left alone at first.
  const periods = one.told === 'WIRING_LEFTOVER_DELETED' ? 2 : 1;
  if (isFull) expect(seconds).toBeLessThanOrEqual(periods * AUDIT + SLACK);
}

describe('the audit puts right, or tells of what is not ours:', () => {
  it.each([
    'address pairs removed from all engines',
    'address pairs reset to active-standby by Neutron',
    'floating IP led to the VIP’s port alone by its tenant',
    'floating IP emptied by its tenant',
    'fixed address of the floating IP cleared',
    'health check taken off a port',
    'health check deleted',
    'an engine taken out of BGP as a Service',
    'router of an engine’s BGP session deleted',
    'BGP as a Service deleted',
    'vNIC of an engine detached',
    'objects renamed and shared away',
    'address of the VIP on somebody else’s port',
    'BGP as a Service of ours that nobody has',
    'port of an engine deleted, and the floating IP with it',
  ])('%s', drifts);

  it('all that can drift', () => expect(mended.map(({ title }) => title)).toEqual(cases.map(({ title }) => title)));
});
