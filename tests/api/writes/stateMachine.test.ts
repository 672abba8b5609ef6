import { type ApiResponse, startTestApi, type TestApi } from '../../support/api';
import { describeOnDatabases } from '../../support/database';
import { createTree, pendingOf, rememberRows, setStatus, type Tree } from './tree';

/** What every operation does to statuses, and from which it may be asked for. */

describeOnDatabases('the state machine', ({ open }) => {
  let api: TestApi;
  let tree: Tree;
  let restore: () => Promise<void>;
  beforeAll(async () => {
    api = await startTestApi({ open });
    tree = await createTree(api);
    restore = await rememberRows(api.db);
  });
  afterAll(() => api.close());
  beforeEach(() => restore());

  interface Operation {
    readonly name: string;
    run(): Promise<ApiResponse>;
    /** Names of objects that are no longer ACTIVE. */
    readonly marks: Record<string, string>;
    /** Whose 409 the client reads when the load balancer is not mutable. */
    readonly own?: boolean;
    /** Also possible from ERROR. */
    readonly fromError?: boolean;
  }

  const PU = 'PENDING_UPDATE';
  const PC = 'PENDING_CREATE';
  const PD = 'PENDING_DELETE';
  /** The load balancer and whatever uses the pool. */
  const USERS = { lb: PU, listener: PU, redirecting: PU };
  const url = (path: string): string => `/v2/lbaas/${path}`;
  const http = { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' };
  const check = { type: 'TCP', delay: 1, timeout: 1, max_retries: 1 };
  const path = { type: 'PATH', compare_type: 'EQUAL_TO', value: '/' };
  const name = 'renamed';

  const operations: readonly Operation[] = [
    {
      name: 'PUT of the load balancer',
      run: () => api.put(url(`loadbalancers/${tree.lb}`), { loadbalancer: { name } }),
      marks: { lb: PU },
      own: true,
    },
    {
      name: 'failover of the load balancer',
      run: () => api.put(url(`loadbalancers/${tree.lb}/failover`), {}),
      marks: { lb: PU },
      own: true,
      fromError: true,
    },
    {
      name: 'DELETE of the load balancer with everything below it',
      run: () => api.delete(url(`loadbalancers/${tree.lb}?cascade=true`)),
      marks: { lb: PD },
      own: true,
      fromError: true,
    },
    {
      name: 'POST of a listener',
      run: () =>
        api.post(url('listeners'), { listener: { loadbalancer_id: tree.lb, protocol: 'TCP', protocol_port: 90 } }),
      marks: { lb: PU, new: PC },
    },
    {
      name: 'PUT of a listener',
      run: () => api.put(url(`listeners/${tree.listener}`), { listener: { name } }),
      marks: { lb: PU, listener: PU },
    },
    {
      name: 'DELETE of a listener',
      run: () => api.delete(url(`listeners/${tree.listener}`)),
      marks: { lb: PU, listener: PD },
    },
    {
      name: 'POST of a pool',
      run: () => api.post(url('pools'), { pool: { loadbalancer_id: tree.lb, ...http } }),
      marks: { lb: PU, new: PC },
    },
    {
      name: 'POST of a pool for a listener',
      run: () => api.post(url('pools'), { pool: { listener_id: tree.bystander, ...http } }),
      marks: { lb: PU, bystander: PU, new: PC },
    },
    {
      name: 'PUT of a pool',
      run: () => api.put(url(`pools/${tree.pool}`), { pool: { name } }),
      marks: { ...USERS, pool: PU },
    },
    {
      name: 'PUT of a pool nobody uses',
      run: () => api.put(url(`pools/${tree.spare}`), { pool: { name } }),
      marks: { lb: PU, spare: PU },
    },
    { name: 'DELETE of a pool', run: () => api.delete(url(`pools/${tree.spare}`)), marks: { lb: PU, spare: PD } },
    {
      name: 'POST of a member',
      run: () => api.post(url(`pools/${tree.pool}/members`), { member: { address: '10.0.0.2', protocol_port: 80 } }),
      marks: { ...USERS, pool: PU, new: PC },
    },
    {
      name: 'PUT of a member',
      run: () => api.put(url(`pools/${tree.pool}/members/${tree.member}`), { member: { weight: 5 } }),
      marks: { ...USERS, pool: PU, member: PU },
    },
    {
      name: 'DELETE of a member',
      run: () => api.delete(url(`pools/${tree.pool}/members/${tree.member}`)),
      marks: { ...USERS, pool: PU, member: PD },
    },
    {
      name: 'a batch that replaces the members',
      run: () => api.put(url(`pools/${tree.pool}/members`), { members: [{ address: '10.0.0.9', protocol_port: 80 }] }),
      marks: { ...USERS, pool: PU, member: PD, new: PC },
    },
    {
      name: 'POST of a monitor',
      run: () => api.post(url('healthmonitors'), { healthmonitor: { pool_id: tree.spare, ...check } }),
      marks: { lb: PU, spare: PU, new: PC },
    },
    {
      name: 'PUT of a monitor',
      run: () => api.put(url(`healthmonitors/${tree.monitor}`), { healthmonitor: { delay: 7 } }),
      marks: { ...USERS, pool: PU, monitor: PU },
    },
    {
      name: 'DELETE of a monitor',
      run: () => api.delete(url(`healthmonitors/${tree.monitor}`)),
      marks: { ...USERS, pool: PU, monitor: PD },
    },
    {
      name: 'POST of an L7 policy',
      run: () => api.post(url('l7policies'), { l7policy: { listener_id: tree.listener, action: 'REJECT' } }),
      marks: { lb: PU, listener: PU, new: PC },
    },
    {
      name: 'PUT of an L7 policy',
      run: () => api.put(url(`l7policies/${tree.policy}`), { l7policy: { name } }),
      marks: { lb: PU, redirecting: PU, policy: PU },
    },
    {
      name: 'DELETE of an L7 policy',
      run: () => api.delete(url(`l7policies/${tree.policy}`)),
      marks: { lb: PU, redirecting: PU, policy: PD },
    },
    {
      name: 'POST of an L7 rule',
      run: () => api.post(url(`l7policies/${tree.policy}/rules`), { rule: path }),
      marks: { lb: PU, redirecting: PU, policy: PU, new: PC },
    },
    {
      name: 'PUT of an L7 rule',
      run: () => api.put(url(`l7policies/${tree.policy}/rules/${tree.rule}`), { rule: { value: '/x' } }),
      marks: { lb: PU, redirecting: PU, policy: PU, rule: PU },
    },
    {
      name: 'DELETE of an L7 rule',
      run: () => api.delete(url(`l7policies/${tree.policy}/rules/${tree.rule}`)),
      marks: { lb: PU, redirecting: PU, policy: PU, rule: PD },
    },
  ];

  const generationOf = async (): Promise<number> =>
    (await api.db('load_balancer').where({ id: tree.lb }).first('generation')).generation;

  describe.each(operations)('$name', ({ run, marks, own, fromError }) => {
    it('marks what it changes, and the generation says that there is work', async () => {
      const before = await generationOf();

      const { status, text } = await run();

      expect([200, 201, 202, 204]).toContain(status || text);
      expect(await pendingOf(api.db, tree)).toEqual(marks);
      expect(await generationOf()).toBe(before + 1);
    });

    it.each(['PENDING_CREATE', 'PENDING_UPDATE', 'PENDING_DELETE', 'ERROR'])(
      'meets a load balancer in %s',
      async (state) => {
        await setStatus(api.db, 'load_balancer', tree.lb, state);
        const before = await generationOf();

        const answer = await run();

        if (state === 'ERROR' && fromError) {
          expect([202, 204]).toContain(answer.status);
          return;
        }
        expect(answer.status).toBe(409);
        expect(answer.body.faultstring).toBe(
          own
            ? `Invalid state ${state} of loadbalancer resource ${tree.lb}`
            : `Load Balancer ${tree.lb} is immutable and cannot be updated.`,
        );
        expect(await pendingOf(api.db, tree)).toEqual({ lb: state });
        expect(await generationOf()).toBe(before);
      },
    );
  });

  describe('objects below a load balancer', () => {
    const members = () => url(`pools/${tree.pool}/members`);

    it.each([
      ['POST of a member', () => api.post(members(), { member: { address: '10.0.0.2', protocol_port: 80 } })],
      ['DELETE of a member', () => api.delete(`${members()}/${tree.member}`)],
      ['PUT of the monitor', () => api.put(url(`healthmonitors/${tree.monitor}`), { healthmonitor: { delay: 9 } })],
    ])('%s tests its pool first', async (_, run) => {
      await setStatus(api.db, 'pool', tree.pool, 'ERROR');
      await setStatus(api.db, 'load_balancer', tree.lb, 'PENDING_UPDATE');

      const { status, body } = await run();

      expect([status, body.faultstring]).toEqual([409, `Pool ${tree.pool} is immutable and cannot be updated.`]);
    });

    it('rules test their policy first', async () => {
      await setStatus(api.db, 'l7policy', tree.policy, 'PENDING_UPDATE');

      const { status, body } = await api.post(url(`l7policies/${tree.policy}/rules`), { rule: path });

      expect([status, body.faultstring]).toEqual([409, `L7Policy ${tree.policy} is immutable and cannot be updated.`]);
    });

    it('can be updated and deleted from ERROR', async () => {
      await setStatus(api.db, 'listener', tree.bystander, 'ERROR');
      const update = await api.put(url(`listeners/${tree.bystander}`), { listener: { name } });
      await api.settle();
      await setStatus(api.db, 'listener', tree.bystander, 'ERROR');
      const removal = await api.delete(url(`listeners/${tree.bystander}`));

      expect([update.status, removal.status]).toEqual([200, 204]);
    });

    it('that are on their way out are not called back by an update', async () => {
      await api.db('listener').where({ id: tree.bystander }).update({ provisioning_status: 'ERROR', deleting: 1 });

      const { status, body } = await api.put(url(`listeners/${tree.bystander}`), { listener: { name } });

      expect([status, body.faultstring]).toEqual([
        409,
        `Listener ${tree.bystander} is immutable and cannot be updated.`,
      ]);
      expect(await pendingOf(api.db, tree)).toEqual({ bystander: 'ERROR' });
    });
  });

  it.each(['listeners', 'pools'])(
    'POST %s below a load balancer that says DELETED is a conflict, not a miss',
    async (path) => {
      await setStatus(api.db, 'load_balancer', tree.lb, 'DELETED');
      const listener = { loadbalancer_id: tree.lb, protocol: 'HTTP', protocol_port: 99 };
      const pool = { loadbalancer_id: tree.lb, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' };

      const { status, body } = await api.post(url(path), path === 'pools' ? { pool } : { listener });

      expect([status, body.faultstring]).toEqual([409, `Load Balancer ${tree.lb} is immutable and cannot be updated.`]);
    },
  );

  describe('DELETE of a load balancer', () => {
    it('with children asks for cascade', async () => {
      const { status, body } = await api.delete(url(`loadbalancers/${tree.lb}`));

      expect(status).toBe(400);
      expect(body.faultstring).toBe(`Validation failure: Cannot delete Load Balancer ${tree.lb} - it has children`);
    });

    it('takes over from a PENDING whose deadline has passed', async () => {
      await setStatus(api.db, 'load_balancer', tree.lb, 'PENDING_UPDATE');
      await api.db('load_balancer').where({ id: tree.lb }).update({ pending_deadline: '2020-01-01 00:00:00.000' });

      const { status } = await api.delete(url(`loadbalancers/${tree.lb}?cascade=true`));

      expect(status).toBe(204);
      expect(await pendingOf(api.db, tree)).toEqual({ lb: 'PENDING_DELETE' });
    });

    it('wants the load balancer gone and leaves its children as they are', async () => {
      await api.delete(url(`loadbalancers/${tree.lb}?cascade=true`));

      const [lb] = await api.db('load_balancer').where({ id: tree.lb }).select('deleting');
      const children = await api.db('listener').where({ load_balancer_id: tree.lb, deleting: 1 });
      expect([lb.deleting, children]).toEqual([1, []]);
    });

    it('answers 404 once it is DELETED', async () => {
      await setStatus(api.db, 'load_balancer', tree.lb, 'DELETED');

      expect((await api.delete(url(`loadbalancers/${tree.lb}?cascade=true`))).status).toBe(404);
      expect((await api.put(url(`loadbalancers/${tree.lb}`), { loadbalancer: { name } })).status).toBe(404);
    });
  });
});
