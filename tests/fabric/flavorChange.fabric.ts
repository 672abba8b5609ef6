import { waitUntil } from '../support/wait';
import { PAIRS } from './support/drifts';
import { enginesOf } from './support/failures';
import { type InsideEngine, insideEngines } from './support/insideEngine';
import { asked, type Balanced, balance, enginesIn, isAnsweredBy, MODES, openStage, type Stage } from './support/stage';
import { type Answers, keepAsking } from './support/traffic';

/** Live load balancers are given other flavors, with clients on them: they go to other engines, and no request is lost. */

const GOLD = { name: 'gold', ha_mode: 'active_active', min_se: 2, buffer_se: 0, max_se: 2, vs_scalein_timeout: 2 };
const CLIENTS = 3;
/** Engines are made meanwhile. */
const LONG = 120_000;

interface Changed extends Balanced {
  readonly title: string;
  readonly vipMode: string;
}

let stage: Stage;
const balanced: Changed[] = [];

beforeAll(async () => {
  stage = await openStage({
    group: { haMode: 'n_plus_m', minEngines: 2, maxEngines: 2, minScaleout: 1, maxScaleout: 2, scaleinTimeout: 2 },
  });
  await stage.site.api('POST', '/v2/slipstream/service-engine-groups', { service_engine_group: GOLD });
  for (const mode of MODES.filter(({ isFloating }) => !isFloating)) {
    const one = await balance(stage, { mode });
    balanced.push({ ...one, title: mode.name, vipMode: mode.vip_mode });
  }
  await Promise.all(balanced.map((one) => asked(`${one.title}: one engine answers`, one, isAnsweredBy(1))));
}, 180_000);

afterAll(async () => {
  await stage?.site.close();
});

/** Asks all of them until `work` is done; tells what it was, and gives what was lost. */
async function underLoad(what: string, work: () => Promise<unknown>): Promise<string[]> {
  const asking = balanced.map(({ asker, url }) =>
    keepAsking(asker, { url, parallel: CLIENTS, timeout: 60_000, pause: 20 }),
  );
  await Promise.all(asking.map(({ begun }) => begun));
  const began = Date.now();
  await work();
  const seconds = (Date.now() - began) / 1000;
  const heard = await Promise.all(asking.map((one) => one.stop()));
  const lost = heard.map(({ failures }) => failures.map(({ at, error }) => ({ after: (at - began) / 1000, error })));
  for (const [index, { title }] of balanced.entries()) {
    const { answers, slow } = heard[index] ?? NONE;
    const times = (lost[index] ?? []).map(({ after }) => after);
    const out = times.length === 0 ? 0 : Math.max(...times) - Math.min(...times);
    const longest = Math.max(0, ...slow.map(({ took }) => took));
    const answered = Object.values(answers).reduce((all, count) => all + count, 0);
    console.info(
      `${what}, ${title}: ${seconds.toFixed(1)} s, ${answered} requests answered, ${times.length} lost, out ${out.toFixed(1)} s, ${slow.length} of 0.9 s or more, the longest ${longest} ms`,
    );
  }
  return lost.flatMap((of, index) =>
    of.map(({ after, error }) => `${balanced[index]?.title}, ${after.toFixed(2)} s: ${error}`),
  );
}

const NONE: Answers = { answers: {}, failures: [], from: {}, statuses: {}, slow: [] };

/** Gives all of them the flavor, and waits until they are where it says. */
async function change(flavor: object, isThere: (engines: string[]) => boolean): Promise<void> {
  const { api, flavor: make, reaches } = stage.site;
  for (const { id, vipMode } of balanced) {
    const flavor_id = await make({ vip_mode: vipMode, ...flavor });
    await api('POST', `/v2/slipstream/loadbalancers/${id}/flavor`, { flavor: { flavor_id } });
  }
  for (const one of balanced) {
    await waitUntil(`${one.title} is where its flavor says`, LONG, async () => isThere(await placedOn(one)));
    await reaches(one.id);
    await asked(`${one.title}: two engines answer`, one, (answers) => isTwo(answers));
  }
}

const isTwo = (answers: Answers): boolean => isAnsweredBy(2)(answers) && enginesIn(answers) === 2;

/** Also such as it is only leaving. */
async function placedOn({ id }: Changed): Promise<string[]> {
  return stage.site.db('placement').where({ load_balancer_id: id }).distinct().pluck('service_engine_id');
}

/** Addresses of VIPs that are paired with ports of these engines. */
async function pairedWith(engineIds: readonly string[]): Promise<string[]> {
  const ports: string[] = await stage.site
    .db('se_vnic')
    .whereIn('service_engine_id', engineIds)
    .whereNotNull('port_id')
    .pluck('port_id');
  const { store } = stage.site.cloud.contrail.contrail;
  const text = JSON.stringify(ports.map((port) => store.get('virtual-machine-interface', port)?.properties[PAIRS]));
  return balanced.map(({ vip }) => vip).filter((vip) => text.includes(`"${vip}"`));
}

/** What an engine still has of them: addresses, and processes that know their ids. */
async function remembered(engine: InsideEngine): Promise<string> {
  const addresses = await engine.machine('ip -all netns exec ip -o address show');
  return addresses
    .split('\n')
    .filter((line) => balanced.some(({ vip }) => line.includes(` ${vip}/`)))
    .join('\n');
}

it('goes from one engine to two, and then to those of another group', async () => {
  const [first] = balanced;
  if (!first) throw new Error('there is no load balancer');
  const before = (await Promise.all(balanced.map((one) => enginesOf(stage.site, one)))).flat();
  const toTwo = await underLoad('one engine to two', () =>
    change({ ha_mode: 'active_active' }, (engines) => engines.length === 2),
  );

  const old = await insideEngines(stage.site, first.id, stage.front.id);
  const oldIds = old.map(({ engineId }) => engineId);
  expect(oldIds).toEqual(expect.arrayContaining(before));
  expect(await pairedWith(oldIds)).toContain(first.vip);
  expect(await Promise.all(old.map(remembered))).not.toContain('');

  const toGold = await underLoad('to engines of another group', () =>
    change(
      { service_engine_group: 'gold' },
      (engines) => engines.length === 2 && !engines.some((id) => oldIds.includes(id)),
    ),
  );

  expect([...toTwo, ...toGold]).toEqual([]);
  await waitUntil('the old engines are not wired', LONG, async () => (await pairedWith(oldIds)).length === 0);
  await waitUntil('the old engines have forgotten them', LONG, async () => {
    const found = await Promise.all(old.map(remembered));
    return found.every((text) => text === '');
  });
}, 400_000);
