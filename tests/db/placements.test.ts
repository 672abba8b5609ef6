import { randomUUID } from 'node:crypto';
import { type Db, inTransaction } from '../../driver/db/connect';
import { findGroupFor } from '../../driver/db/groups';
import { type Placed, placeLoadBalancer } from '../../driver/db/placements';
import { loadTree } from '../../driver/db/tree';
import { needVnic } from '../../driver/db/vnics';
import { type EngineDemand, vnicKey } from '../../driver/domain/placement';
import { describeOnDatabases } from '../support/database';
import { insertEngine, insertGroup, insertLoadBalancer } from '../support/rows';

/** Two workers place at once: what each sees may be gone when it writes. */
describeOnDatabases('placing at once', ({ open }) => {
  let db: Db;
  beforeEach(async () => {
    db = await open();
  });
  afterEach(() => db.destroy());

  const addGroup = (properties: object) => insertGroup(db, { is_default: 1, properties: JSON.stringify(properties) });

  const addEngines = async (groupId: string, engines: readonly object[]): Promise<void> => {
    for (const engine of engines) await insertEngine(db, { service_engine_group_id: groupId, ...engine });
  };

  /** As a worker does, but for the lease. */
  const place = async (
    count: number,
    asked: Partial<EngineDemand> = {},
    networkIds: readonly string[] = [],
  ): Promise<Placed> => {
    const projectId = asked.projectId ?? 'project-1';
    const { id } = await insertLoadBalancer(db, { project_id: projectId });
    const tree = await loadTree(db, id);
    const found = await findGroupFor(db, { flavorId: null, availabilityZone: null });
    if (!tree || !found) throw new Error('the rows are there');
    const vnics = networkIds.map((networkId) => vnicKey(null, networkId));
    const kind = { perApp: false, zone: null, computeFlavor: null, imageTag: null, ownerProjectId: null };
    const demand = { projectId, ...kind, vnics, ...asked };
    const request = {
      tree,
      count,
      demand,
      group: found.group,
      haMode: 'n_plus_m',
      epoch: 1,
      namePrefix: 'e',
      occupied: [],
      staying: [],
    } as const;
    return inTransaction(db, async (trx) => {
      const placed = await placeLoadBalancer(trx, request);
      for (const engineId of placed.engineIds) {
        for (const networkId of networkIds)
          await needVnic(trx, { id: randomUUID(), engineId, networkId, subnetId: null });
      }
      return placed;
    });
  };

  interface Seat {
    readonly load_balancer_id: string;
    readonly project_id: string;
    readonly engine: string;
    readonly host: string;
  }
  const seats = (): Promise<Seat[]> =>
    db('placement as p')
      .join('service_engine as e', 'e.id', 'p.service_engine_id')
      .join('load_balancer as lb', 'lb.id', 'p.load_balancer_id')
      .select('p.load_balancer_id', 'lb.project_id', 'e.id as engine', 'e.host');

  const valuesBy = (all: readonly Seat[], key: keyof Seat, value: keyof Seat): string[][] => {
    const keys = [...new Set(all.map((it) => it[key]))];
    return keys.map((one) => all.filter((it) => it[key] === one).map((it) => it[value]));
  };

  const expectSlotsCounted = async (): Promise<void> => {
    const taken = await seats();
    for (const { id, slots, slots_used } of await db('service_engine').select('id', 'slots', 'slots_used')) {
      expect(slots_used).toBe(taken.filter(({ engine }) => engine === id).length);
      expect(slots_used).toBeLessThanOrEqual(slots);
    }
  };

  it('keeps the engines of each load balancer on hosts of their own', async () => {
    const group = await addGroup({ maxEngines: 6 });
    const hosts = ['h1', 'h2', 'h3'];
    await addEngines(
      group.id,
      [...hosts, ...hosts].map((host) => ({ host, slots: 3 })),
    );

    const placed = await Promise.all(Array.from({ length: 6 }, () => place(2)));

    expect(placed.map(({ engineIds, sharesHost }) => [engineIds.length, sharesHost])).toEqual(
      Array(6).fill([2, false]),
    );
    for (const used of valuesBy(await seats(), 'load_balancer_id', 'host')) expect(new Set(used).size).toBe(2);
    await expectSlotsCounted();
  });

  it('gives an engine of an exclusive group to one project at a time', async () => {
    const group = await addGroup({ maxEngines: 4, tenancy: 'exclusive' });
    await addEngines(group.id, Array(4).fill({ slots: 4 }));

    await Promise.all(Array.from({ length: 14 }, (_, index) => place(1, { projectId: `project-${index % 2}` })));

    const taken = await seats();
    expect(taken).toHaveLength(14);
    for (const projects of valuesBy(taken, 'engine', 'project_id')) expect(new Set(projects).size).toBe(1);
    await expectSlotsCounted();
  });

  it('hands an engine over to another project once it serves nobody', async () => {
    const group = await addGroup({ maxEngines: 1, tenancy: 'exclusive' });
    await addEngines(group.id, [{ slots_used: 0, project_id: 'project-1' }]);

    expect(await place(1, { projectId: 'project-2' })).toMatchObject({ lacks: null });
    const refused = await place(1, { projectId: 'project-1' });

    expect(refused.lacks).toBe('group full: 1 of 1 engines, 1 of 10 slots; of its engines 1 serving another project');
    expect(await db('service_engine').first()).toMatchObject({ project_id: 'project-2', slots_used: 1 });
  });

  it('grows the group to its bounds and no further', async () => {
    await addGroup({ maxEngines: 3, slotsPerEngine: 2 });

    const placed = await Promise.all(Array.from({ length: 10 }, () => place(1)));

    expect(await db('service_engine').select('id')).toHaveLength(3);
    const refused = placed.filter(({ lacks }) => lacks !== null);
    expect(refused.map(({ lacks }) => lacks)).toEqual(Array(4).fill('group full: 3 of 3 engines, 6 of 6 slots'));
    await expectSlotsCounted();
  });

  it('puts two load balancers that have engines of their own on one, and none beside them', async () => {
    await addGroup({ maxEngines: 8, slotsPerEngine: 10 });

    await Promise.all(Array.from({ length: 8 }, (_, index) => place(1, { perApp: index % 2 === 0 })));

    const rows: { slots_used: number; per_app: number }[] = await db('service_engine').select('slots_used', 'per_app');
    expect(rows.map((row) => [Number(row.per_app), row.slots_used]).sort()).toEqual([
      [0, 4],
      [1, 2],
      [1, 2],
    ]);
  });

  it('makes engines of the zone, flavor and image that are asked for, and finds them again', async () => {
    await addGroup({ maxEngines: 8 });
    const special = { zone: 'east', computeFlavor: 'big', imageTag: 'new' };

    const { newEngineIds } = await place(1, special);
    const again = await place(1, special);
    const ordinary = await place(1);

    expect(await db('service_engine').where({ id: newEngineIds[0] }).first()).toMatchObject({
      availability_zone: 'east',
      compute_flavor: 'big',
      image_tag: 'new',
    });
    expect(again.engineIds).toEqual(newEngineIds);
    expect(ordinary.engineIds).not.toEqual(newEngineIds);
  });

  it('never plugs more into an engine than it takes', async () => {
    const group = await addGroup({ maxEngines: 2, maxVnics: 3 });
    await addEngines(group.id, [{}, {}]);

    const networks = ['n1', 'n2', 'n3', 'n4', 'n5', 'n1', 'n2', 'n3'];
    const placed = await Promise.all(networks.map((network) => place(1, {}, [network])));

    const vnics: { service_engine_id: string }[] = await db('se_vnic').select('service_engine_id');
    for (const { id } of await db('service_engine').select('id')) {
      expect(vnics.filter((vnic) => vnic.service_engine_id === id).length).toBeLessThanOrEqual(2);
    }
    const refused = placed.filter(({ lacks }) => lacks !== null);
    expect(refused.length).toBeGreaterThan(0);
    for (const { lacks } of refused) expect(lacks).toMatch(/2 without a vNIC to spare$/);
  });
});
