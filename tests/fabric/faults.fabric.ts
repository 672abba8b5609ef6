import { BGP_CASES } from './support/faults/bgp';
import { awaitVerdict, type FaultCase, type Scene, sceneOf } from './support/faults/case';
import { ENGINE_CASES } from './support/faults/engine';
import { OBJECT_CASES } from './support/faults/objects';
import { WIRING_CASES } from './support/faults/wiring';
import { balance, openStage, plugOutsider, type Stage } from './support/stage';

/** Each breaks a healthy VIP in one way and has the trace say which: in its first line. */
const CASES: readonly FaultCase[] = [...OBJECT_CASES, ...WIRING_CASES, ...BGP_CASES, ...ENGINE_CASES];
const MONITOR = { type: 'HTTP', delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1 };
const told: string[] = [];

let stage: Stage;
let scenes: Readonly<Record<FaultCase['on'], Scene>>;

beforeAll(async () => {
  // What is broken is to stay so until it is mended by hand.
  stage = await openStage({ settings: '[house_keeping]\naudit_interval = 3600' });
  const pool = { healthmonitor: MONITOR };
  const paired = await balance(stage, { mode: { vip_mode: 'aap', isFloating: true }, pool });
  const announced = await balance(stage, { mode: { vip_mode: 'bgp', isFloating: false }, pool });
  await plugOutsider(stage);
  scenes = { paired: await sceneOf(stage, paired), announced: await sceneOf(stage, announced) };
  for (const { balanced } of Object.values(scenes)) await awaitHealth(balanced);
}, 240_000);

afterAll(async () => {
  console.info(`faults, and seconds until the first line of the trace named them:\n${told.join('\n')}`);
  await stage?.site.close();
});

const awaitHealth = (balanced: Scene['balanced']) =>
  awaitVerdict('nothing is wrong', stage, balanced, ({ healthy }) => healthy);

it.each(CASES.map((one) => [one.fault, one.title, one] as const))(
  'says %s when %s',
  async (fault, title, { on, breaks }) => {
    const scene = scenes[on];
    const from = performance.now();
    const mend = await breaks(scene);
    try {
      const { verdict } = await awaitVerdict(title, stage, scene.balanced, (it) => it.verdict[0]?.fault === fault);
      const seconds = (performance.now() - from) / 1_000;
      told.push(`${seconds.toFixed(1).padStart(6)} s  ${fault}: ${verdict[0]?.what}`);
      expect(verdict[0]).toMatchObject({ fault });
    } finally {
      await mend();
    }
    await awaitHealth(scene.balanced);
  },
  200_000,
);
