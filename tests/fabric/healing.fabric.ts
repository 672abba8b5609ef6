import { waitUntil } from '../support/wait';
import { cut, type Outage, watchOutage } from './support/outages';
import { asked, type Balanced, balance, isAnsweredBy, openStage, PATIENCE, type Stage } from './support/stage';

/** Engines are lost one way or another; what clients notice of it is printed. */
/** Seconds, on a machine that has other work: on a quiet one it is a third of that. */
const BEARABLE = 40;

let stage: Stage;
let one: Balanced;

beforeAll(async () => {
  stage = await openStage({
    group: { maxEngines: 4, minEngines: 3, minScaleout: 1, algorithm: 'packed', haMode: 'n_plus_m' },
    settings: '[service_engine]\ncut_after = 2\ncut_over_after = 3',
  });
  one = await balance(stage, { mode: { vip_mode: 'aap', isFloating: false } });
  await asked('one engine answers', one, isAnsweredBy(1));
}, 180_000);

afterAll(async () => {
  await stage?.site.close();
});

const enginesOf = (): Promise<string[]> =>
  stage.site.db('placement').where({ load_balancer_id: one.id, deleting: 0 }).pluck('service_engine_id');
const events = (name: string): Promise<unknown[]> => stage.site.db('event').where({ name });

function tell(what: string, { lost, seconds }: Outage): void {
  console.info(`${what}: ${lost} requests lost, ${seconds.toFixed(1)} s out`);
}

async function fleetIsUp(engines: number): Promise<void> {
  await waitUntil(`${engines} engines are up`, PATIENCE, async () => {
    const up: unknown[] = await stage.site.db('service_engine').where({ status: 'READY' }).whereNotNull('connected_to');
    return up.length >= engines;
  });
}

it('moves to a spare engine when the host of its own is lost, and takes the dead one down once its server is gone', async () => {
  await fleetIsUp(3);
  const [lost = ''] = await enginesOf();
  const { compute_id: serverId } = await stage.site.db('service_engine').where({ id: lost }).first('compute_id');
  const outage = await watchOutage(one);
  await cut(stage.site, lost, ['management', 'data']);
  await waitUntil('it is on another engine', PATIENCE, async () => {
    const engines = await enginesOf();
    return engines.length === 1 && engines[0] !== lost;
  });
  await asked('another engine answers', one, isAnsweredBy(1));
  tell('host lost', await outage.stop());
  expect(await events('PLACEMENT_HEALING')).toHaveLength(1);

  stage.site.cloud.nova.nova.model.servers.delete(serverId);
  await waitUntil('the dead engine is gone', PATIENCE, async () => {
    return (await stage.site.db('service_engine').where({ id: lost })).length === 0;
  });
  await fleetIsUp(3);
}, 250_000);

it('leaves an engine whose data network alone is cut for a spare one, and trusts it again once that is mended', async () => {
  const [lost = ''] = await enginesOf();
  const obstacleTo = async (engineId: string): Promise<string | null> => {
    const { placement_plan: plan } = await stage.site.api('GET', `/v2/slipstream/placement-plans/${one.id}`);
    return plan.engines.find(({ id }: { id: string }) => id === engineId).obstacle;
  };
  const reach = async (): Promise<{ gateway?: number }> =>
    (await stage.site.db('engine_reach').where({ service_engine_id: lost }).first('gateway')) ?? {};
  await waitUntil('its gateway has answered', PATIENCE, async () => (await reach()).gateway === 1);
  const outage = await watchOutage(one);
  const mend = await cut(stage.site, lost, ['data']);
  await waitUntil('it is on another engine', PATIENCE, async () => {
    const engines = await enginesOf();
    return engines.length === 1 && engines[0] !== lost;
  });
  await asked('another engine answers', one, isAnsweredBy(1));
  const noticed = await outage.stop();
  tell('data network cut', noticed);
  expect(noticed.seconds).toBeLessThan(BEARABLE);
  expect(await events('ENGINE_CUT')).toContainEqual(
    expect.objectContaining({ service_engine_id: lost, message: expect.stringContaining('its gateway') }),
  );
  expect(await obstacleTo(lost)).toBe('cut from its network');
  expect(await stage.site.db('service_engine').where({ id: lost }).first('status', 'deleting')).toMatchObject({
    ...{ status: 'READY', deleting: 0 },
  });

  await mend();
  await waitUntil('it is trusted again', PATIENCE, async () => (await events('ENGINE_CUT_OVER')).length === 1);
  expect(await obstacleTo(lost)).toBeNull();
  const migrate = { from: (await enginesOf())[0], to: lost };
  await stage.site.api('POST', `/v2/slipstream/loadbalancers/${one.id}/migrate`, { migrate });
  await waitUntil('it is back', PATIENCE, async () => (await enginesOf()).join() === lost);
  await asked('it answers again', one, isAnsweredBy(1));
}, 250_000);

it('leaves an engine alone that only lost its management network while others hear it', async () => {
  // Two engines in the VIP network hear one another.
  await stage.site.api('POST', `/v2/slipstream/loadbalancers/${one.id}/scaleout`, { scaleout: { count: 1 } });
  await stage.site.reaches(one.id);
  await asked('two engines answer', one, isAnsweredBy(2));
  const engines = (await enginesOf()).sort();
  await waitUntil('they hear one another', PATIENCE, async () => {
    return (await stage.site.db('engine_hearing').whereIn('observer_id', engines).where({ heard: 1 })).length >= 2;
  });
  const healed = (await events('PLACEMENT_HEALING')).length;
  const outage = await watchOutage(one);
  const mend = await cut(stage.site, engines[0] ?? '', ['management']);
  await waitUntil('it is known to be isolated', PATIENCE, async () => (await events('ENGINE_ISOLATED')).length === 1);
  await mend();
  await waitUntil('it is back', PATIENCE, async () => (await events('ENGINE_REJOINED')).length === 1);
  await asked('two engines answer again', one, isAnsweredBy(2));
  tell('management network cut', await outage.stop());
  expect((await enginesOf()).sort()).toEqual(engines);
  expect(await events('PLACEMENT_HEALING')).toHaveLength(healed);
}, 250_000);
