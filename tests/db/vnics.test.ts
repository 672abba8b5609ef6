import { randomUUID } from 'node:crypto';
import { type Db, inTransaction } from '../../driver/db/connect';
import { removeEngine } from '../../driver/db/engines';
import { findFirewall, forgetFirewall, recordFirewall } from '../../driver/db/firewalls';
import { findPortBefore, forgetTakenPort, noteTakenPort } from '../../driver/db/takenPorts';
import { listVnics, listVnicsUsed, listVnicUses, needVnic, releaseVnics } from '../../driver/db/vnics';
import { describeOnDatabases } from '../support/database';
import { addEngine, addGroup, addLoadBalancer } from '../support/fleetRows';

describeOnDatabases('vNICs', (database) => {
  let db: Db;
  let engineId: string;
  beforeAll(async () => {
    db = await database.open();
  });
  beforeEach(async () => {
    engineId = (await addEngine(db, await addGroup(db))).id;
  });

  const need = (loadBalancerId: string, networkId: string, subnetIds: readonly string[] = []) =>
    inTransaction(db, (trx) =>
      needVnic(trx, {
        ...{ id: randomUUID(), engineId, networkId, domainId: 'vips', loadBalancerId },
        ...{ subnetId: null, subnetIds, vipSide: networkId === 'vips' },
      }),
    );
  const release = async (loadBalancerId: string) => {
    const uses = await listVnicUses(db, loadBalancerId);
    return inTransaction(db, (trx) => releaseVnics(trx, loadBalancerId, uses));
  };

  it('the same network is one vNIC in a domain and another in another, and one without a domain', async () => {
    const lb = await addLoadBalancer(db);
    const first = await need(lb, 'members');
    const again = await need(lb, 'members');
    const place = { engineId, networkId: 'members', subnetId: null };
    const other = await inTransaction(db, (trx) => needVnic(trx, { ...place, id: randomUUID(), domainId: 'other' }));
    const plain = await inTransaction(db, (trx) => needVnic(trx, { ...place, id: randomUUID() }));

    expect(again.id).toBe(first.id);
    expect(new Set([first.id, other.id, plain.id]).size).toBe(3);
    expect((await listVnicsUsed(db, lb, engineId)).map(({ id }) => id)).toEqual([first.id]);
  });

  it('one that is needed in more subnets, or for VIPs too, keeps what it has', async () => {
    const lb = await addLoadBalancer(db);
    await need(lb, 'members', ['a']);
    await need(lb, 'members', ['b', 'a']);
    const place = { engineId, networkId: 'members', subnetId: null, domainId: 'vips', vipSide: true };
    await inTransaction(db, (trx) => needVnic(trx, { ...place, id: randomUUID() }));
    await need(lb, 'members', ['a']);

    expect(await listVnics(db, engineId)).toMatchObject([{ subnetIds: ['a', 'b'], subnetId: 'a', vipSide: true }]);
  });

  it('is to go when the last who needs it has released it, and is another when it is needed again', async () => {
    const [one, other] = [await addLoadBalancer(db), await addLoadBalancer(db)];
    const { id } = await need(one, 'members');
    await need(other, 'members');

    expect(await release(one)).toEqual([]);
    expect(await listVnics(db, engineId)).toMatchObject([{ id, deleting: false }]);
    expect(await release(other)).toEqual([engineId]);
    expect(await listVnics(db, engineId)).toMatchObject([{ id, deleting: true }]);
    expect((await need(one, 'members')).id).not.toBe(id);
  });

  it('whoever needs one while another releases it has one that stays', async () => {
    for (let round = 0; round < 10; round += 1) {
      const [leaving, coming] = [await addLoadBalancer(db), await addLoadBalancer(db)];
      const networkId = `net-${round}`;
      await need(leaving, networkId);
      await Promise.all([release(leaving), need(coming, networkId)]);

      const stays = await listVnicsUsed(db, coming, engineId);
      expect(stays).toMatchObject([{ networkId, deleting: false }]);
      expect(await listVnicUses(db, leaving)).toEqual([]);
    }
  });

  it('goes with its engine, and with whoever needs it', async () => {
    const lb = await addLoadBalancer(db);
    await need(lb, 'vips');
    await inTransaction(db, (trx) => removeEngine(trx, engineId));
    expect(await listVnicUses(db, lb)).toEqual([]);
  });

  it('what a VIP lets in is news once', async () => {
    const lb = await addLoadBalancer(db);
    const rules = [{ protocol: 'tcp', portMin: 80, portMax: 80, sources: ['10.0.0.0/8'] }];
    expect(await findFirewall(db, lb)).toBeUndefined();
    expect([await recordFirewall(db, lb, rules), await recordFirewall(db, lb, rules)]).toEqual([true, false]);
    expect(await recordFirewall(db, lb, [])).toBe(true);
    expect(await findFirewall(db, lb)).toEqual([]);
    expect([await forgetFirewall(db, lb), await forgetFirewall(db, lb)]).toEqual([true, false]);
  });

  it('what a port was like belongs to the load balancer that took it last', async () => {
    const had = { deviceOwner: 'shop', qosPolicyId: null, securityGroupIds: ['a'] };
    const [portId, first, second] = [randomUUID(), randomUUID(), randomUUID()];
    await noteTakenPort(db, { portId, loadBalancerId: first, had });
    await noteTakenPort(db, { portId, loadBalancerId: second, had: { ...had, deviceOwner: '' } });
    expect(await findPortBefore(db, portId, first)).toBeUndefined();
    expect(await findPortBefore(db, portId, second)).toEqual({ ...had, deviceOwner: '' });
    await forgetTakenPort(db, portId, second);
    expect(await findPortBefore(db, portId, second)).toBeUndefined();
  });
});
