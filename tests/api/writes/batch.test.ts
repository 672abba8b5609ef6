import { startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';
import { createTree, pendingOf, type Tree } from './tree';

/** `PUT /pools/{id}/members`: the members of the document become the pool's. The tree's pool has 10.0.0.1:80. */

describeOnDatabases('a batch of members', ({ open }) => {
  let api: TestApi;
  let tree: Tree;
  beforeEach(async () => {
    api = await startTestApi({ db: await open() });
    tree = await createTree(api);
  });
  afterEach(async () => {
    await api.close();
    await api.db.destroy();
  });

  const path = () => `/v2/lbaas/pools/${tree.pool}/members`;
  const put = (members: object[], query = '') => api.put(`${path()}${query}`, { members });
  const at = (address: string, more: object = {}) => ({ address, protocol_port: 80, ...more });
  const stored = async () => (await api.get(path())).body.members;
  const quota = async () => (await api.db('quotas').first('in_use_member')).in_use_member;

  it('creates, updates and deletes in one change', async () => {
    const { status, text } = await put([at('10.0.0.1', { weight: 9 }), at('10.0.0.2'), at('10.0.0.3')]);

    expect([status, text]).toEqual([202, '']);
    expect(await stored()).toMatchObject([
      { address: '10.0.0.1', weight: 9, id: tree.member, provisioning_status: 'PENDING_UPDATE' },
      { address: '10.0.0.2', provisioning_status: 'PENDING_CREATE', operating_status: 'OFFLINE' },
      { address: '10.0.0.3', provisioning_status: 'PENDING_CREATE' },
    ]);
    await api.settle();
    await put([at('10.0.0.3')]);
    expect((await stored()).map((one: { provisioning_status: string }) => one.provisioning_status)).toEqual([
      'PENDING_DELETE',
      'PENDING_DELETE',
      'PENDING_UPDATE',
    ]);
  });

  it('keeps name and tags that are not given, and puts everything else back to what a new member has', async () => {
    const set = { name: 'n', tags: ['t'], weight: 5, backup: true, admin_state_up: false, monitor_port: 99 };
    await put([at('10.0.0.1', set)]);
    await api.settle();

    await put([at('10.0.0.1')], '?additive_only=true');

    expect(await stored()).toMatchObject([
      { name: 'n', tags: ['t'], weight: 1, backup: false, admin_state_up: true, monitor_port: null },
    ]);
  });

  it('leaves other members alone when it only adds', async () => {
    await put([at('10.0.0.2')], '?additive_only=true');

    expect(await pendingOf(api.db, tree)).toMatchObject({ new: 'PENDING_CREATE', pool: 'PENDING_UPDATE' });
    expect(await stored()).toMatchObject([
      { provisioning_status: 'ACTIVE' },
      { provisioning_status: 'PENDING_CREATE' },
    ]);
  });

  it('an empty document deletes all; with nothing to delete it changes nothing', async () => {
    await put([]);
    expect(await pendingOf(api.db, tree)).toMatchObject({ member: 'PENDING_DELETE' });
    await api.settle();
    const generation = await api.db('load_balancer').first('generation');

    expect((await put([])).status).toBe(202);

    expect(await pendingOf(api.db, tree)).toEqual({});
    expect(await api.db('load_balancer').first('generation')).toEqual(generation);
  });

  it.each([
    [
      'an existing member',
      '10.0.0.1',
      400,
      'Validation failure: Member must be updated only once in the same request.',
    ],
    ['a new member', '10.0.0.7', 409, 'Another member on this pool is already using ip 10.0.0.7 on protocol_port 80'],
  ])('refuses %s given twice', async (_, address, status, text) => {
    const answer = await put([at(address), at(address)]);

    expect([answer.status, answer.body.faultstring]).toEqual([status, text]);
    expect(await pendingOf(api.db, tree)).toEqual({});
  });

  it('counts what is new less what goes', async () => {
    await api.db('quotas').update({ member: 2 });

    const over = await put([at('10.0.0.2'), at('10.0.0.3'), at('10.0.0.4')]);
    expect([over.status, over.body.faultstring]).toEqual([403, 'Quota has been met for resources: Member']);
    expect(await pendingOf(api.db, tree)).toEqual({});

    expect((await put([at('10.0.0.2'), at('10.0.0.3')])).status).toBe(202);
    expect(await quota()).toBe(3);
  });

  it('wants a member back that an earlier delete did not get rid of', async () => {
    await api.db('member').where({ id: tree.member }).update({ provisioning_status: 'ERROR', deleting: 1 });

    await put([at('10.0.0.1')]);

    expect(await api.db('member').where({ id: tree.member }).first()).toMatchObject({
      provisioning_status: 'PENDING_UPDATE',
      deleting: 0,
    });
  });

  it('takes a thousand members at once', async () => {
    const many = Array.from({ length: 1000 }, (_, index) => at(`10.1.${index >> 8}.${index & 255}`));

    expect((await put(many)).status).toBe(202);

    expect(await api.db('member').where({ provisioning_status: 'PENDING_CREATE' })).toHaveLength(1000);
  });
});
