import { noauthIdentity } from '../../../api/middleware/authenticate';
import { PROJECT, startTestApi, type TestApi } from '../../support/api';
import { insertGroup } from '../../support/rows';
import { type Guard, startGuard } from './guard';

const HEADERS = { 'x-project-id': PROJECT };

/** What the schemathesis runs rely on: without it they would pass whatever happened. */
describe('the guard of an API under test', () => {
  let api: TestApi;
  let guard: Guard;
  let leaveTrace = false;
  beforeAll(async () => {
    api = await startTestApi({
      authenticate: async (headers) => {
        if (leaveTrace) await insertGroup(api.db);
        return noauthIdentity(headers);
      },
    });
    guard = await startGuard({ api, headers: HEADERS, projectId: PROJECT, subnetId: PROJECT });
  });
  afterAll(async () => {
    await guard.close();
    await api.close();
  });

  const ask = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${guard.url}/v2/lbaas${path}`, {
      method,
      headers: { ...HEADERS, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });

  it('finds nothing wrong with reads, refusals and changes that are as they should be', async () => {
    expect((await ask('GET', '/loadbalancers')).status).toBe(200);
    expect((await ask('POST', '/pools', { pool: {} })).status).toBe(400);
    expect((await ask('POST', '/loadbalancers', { loadbalancer: { vip_subnet_id: PROJECT } })).status).toBe(201);
    expect(guard.faults).toEqual([]);
    expect(guard.changes).toBe(1);
  });

  it('plants anew what has been deleted', async () => {
    const planted = async (): Promise<{ paths: Record<string, string> }> =>
      (await fetch(`${guard.url}/-/planted`)).json() as Promise<{ paths: Record<string, string> }>;
    const { paths } = await planted();
    expect((await ask('DELETE', `/loadbalancers/${paths['loadbalancer_id']}?cascade=true`)).status).toBe(204);
    const { paths: anew } = await planted();
    expect(anew['loadbalancer_id']).not.toBe(paths['loadbalancer_id']);
    expect((await ask('GET', `/pools/${anew['pool_id']}/members/${anew['member_id']}`)).status).toBe(200);
  });

  it('notices the trace of a refused request, and that of a read', async () => {
    leaveTrace = true;
    await ask('POST', '/pools', { pool: {} });
    await ask('GET', '/loadbalancers');
    leaveTrace = false;
    expect(guard.faults).toEqual([
      expect.stringMatching(/^400 and a trace in the database after POST/),
      expect.stringMatching(/^200 and a trace in the database after GET/),
    ]);
  });
});
