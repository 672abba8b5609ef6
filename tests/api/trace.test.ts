import { ENGINES_TOPIC } from '../../driver/bus/port';
import { answerQuestion, beginQuestion, listQuestions } from '../../driver/db/inspections';
import { PROJECT, startTestApi, type TestApi } from '../support/api';
import { describeOnDatabases } from '../support/database';
import { insertEngine, insertGroup, insertLoadBalancer, insertPlacement } from '../support/rows';
import { anInspection } from '../trace/facts';

const TABLES = ['inspection', 'placement', 'service_engine', 'service_engine_group', 'load_balancer'];
const UNKNOWN = '99999999-9999-4999-8999-999999999999';

describeOnDatabases('traces', (database) => {
  let api: TestApi;
  let lb: string;
  beforeAll(async () => {
    api = await startTestApi({ db: await database.open() });
    // In the place of a health-manager with an engine.
    await api.bus.subscribeBroadcast(ENGINES_TOPIC, async ({ method }) => {
      if (method !== 'inspections') return;
      for (const { id, service_engine_id: engineId } of await listQuestions(api.db, 'hm-1')) {
        if (!(await beginQuestion(api.db, id))) continue;
        const answer = { type: 'inspection', inspectionId: id, problem: null, facts: anInspection('1') };
        await answerQuestion(api.db, id, { engineId, answer: JSON.stringify(answer) });
      }
    });
  });
  beforeEach(async () => {
    for (const table of TABLES) await api.db(table).delete();
    const group = (await insertGroup(api.db)).id;
    lb = (await insertLoadBalancer(api.db, { project_id: PROJECT, name: '<b>web</b>' })).id;
    for (const [name, connected_to] of [
      ['se-a', 'hm-1'],
      ['se-dead', null],
    ] as const) {
      const { id } = await insertEngine(api.db, { service_engine_group_id: group, name, connected_to });
      await insertPlacement(api.db, { load_balancer_id: lb, service_engine_id: id });
    }
  });
  afterAll(() => api.close());

  const path = (id = lb) => `/v2/slipstream/loadbalancers/${id}/trace`;

  it('say what is wrong first, and where everything was read', async () => {
    const { status, body } = await api.get(path());

    expect(status).toBe(200);
    expect(body.trace).toMatchObject({ loadbalancer_id: lb, healthy: false });
    expect(body.trace.verdict[0]).toMatchObject({ fault: 'no-listener', read: 'database' });
    const texts: string[] = body.trace.lines.map(({ text }: { text: string }) => text);
    expect(texts).toContainEqual(expect.stringContaining('engine se-a: haproxy answers'));
    expect(texts).toContainEqual(expect.stringContaining('engine se-dead: its agent is not connected'));
    expect(await api.db('inspection').select('id')).toEqual([]);
  });

  it('are a page that shows names as they are', async () => {
    const { status, text } = await api.get(`${path()}?format=html`);

    expect(status).toBe(200);
    expect(text).toMatch(/^<!doctype html>/);
    expect(text).toContain('&lt;b&gt;web&lt;/b&gt;');
    expect(text).not.toContain('<b>web');
  });

  it('are a page for whoever accepts one, and JSON for everybody else', async () => {
    const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
    const typeFor = async (Accept: string, query = '') => {
      const { status, headers } = await api.get(`${path()}${query}`, { Accept });
      return [status, headers.get('content-type')?.split(';')[0], headers.get('vary')];
    };

    expect(await typeFor('text/html')).toEqual([200, 'text/html', 'Accept']);
    expect(await typeFor(browser)).toEqual([200, 'text/html', 'Accept']);
    expect(await typeFor('*/*')).toEqual([200, 'application/json', 'Accept']);
    expect(await typeFor('application/json, text/html;q=0.5')).toEqual([200, 'application/json', 'Accept']);
    expect(await typeFor(browser, '?format=json')).toEqual([200, 'application/json', null]);
    expect((await typeFor('image/png'))[0]).toBe(406);
    expect((await api.get('/v2/lbaas/loadbalancers', { Accept: 'text/html' })).status).toBe(406);
  });

  it('refuse a flow that is none, and load balancers that are not there', async () => {
    expect((await api.get(`${path()}?flow=nonsense`)).status).toBe(400);
    expect((await api.get(path(UNKNOWN))).status).toBe(404);
  });
});
