import { waitUntil } from '../support/wait';
import { enginesOf } from './support/failures';
import { asked, type Balanced, balance, isAnsweredBy, openStage, PATIENCE, type Stage } from './support/stage';
import { type Answers, type Asking, keepAsking } from './support/traffic';

/** Engines are replaced, and rebooted, under load: no request is lost. */

/** Boots and moves take their time where others are at work. */
const LONG = 200_000;
const CLIENTS = 4;

let stage: Stage;
const balanced: Balanced[] = [];

beforeAll(async () => {
  stage = await openStage({
    group: { haMode: 'n_plus_m', minEngines: 2, maxEngines: 3, minScaleout: 1, maxScaleout: 3, scaleinTimeout: 2 },
    settings: '[service_engine]\nupgrade_soak = 5',
  });
  for (let index = 0; index < 2; index += 1) {
    const one = await balance(stage, { mode: { vip_mode: 'aap', isFloating: false } });
    await asked('one engine answers', one, isAnsweredBy(1));
    balanced.push(one);
  }
}, 180_000);

afterAll(async () => {
  await stage?.site.close();
});

interface Engine {
  readonly id: string;
  readonly computeId: string;
  readonly imageId: string | undefined;
}

/** Those that are to stay, with what their servers are made of. */
async function fleet(): Promise<Engine[]> {
  const { db, cloud } = stage.site;
  const rows: { id: string; compute_id: string }[] = await db('service_engine')
    .where({ deleting: 0 })
    .select('id', 'compute_id');
  const { servers } = cloud.nova.nova.model;
  return rows.map(({ id, compute_id: computeId }) => ({ id, computeId, imageId: servers.get(computeId)?.imageId }));
}

const groupUrl = async (): Promise<string> => {
  const { id } = await stage.site.db('service_engine_group').where({ name: 'default' }).first('id');
  return `/v2/slipstream/service-engine-groups/${id}/upgrade`;
};
const events = (name: string): Promise<string[]> => stage.site.db('event').where({ name }).pluck('message');

/** Asks all load balancers until `work` is done. */
async function underLoad(what: string, work: () => Promise<unknown>): Promise<Answers[]> {
  const asking: Asking[] = balanced.map(({ asker, url }) =>
    keepAsking(asker, { url, parallel: CLIENTS, timeout: 20_000, pause: 50 }),
  );
  await Promise.all(asking.map(({ begun }) => begun));
  const began = Date.now();
  await work();
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  const answers = await Promise.all(asking.map((one) => one.stop()));
  const sum = answers.flatMap((it) => Object.values(it.answers)).reduce((all, it) => all + it, 0);
  const failures = answers.flatMap((it) => it.failures);
  console.info(`${what}: ${seconds} s, ${sum} requests answered, ${failures.length} lost`);
  return answers;
}

it('replaces all engines of a group by such of another image, and no request is lost', async () => {
  const before = await fleet();
  const url = await groupUrl();
  const answers = await underLoad('rolling upgrade', async () => {
    await stage.site.api('POST', url, { upgrade: { image_tag: 'engine-2' } });
    await waitUntil('the upgrade has ended', LONG, async () => {
      const { upgrade } = await stage.site.api('GET', url);
      if (upgrade.status === 'STOPPED') throw new Error(`it stopped: ${await events('UPGRADE_STOPPED')}`);
      return upgrade.status === 'DONE';
    });
  });
  const after = await fleet();

  expect(before.map(({ imageId }) => imageId)).toEqual(before.map(() => 'image-engine'));
  expect(after.map(({ imageId }) => imageId)).toEqual(before.map(() => 'image-engine-2'));
  expect(await events('UPGRADE_PROVEN')).toHaveLength(1);
  expect(answers.flatMap(({ failures }) => failures)).toEqual([]);
}, 300_000);

it('reboots an engine once its load balancers have moved, and no request is lost', async () => {
  const { site } = stage;
  const [one] = balanced;
  const [engineId = ''] = one ? await enginesOf(site, one) : [];
  const engine = (await fleet()).find(({ id }) => id === engineId);
  const answers = await underLoad('reboot', async () => {
    await site.api('POST', `/v2/slipstream/service-engines/${engineId}/reboot`, {});
    await waitUntil('it is rebooted', LONG, async () => {
      const [failure] = await events('ENGINE_REBOOT_FAILED');
      if (failure) throw new Error(failure);
      return (await events('ENGINE_REBOOTED')).length === 1;
    });
  });

  const server = site.cloud.nova.nova.model.servers.get(engine?.computeId ?? '');
  expect(server?.actions).toEqual(['create', 'reboot']);
  expect(await site.db('service_engine').where({ id: engineId }).first('status')).toEqual({ status: 'READY' });
  await waitUntil(
    'it is left alone',
    PATIENCE,
    async () => one !== undefined && !(await enginesOf(site, one)).includes(engineId),
  );
  expect(answers.flatMap(({ failures }) => failures)).toEqual([]);
}, 300_000);
