import { startTestApi, type TestApi } from '../support/api';
import { describeOnDatabases } from '../support/database';
import { insertEngine } from '../support/rows';

const GROUPS = '/v2/slipstream/service-engine-groups';

describeOnDatabases('rolling upgrades', (database) => {
  let api: TestApi;
  let path: string;
  beforeAll(async () => {
    api = await startTestApi({ db: await database.open() });
    const { body } = await api.post(GROUPS, { service_engine_group: { name: 'gold' } });
    path = `${GROUPS}/${body.service_engine_group.id}/upgrade`;
    await insertEngine(api.db, { service_engine_group_id: body.service_engine_group.id });
  });
  afterAll(() => api.close());

  const act = (action: string) => api.post(`${path}/action`, { upgrade: { action } });

  it('are started, shown, paused, resumed and undone, one at a time', async () => {
    expect((await api.get(path)).status).toBe(404);
    const begun = await api.post(path, { upgrade: { image_tag: 'engine-2', parallel: 2 } });
    expect([begun.status, begun.body.upgrade]).toEqual([
      202,
      expect.objectContaining({ status: 'RUNNING', image_tag: 'engine-2', parallel: 2, engines: 1, proven: false }),
    ]);
    expect((await api.get(path)).body).toEqual(begun.body);
    expect((await api.post(path, { upgrade: { image_tag: 'engine-3' } })).status).toBe(409);

    expect((await act('pause')).body.upgrade.status).toBe('PAUSED');
    expect((await act('pause')).status).toBe(409);
    expect((await act('resume')).body.upgrade.status).toBe('RUNNING');
    expect((await act('undo')).body.upgrade.status).toBe('UNDOING');
    expect((await act('turn')).status).toBe(400);
    const events: string[] = await api.db('event').where('name', 'like', 'UPGRADE%').orderBy('name').pluck('name');
    expect(events).toEqual(['UPGRADE_PAUSED', 'UPGRADE_RESUMED', 'UPGRADE_STARTED', 'UPGRADE_UNDO']);
  });

  it('are of groups that there are', async () => {
    const nowhere = `${GROUPS}/00000000-0000-4000-8000-000000000000/upgrade`;
    expect((await api.post(nowhere, { upgrade: { image_tag: 'engine-2' } })).status).toBe(404);
  });
});
