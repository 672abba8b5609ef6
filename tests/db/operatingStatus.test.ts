import type { Db } from '../../driver/db/connect';
import { applyStatusChanges, loadStatusSubjects } from '../../driver/db/operatingStatus';
import { describeOnDatabases } from '../support/database';
import {
  addEngine,
  addGroup,
  addListener,
  addLoadBalancer,
  addMember,
  addMonitor,
  addPlacement,
  addPool,
  columnOf,
} from '../support/fleetRows';

describeOnDatabases('operating statuses', (database) => {
  let db: Db;
  beforeAll(async () => {
    db = await database.open();
  });

  it('reads what statuses follow from, and nothing of what is not there', async () => {
    const engine = await addEngine(db, await addGroup(db), { status: 'READY', connected_to: 'hm' });
    const lb = await addLoadBalancer(db, { settled_generation: 7, generation: 8 });
    const bare = await addLoadBalancer(db);
    const gone = await addLoadBalancer(db, { provisioning_status: 'DELETED' });
    const listener = await addListener(db, lb, { deleting: 1 });
    const [pool, plain] = [await addPool(db, lb), await addPool(db, lb, { enabled: 0 })];
    const member = await addMember(db, pool, { operating_status: 'ERROR' });
    await addMonitor(db, pool, { enabled: 0 });
    await addPlacement(db, { loadBalancerId: lb, engineId: engine.id });
    const other = await addEngine(db, await addGroup(db));
    await addPlacement(db, { loadBalancerId: lb, engineId: other.id }, { deleting: 1 });

    const subjects = await loadStatusSubjects(db, [lb, bare, gone]);

    expect(subjects.map(({ id }) => id).sort()).toEqual([lb, bare].sort());
    expect(subjects.find(({ id }) => id === bare)).toMatchObject({ listeners: [], pools: [], placements: [] });
    const subject = subjects.find(({ id }) => id === lb);
    expect(subject).toMatchObject({ settledGeneration: 7, enabled: true });
    expect(subject?.listeners).toMatchObject([{ id: listener, deleting: true }]);
    expect(subject?.pools.find(({ id }) => id === plain)).toMatchObject({ enabled: false, monitor: null, members: [] });
    expect(subject?.pools.find(({ id }) => id === pool)).toMatchObject({
      monitor: { enabled: false, deleting: false },
      members: [{ id: member, operatingStatus: 'ERROR' }],
    });
    expect(subject?.placements).toMatchObject([{ engineId: engine.id, engineStatus: 'READY', connectedTo: 'hm' }]);
  });

  it('takes up to a hundred at a time', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 12; i += 1) ids.push(await addLoadBalancer(db));

    expect(await loadStatusSubjects(db, ids)).toHaveLength(12);
    expect(await loadStatusSubjects(db, [])).toEqual([]);
    await expect(loadStatusSubjects(db, new Array(101).fill('x'))).rejects.toThrow(RangeError);
  });

  it('writes a status only over the one that was judged', async () => {
    const pool = await addPool(db, await addLoadBalancer(db));
    const [same, moved] = [
      await addMember(db, pool, { operating_status: 'ONLINE' }),
      await addMember(db, pool, { operating_status: 'OFFLINE' }),
    ];
    const down = (id: string) => ({ kind: 'member', id, from: 'ONLINE', to: 'ERROR' }) as const;
    const poolUp = { kind: 'pool', id: pool, from: 'OFFLINE', to: 'ONLINE' } as const;

    const made = await db.transaction((trx) => applyStatusChanges(trx, [down(same), down(moved), poolUp]));

    expect(made).toEqual([poolUp]);
    expect(await columnOf(db, 'member', same, 'operating_status')).toBe('ERROR');
    expect(await columnOf(db, 'member', moved, 'operating_status')).toBe('OFFLINE');
  });
});
