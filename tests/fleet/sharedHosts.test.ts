import pino from 'pino';
import type { Db } from '../../driver/db/connect';
import { tellSharedHosts } from '../../driver/fleet/sharedHosts';
import { describeOnDatabases } from '../support/database';
import { insertEngine, insertGroup, insertLoadBalancer, insertPlacement } from '../support/rows';

describeOnDatabases('engines of one load balancer on one host', ({ open }) => {
  let db: Db;
  beforeEach(async () => {
    db = await open();
  });
  afterEach(() => db.destroy());

  const tell = () => tellSharedHosts({ db, log: pino({ level: 'silent' }) });
  const told = (): Promise<string[]> => db('event').where({ name: 'HOST_SHARED' }).pluck('load_balancer_id');

  const addPair = async (groupId: string, hosts: readonly (string | null)[]): Promise<string> => {
    const { id } = await insertLoadBalancer(db);
    for (const host of hosts) {
      const engine = await insertEngine(db, { service_engine_group_id: groupId, host });
      await insertPlacement(db, { load_balancer_id: id, service_engine_id: engine.id });
    }
    return id;
  };

  it('are told of once, where the group asks for several hosts', async () => {
    const { id } = await insertGroup(db, { properties: '{}' });
    const shared = await addPair(id, ['h1', 'h1', 'h2']);
    await addPair(id, ['h1', 'h2']);
    await addPair(id, [null, null]);
    const careless = await insertGroup(db, { name: 'careless', properties: '{"hostRedundancy":false}', is_default: 0 });
    await addPair(careless.id, ['h1', 'h1']);

    await tell();
    await tell();

    expect(await told()).toEqual([shared]);
    expect(await db('event').first()).toMatchObject({
      message: expect.stringMatching(/^2 engines of .* are on host h1$/),
    });
  });

  it('are told of again when the load balancer has been given another engine', async () => {
    const { id } = await insertGroup(db, { properties: '{}' });
    const shared = await addPair(id, ['h1', 'h1']);
    await tell();
    await db('event').update({ at: '2020-01-01 00:00:00.000' });

    await tell();

    expect(await told()).toEqual([shared, shared]);
  });
});
