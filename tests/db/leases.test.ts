import type { Db } from '../../driver/db/connect';
import { dropLease, LeaseLostError, releaseLease, renewLease, takeLease, voidLeases } from '../../driver/db/leases';
import { describeOnDatabases } from '../support/database';
import { insertLoadBalancer } from '../support/rows';

describeOnDatabases('leases', (database) => {
  let db: Db;
  beforeAll(async () => {
    db = await database.open();
  });
  const aUnit = async () => ({ table: 'load_balancer', id: (await insertLoadBalancer(db)).id }) as const;
  const expire = (id: string) => db('load_balancer').where({ id }).update({ lease_until: '2020-01-01 00:00:00.000' });

  it('one holder at a time; a new lease has a higher epoch', async () => {
    const unit = await aUnit();
    const first = await takeLease(db, unit, { owner: 'a', seconds: 60 });
    expect(first).toEqual({ ...unit, owner: 'a', epoch: 1 });
    expect(await takeLease(db, unit, { owner: 'b', seconds: 60 })).toBeUndefined();
    await expire(unit.id);
    expect(await takeLease(db, unit, { owner: 'b', seconds: 60 })).toMatchObject({ owner: 'b', epoch: 2 });
  });

  it('its holder may take it anew, which voids what it held before', async () => {
    const unit = await aUnit();
    const first = await takeLease(db, unit, { owner: 'a', seconds: 60 });
    const second = await takeLease(db, unit, { owner: 'a', seconds: 60 });
    if (!first || !second) throw new Error('not taken');
    await expect(renewLease(db, first, 60)).rejects.toThrow(LeaseLostError);
    await renewLease(db, second, 60);
  });

  it('is held on by renewal, by the clock of the database', async () => {
    const unit = await aUnit();
    const lease = await takeLease(db, unit, { owner: 'a', seconds: 60 });
    if (!lease) throw new Error('not taken');
    await expire(unit.id);
    await renewLease(db, lease, 60);
    expect(await takeLease(db, unit, { owner: 'b', seconds: 60 })).toBeUndefined();
  });

  it('is given back with the last words; a lease that was lost has none', async () => {
    const unit = await aUnit();
    const lost = await takeLease(db, unit, { owner: 'a', seconds: 60 });
    await expire(unit.id);
    const held = await takeLease(db, unit, { owner: 'b', seconds: 60 });
    if (!lost || !held) throw new Error('not taken');
    expect(await releaseLease(db, lost, { name: 'wrong' })).toBe(false);
    expect(await releaseLease(db, held, { name: 'right' })).toBe(true);
    expect(await db('load_balancer').where({ id: unit.id }).first()).toMatchObject({
      name: 'right',
      lease_owner: null,
    });
  });

  it('of a thing that is not there there is none', async () => {
    expect(await takeLease(db, { table: 'service_engine', id: 'none' }, { owner: 'a', seconds: 60 })).toBeUndefined();
  });

  it('of a row that is kept as deleted is dropped by its owner alone', async () => {
    const unit = await aUnit();
    await takeLease(db, unit, { owner: 'a', seconds: 60 });
    await dropLease(db, unit, 'b');
    expect(await db('load_balancer').where({ id: unit.id }).first('lease_owner')).toEqual({ lease_owner: 'a' });
    await dropLease(db, unit, 'a');
    expect(await db('load_balancer').where({ id: unit.id }).first('lease_owner')).toEqual({ lease_owner: null });
  });

  it('all are void when nobody else can be there', async () => {
    const unit = await aUnit();
    const lost = await takeLease(db, unit, { owner: 'dead', seconds: 60 });
    await voidLeases(db);
    if (!lost) throw new Error('not taken');
    await expect(renewLease(db, lost, 60)).rejects.toThrow(LeaseLostError);
    expect(await takeLease(db, unit, { owner: 'b', seconds: 60 })).toMatchObject({ epoch: 2 });
  });

  it('of many who want it at once one gets it', async () => {
    const unit = await aUnit();
    const wanting = Array.from({ length: 8 }, (_, index) => takeLease(db, unit, { owner: `w${index}`, seconds: 60 }));
    const got = (await Promise.all(wanting)).filter((lease) => lease !== undefined);
    expect(got).toHaveLength(1);
  });
});
