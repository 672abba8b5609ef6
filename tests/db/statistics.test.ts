import type { Db } from '../../driver/db/connect';
import { type EngineCount, recordCounters } from '../../driver/db/statistics';
import { describeOnDatabases } from '../support/database';
import { addEngine, addGroup, addListener, addLoadBalancer, addPlacement } from '../support/fleetRows';

describeOnDatabases('counters', (database) => {
  let db: Db;
  let engines: [string, string];
  let listener: string;
  let lb: string;
  beforeAll(async () => {
    db = await database.open();
  });
  beforeEach(async () => {
    const group = await addGroup(db);
    engines = [(await addEngine(db, group)).id, (await addEngine(db, group)).id];
    lb = await addLoadBalancer(db);
    listener = await addListener(db, lb);
    for (const engineId of engines) await addPlacement(db, { loadBalancerId: lb, engineId });
  });
  const count = (engineId: string, bytes: string, changes: Partial<EngineCount> = {}): EngineCount => ({
    engineId,
    listenerId: listener,
    bytesIn: bytes,
    bytesOut: bytes,
    activeConnections: 1,
    totalConnections: bytes,
    requestErrors: '0',
    ...changes,
  });
  const stored = async () => {
    const rows: Record<string, unknown>[] = await db('listener_statistics')
      .where({ listener_id: listener })
      .orderBy('bytes_in');
    return rows.map((row) => [row['amphora_id'], String(row['bytes_in']), Number(row['active_connections'])]);
  };

  it('keeps a count for each engine, exact beyond 2^53', async () => {
    await recordCounters(db, [count(engines[0], '5'), count(engines[1], '9007199254740993')]);

    expect(await stored()).toEqual([
      [engines[0], '5', 1],
      [engines[1], '9007199254740993', 1],
    ]);
  });

  it('never lets a total fall, and follows what is no total', async () => {
    await recordCounters(db, [count(engines[0], '500')]);
    await recordCounters(db, [count(engines[0], '3', { activeConnections: 7 })]);
    expect(await stored()).toEqual([[engines[0], '500', 7]]);

    await recordCounters(db, [count(engines[0], '501', { activeConnections: 0 })]);
    expect(await stored()).toEqual([[engines[0], '501', 0]]);
  });

  it('passes over listeners that are gone or placed elsewhere', async () => {
    await db('placement').where({ service_engine_id: engines[1] }).delete();

    await recordCounters(db, [count(engines[1], '1'), count(engines[0], '1', { listenerId: 'gone' })]);

    expect(await stored()).toEqual([]);
  });

  it('takes more than one statement may hold', async () => {
    const listeners: string[] = [];
    for (let i = 0; i < 250; i += 1) listeners.push(await addListener(db, lb, { protocol_port: 1000 + i }));

    await recordCounters(
      db,
      listeners.map((listenerId) => count(engines[0], '1', { listenerId })),
    );

    const rows: unknown[] = await db('listener_statistics').where({ load_balancer_id: lb });
    expect(rows).toHaveLength(250);
  });
});
