import { waitUntil } from '../support/wait';
import { areServed, becomes, enginesOf, FAILURES, renderFigures, type Taken, watchStrike } from './support/failures';
import { insideEngines } from './support/insideEngine';
import { asked, type Balanced, balance, isAnsweredBy, openStage, PATIENCE, type Stage } from './support/stage';

/** What else may fail: the controllers, two engines at a time, processes of an engine. What clients notice is printed. */
/** Milliseconds, at the very most, on a machine that has other work. */
const BEARABLE = 60_000;

let stage: Stage;
let one: Balanced;
const figures: { readonly what: string; readonly mode: string; readonly taken: Taken[] }[] = [];

beforeAll(async () => {
  // The third engine serves nothing yet.
  stage = await openStage({ group: { minEngines: 3, maxEngines: 3 } });
  one = await balance(stage, { mode: { vip_mode: 'aap', isFloating: false } });
}, 180_000);

/** Whatever a machine that has other work has made of the failure before. */
beforeEach(async () => {
  await areReady(3);
  await waitUntil('two engines have it', PATIENCE, async () => (await enginesOf(stage.site, one)).length === 2);
  await asked('two engines serve', one, isAnsweredBy(2));
}, 180_000);

afterAll(async () => {
  console.info(renderFigures(figures));
  await stage?.site.close();
});

async function areReady(count: number): Promise<void> {
  await waitUntil(`${count} engines are connected`, PATIENCE, async () => {
    const up: unknown[] = await stage.site.db('service_engine').where({ status: 'READY' }).whereNotNull('connected_to');
    return up.length === count;
  });
}

async function strike(what: string, work: () => Promise<unknown>, isOver: () => Promise<unknown>): Promise<Taken> {
  const [taken] = await watchStrike([one], work, isOver);
  if (!taken) throw new Error('nobody asked');
  figures.push({ what, mode: 'address pairs', taken: [taken] });
  return taken;
}

/** A shell script for a machine: ends the processes there whose command line is like that, and them alone. */
const killAll = (pattern: string): string =>
  `for d in /proc/[0-9]*; do case "$(tr '\\0' ' ' < $d/cmdline)" in ${pattern}) kill -9 "\${d#/proc/}" ;; esac; done 2>/dev/null; true`;

const rows = (table: string): Promise<unknown[]> => stage.site.db(table).orderBy('id').pluck('id');
const count = async (name: string): Promise<number> =>
  (await stage.site.db('event').where({ name }).select('id')).length;

/** Milliseconds without any health-manager: engines whose times are read in the database are silent for long by then. */
const AWAY = 8_000;

it('serves on and tears nothing down while the only health-manager is dead, and its engines follow the next one', async () => {
  const { site } = stage;
  const state = async () => ({ engines: await rows('service_engine'), placements: await rows('placement') });
  const told = () => Promise.all(['ENGINE_DOWN', 'PLACEMENT_HEALING', 'ENGINE_RETIRED'].map(count));
  const holders = (): Promise<(string | null)[]> => site.db('service_engine').distinct().pluck('connected_to');
  const [before, events, [dead = '']] = [await state(), await told(), await holders()];

  await strike(
    'health-manager killed',
    async () => {
      const killed = Date.now();
      site.hypervisor.hangUp();
      await site.healthManager.kill();
      await waitUntil('it has been away for long', PATIENCE, () => Date.now() - killed > AWAY);
      await areServed([one]);
      expect(await state()).toEqual(before);
      await site.healthManager.start();
    },
    () =>
      waitUntil('all engines follow another one', PATIENCE, async () => {
        const now = await holders();
        return now.length === 1 && now[0] !== null && now[0] !== dead;
      }),
  );

  await areReady(3);
  expect(await state()).toEqual(before);
  expect(await told()).toEqual(events);
}, 200_000);

it('starts an agent again that is killed, while its load balancers serve', async () => {
  const [engine] = await insideEngines(stage.site, one.id, stage.front.id);
  const epoch = async (): Promise<number> =>
    (await stage.site.db('service_engine').where({ id: engine?.engineId }).first('connection_epoch')).connection_epoch;
  const before = await epoch();
  await strike(
    'agent killed',
    async () => engine?.machine(killAll('*/node\\ *cli.js\\ agent*')),
    () => waitUntil('it has called again', PATIENCE, async () => (await epoch()) > before),
  );
}, 200_000);

it('starts a haproxy again that is killed', async () => {
  const [engine] = await insideEngines(stage.site, one.id, stage.front.id);
  const crashes = await count('HAPROXY_CRASHED');
  const taken = await strike(
    'haproxy killed',
    async () => engine?.machine(killAll('haproxy\\ *')),
    async () => {
      await waitUntil('it is told', PATIENCE, async () => (await count('HAPROXY_CRASHED')) > crashes);
      await asked('two engines serve again', one, isAnsweredBy(2));
    },
  );
  expect(taken.out).toBeLessThan(BEARABLE);
}, 200_000);

it('moves to the engine that is left when two are lost at once', async () => {
  const { site } = stage;
  const both = await enginesOf(site, one);
  const [killed] = FAILURES;
  const mends: (() => Promise<void> | void)[] = [];
  const taken = await strike(
    'two engines killed at once',
    async () => {
      for (const engineId of both) mends.push((await killed?.strike(site, engineId)) ?? (() => undefined));
    },
    async () => {
      for (const engineId of both) await becomes(site, engineId, 'DOWN');
      await areServed([one]);
    },
  );
  expect(taken.lost).toBeGreaterThan(0);
  expect(taken.out).toBeLessThan(BEARABLE);
  for (const mend of mends) await mend();
  await areReady(3);
}, 250_000);
