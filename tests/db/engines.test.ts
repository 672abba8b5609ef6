import { randomUUID } from 'node:crypto';
import { confirmPlacement, confirmRemoval, listUnconfirmed } from '../../driver/db/confirmations';
import { type Db, inTransaction } from '../../driver/db/connect';
import {
  dropConnection,
  listSilentEngines,
  recordHeartbeats,
  silenceEngine,
  takeConnection,
} from '../../driver/db/engineConnections';
import {
  findEngine,
  listWaitingLoadBalancers,
  removeEngine,
  retireEngine,
  startBuilding,
} from '../../driver/db/engines';
import { listVnics, needVnic, recordVnicPort, removeVnic } from '../../driver/db/vnics';
import { describeOnDatabases } from '../support/database';
import { addEngine, addGroup, addLoadBalancer, addPlacement, columnOf } from '../support/fleetRows';

describeOnDatabases('engines', (database) => {
  let db: Db;
  let engineId: string;
  beforeAll(async () => {
    db = await database.open();
  });
  beforeEach(async () => {
    engineId = (await addEngine(db, await addGroup(db))).id;
  });
  const up = { from: 'BUILDING', to: 'READY' } as const;
  const connect = (epoch: number, connectedTo = 'hm-1') =>
    takeConnection(db, { engineId, epoch }, { connectedTo, status: epoch === 1 ? up : { from: 'READY', to: 'READY' } });

  it('gives a connection to one of two that come at a time', async () => {
    expect(await Promise.all([connect(1, 'hm-1'), connect(1, 'hm-2')])).toEqual(expect.arrayContaining([true, false]));
    expect(await findEngine(db, engineId)).toMatchObject({ status: 'READY', connectionEpoch: 1 });
  });

  it('knows which connections are not the newest any more', async () => {
    await connect(1);
    await connect(2, 'hm-2');

    expect(await recordHeartbeats(db, 'hm-1', [{ engineId, epoch: 1 }])).toEqual([{ engineId, epoch: 1 }]);
    expect(await recordHeartbeats(db, 'hm-2', [{ engineId, epoch: 2 }])).toEqual([]);
    await dropConnection(db, { engineId, epoch: 1 });
    expect((await findEngine(db, engineId))?.connectedTo).toBe('hm-2');
  });

  it('silences by the newest connection alone', async () => {
    const lb = await addLoadBalancer(db);
    await addPlacement(db, { loadBalancerId: lb, engineId });
    await connect(1);
    await connect(2);

    expect(await inTransaction(db, (trx) => silenceEngine(trx, { engineId, epoch: 1 }))).toBeUndefined();
    expect(await inTransaction(db, (trx) => silenceEngine(trx, { engineId, epoch: 2 }))).toEqual({
      wentDown: true,
      loadBalancerIds: [lb],
    });
    expect(await findEngine(db, engineId)).toMatchObject({ status: 'DOWN', connectedTo: null });
    expect(await inTransaction(db, (trx) => silenceEngine(trx, { engineId, epoch: 2 }))).toMatchObject({
      wentDown: false,
    });
  });

  it('finds who was not heard of by the clock of the database', async () => {
    await connect(1);
    const silent = async (seconds: number) => (await listSilentEngines(db, seconds)).map((it) => it.engineId);
    expect(await silent(10)).not.toContain(engineId);

    await db('service_engine').where({ id: engineId }).update({ last_heartbeat: '2026-01-01 00:00:00.000' });

    expect(await silent(10)).toContain(engineId);
  });

  it('tells for how long nothing has changed', async () => {
    expect((await findEngine(db, engineId))?.unchangedFor).toBeLessThan(5);

    await db('service_engine').where({ id: engineId }).update({ updated_at: '2026-01-01 00:00:00.000' });
    expect((await findEngine(db, engineId))?.unchangedFor).toBeGreaterThan(1_000);

    await startBuilding(db, engineId, { tokenHash: 'f'.repeat(64), managementAddress: null });
    expect((await findEngine(db, engineId))?.unchangedFor).toBeLessThan(5);
  });

  it('confirms forward, for the newest connection, and clears what was stale', async () => {
    const lb = await addLoadBalancer(db);
    const id = await addPlacement(db, { loadBalancerId: lb, engineId }, { stale: 1, wanted_generation: 3 });
    await connect(1);
    const confirm = (generation: number, epoch = 1, refusals: { kind: string; id: string; reason: string }[] = []) =>
      inTransaction(db, (trx) =>
        confirmPlacement(trx, { engineId, epoch }, { loadBalancerId: lb, generation, refused: false, refusals }),
      );

    expect(await confirm(2, 0)).toBe(false);
    expect(await confirm(2)).toBe(true);
    expect(await columnOf(db, 'placement', id, 'stale')).toBe(1);
    expect(await confirm(3)).toBe(true);
    expect(await columnOf(db, 'placement', id, 'stale')).toBe(0);
    expect(await confirm(3)).toBe(false);
    expect(await confirm(2)).toBe(false);
    expect(await confirm(3, 1, [{ kind: 'listener', id: 'l', reason: 'taken' }])).toBe(true);
    expect(await confirm(3)).toBe(true);
  });

  it('frees a slot once for a placement that is gone', async () => {
    const lb = await addLoadBalancer(db);
    await addPlacement(db, { loadBalancerId: lb, engineId }, { wanted_generation: 2 });
    await connect(1);
    const remove = (generation: number) =>
      inTransaction(db, (trx) => confirmRemoval(trx, { engineId, epoch: 1 }, { loadBalancerId: lb, generation }));

    expect(await remove(2)).toBe(false);
    await db('placement').where({ load_balancer_id: lb }).update({ deleting: 1 });
    expect(await remove(1)).toBe(false);
    expect([await remove(2), await remove(2)]).toEqual([true, false]);
    expect(await columnOf(db, 'service_engine', engineId, 'slots_used')).toBe(0);
  });

  it('lists what is left to tell the engines of a health-manager', async () => {
    const add = async (columns: Record<string, unknown>) => {
      const lb = await addLoadBalancer(db);
      await addPlacement(db, { loadBalancerId: lb, engineId }, { confirmed_generation: 1, ...columns });
      return lb;
    };
    await add({});
    const wanting = [
      await add({ wanted_generation: 2 }),
      await add({ deleting: 1 }),
      await add({ stale: 1 }),
      await add({ refused: 1 }),
    ];
    const holder = randomUUID();
    await connect(1, holder);

    const listed = await listUnconfirmed(db, holder);

    expect(listed.map((it) => it.loadBalancerId).sort()).toEqual(wanting.sort());
  });

  it('knows who waits for an engine', async () => {
    const placed = await addLoadBalancer(db, { generation: 2 });
    await addPlacement(db, { loadBalancerId: placed, engineId });
    const stale = await addLoadBalancer(db, { generation: 2 });
    await addPlacement(db, { loadBalancerId: stale, engineId }, { stale: 1 });
    const homeless = await addLoadBalancer(db, { generation: 2 });
    const settled = await addLoadBalancer(db);

    const waiting = await listWaitingLoadBalancers(db, 1_000);

    expect(waiting).toEqual(expect.arrayContaining([stale, homeless]));
    expect(waiting).not.toContain(placed);
    expect(waiting).not.toContain(settled);
  });

  it('makes one vNIC a network, however many ask', async () => {
    const need = () =>
      inTransaction(db, (trx) => needVnic(trx, { id: randomUUID(), engineId, networkId: 'net', subnetId: null }));

    const [first, second] = await Promise.all([need(), need()]);

    expect(first?.id).toBe(second?.id);
    expect(await listVnics(db, engineId)).toHaveLength(1);
    expect(await findEngine(db, engineId)).toMatchObject({ generation: 2, settledGeneration: 0 });
    await recordVnicPort(db, first?.id ?? '', { portId: 'p', macAddress: 'aa', ipAddress: '10.0.0.1' });
    await removeVnic(db, first?.id ?? '');
    expect(await listVnics(db, engineId)).toMatchObject([{ portId: 'p', ipAddress: '10.0.0.1' }]);
  });

  it('takes everything along with an engine that goes', async () => {
    const lb = await addLoadBalancer(db);
    await addPlacement(db, { loadBalancerId: lb, engineId });
    await inTransaction(db, (trx) => needVnic(trx, { id: randomUUID(), engineId, networkId: 'net', subnetId: null }));
    await retireEngine(db, engineId);
    await retireEngine(db, engineId);
    expect(await findEngine(db, engineId)).toMatchObject({ deleting: true, generation: 3 });

    expect(await inTransaction(db, (trx) => removeEngine(trx, engineId))).toEqual([lb]);
    expect(await findEngine(db, engineId)).toBeUndefined();
  });
});
