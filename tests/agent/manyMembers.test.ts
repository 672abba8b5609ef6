import { assignServerIds } from '../../driver/agent/haproxy/layout';
import { type FakeController, startController } from '../support/agentController';
import { createEngine, type EngineUnderTest } from '../support/agentEngine';
import { aListener, aMember, aPool, aSpec } from '../support/agentSpecs';
import { spread } from '../support/agentTraffic';
import { type Backend, startBackend } from '../support/backend';

const VIP = '127.80.203.8';
const PORT = 20_080;
const MANY = 1000;

describe('a pool of a thousand members', () => {
  let controller: FakeController;
  let engine: EngineUnderTest;
  let web: Backend;
  let generation = 0;

  beforeAll(async () => {
    [controller, web] = await Promise.all([startController(), startBackend('web')]);
    engine = createEngine([controller.url]);
    await engine.start();
  });
  afterAll(async () => {
    await engine.dispose();
    await Promise.all([controller.close(), web.stop()]);
  });

  /** All at one address but for what their ids say: a server is known by its id. */
  const membersOf = (set: string) =>
    Array.from({ length: MANY }, (_, index) => aMember({ id: `${set}-${index}`, port: web.port }));
  const serve = (set: string) => {
    generation += 1;
    const pools = [aPool({ members: membersOf(set) })];
    return controller.put(aSpec({ generation, vips: [VIP], listeners: [aListener({ port: PORT })], pools }));
  };

  it('is replaced by a thousand others without a reload, also where numeric ids meet', async () => {
    const ids = (set: string) => assignServerIds(membersOf(set).map(({ id }) => id)).values();
    const taken = new Set(ids('before'));
    expect([...ids('after')].filter((id) => taken.has(id))).not.toEqual([]);

    await serve('before');
    const haproxy = engine.haproxy('lb-1');
    expect(await serve('after')).toMatchObject({ outcome: 'applied', refusals: [] });
    expect(engine.haproxy('lb-1')).toEqual(haproxy);
    expect(await spread(VIP, PORT, 10)).toEqual({ web: 10 });
  });
});
