import { BGP_CASES } from './support/faults/bgp';
import { awaitVerdict, type FaultCase, type Scene, sceneOf, type Verdict } from './support/faults/case';
import { ENGINE_CASES } from './support/faults/engine';
import { openFlows } from './support/faults/flows';
import { beginGhost, type Ghost } from './support/faults/ghost';
import { OBJECT_CASES } from './support/faults/objects';
import { pageWith, renderShown, type Shown, structureOf, traceIn } from './support/faults/page';
import { WIRING_CASES } from './support/faults/wiring';
import { balance, openStage, plugOutsider, type Stage } from './support/stage';

/** Each breaks a healthy VIP in one way and has the trace say which: in its first line. */
const CASES: readonly FaultCase[] = [...OBJECT_CASES, ...WIRING_CASES, ...BGP_CASES, ...ENGINE_CASES];
const MONITOR = { type: 'HTTP', delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1 };
const HEALTHY = 'Healthy';
// What is broken is to stay so until it is mended by hand; an engine that does not call home soon is a ghost.
const SETTINGS = '[house_keeping]\naudit_interval = 3600\n[service_engine]\nse_create_timeout = 60';
const told: string[] = [];
const shown: Shown[] = [];

let stage: Stage;
let scenes: Readonly<Record<FaultCase['on'], Scene>>;
let ghost: Ghost;

beforeAll(async () => {
  stage = await openStage({ settings: SETTINGS, group: { maxEngines: 2 } });
  const pool = { healthmonitor: MONITOR };
  const paired = await balance(stage, { mode: { vip_mode: 'aap', isFloating: true }, pool });
  const announced = await balance(stage, { mode: { vip_mode: 'bgp', isFloating: false }, pool });
  await plugOutsider(stage);
  scenes = { paired: await sceneOf(stage, paired), announced: await sceneOf(stage, announced) };
  for (const { balanced } of Object.values(scenes)) await awaitHealth(balanced);
  // It takes its time, while the others go on.
  ghost = await beginGhost(stage);
}, 240_000);

afterAll(async () => {
  console.info(`faults, and seconds until the first line of the trace named them:\n${told.join('\n')}`);
  await stage?.site.close();
});

const awaitHealth = (balanced: Pick<Scene['balanced'], 'id'>) =>
  awaitVerdict('nothing is wrong', stage, balanced, ({ healthy }) => healthy);

async function awaitFault(
  [title, fault]: readonly [string, string],
  balanced: Pick<Scene['balanced'], 'id'>,
  from: number,
) {
  const trace = await awaitVerdict(title, stage, balanced, (it) => it.verdict[0]?.fault === fault);
  const seconds = (performance.now() - from) / 1_000;
  told.push(`${seconds.toFixed(1).padStart(6)} s  ${fault}: ${trace.verdict[0]?.what}`);
  return trace;
}

it.each(['paired', 'announced'] as const)(
  'finds all of a healthy VIP right, down to the vRouters: %s',
  async (which) => {
    const { balanced } = scenes[which];
    const isAllRight = ({ healthy, lines }: Verdict) =>
      healthy && lines.every(({ status }) => status === 'ok' || status === 'info');
    const trace = await awaitVerdict('all is right, and was read', stage, balanced, isAllRight);

    const textsOf = (section: string) => trace.lines.flatMap((it) => (it.section === section ? [it.text] : []));
    expect(textsOf('control-nodes').filter((text) => text.includes(`${balanced.vip}/32`))).toEqual([
      expect.stringMatching(/^control-1: .* label \d+ .* label \d+ .*\(ECMP\)$/),
      expect.stringMatching(/^control-2: .* label \d+ .* label \d+ .*\(ECMP\)$/),
    ]);
    expect(textsOf('vRouters').filter((text) => text.includes(`${balanced.vip}/32 in`))).toEqual(
      Array(2).fill(
        expect.stringMatching(/-> Composite \d+ of 2: Interface t\w+ label \d+ \| Tunnel [\d.]+ label \d+$/),
      ),
    );
    if (which === 'paired') shown.push({ heading: HEALTHY, trace });
  },
  200_000,
);

it.each(['paired', 'announced'] as const)(
  'says which engine a flow takes, and it takes that one: %s',
  async (which) => {
    const flows = openFlows(scenes[which]);
    const foretold = await flows.foretell();

    expect(new Set(foretold.values()).size).toBe(2);
    expect(await flows.send([...foretold.keys()])).toEqual(Object.fromEntries(foretold));
  },
  200_000,
);

it.each(CASES.map((one) => [one.fault, one.title, one] as const))(
  'says %s when %s',
  async (fault, title, { on, breaks, shown: heading }) => {
    const scene = scenes[on];
    const from = performance.now();
    const mend = await breaks(scene);
    try {
      const trace = await awaitFault([title, fault], scene.balanced, from);
      expect(trace.verdict[0]).toMatchObject({ fault });
      if (heading !== undefined) shown.push({ heading, trace });
    } finally {
      await mend();
    }
    await awaitHealth(scene.balanced);
  },
  200_000,
);

it('says engine-ghost when an engine has never called home, and management-dhcp-off when that is why', async () => {
  await awaitFault(['an engine has never called home', 'engine-ghost'], ghost.balanced, ghost.from);
  const from = performance.now();
  const mend = await ghost.switchOffDhcp();
  await awaitFault(['DHCP is off in the management network', 'management-dhcp-off'], ghost.balanced, from);
  await mend();
  await ghost.letIn();
  await awaitHealth(ghost.balanced);
}, 200_000);

it('has the traces of the troubleshooting page as they are', () => {
  const page = pageWith(shown);

  for (const { heading, trace } of shown) {
    expect([heading, ...structureOf(traceIn(page, heading))]).toEqual([heading, ...structureOf(renderShown(trace))]);
  }
  expect(shown).toHaveLength(6);
});
