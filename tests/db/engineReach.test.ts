import type { Db } from '../../driver/db/connect';
import {
  forgetCuts,
  listConcernedBy,
  listCutOff,
  listCuts,
  noteCut,
  noteCutOver,
  recordReach,
} from '../../driver/db/engineReach';
import { askToHeal, listGroupsInTrouble, readHealing } from '../../driver/db/healing';
import { listCandidates } from '../../driver/db/placementCandidates';
import { engines } from '../../driver/db/read/fleet';
import { readOne } from '../../driver/db/read/model';
import { loadTree } from '../../driver/db/tree';
import type { ReportedReach } from '../../driver/domain/reach';
import { describeOnDatabases } from '../support/database';
import { insertEngine, insertGroup, insertLoadBalancer, insertPlacement } from '../support/rows';

describeOnDatabases('engines that are cut from networks', ({ open }) => {
  let db: Db;
  let group: string;
  let one: string;
  let other: string;
  let lb: string;
  let placement: string;

  beforeEach(async () => {
    db = await open();
    group = (await insertGroup(db)).id;
    const connected = { service_engine_group_id: group, connected_to: 'health-1' };
    one = (await insertEngine(db, connected)).id;
    other = (await insertEngine(db, connected)).id;
    lb = (await insertLoadBalancer(db, {}, { network_id: 'net-1' })).id;
    placement = (await insertPlacement(db, { load_balancer_id: lb, service_engine_id: one })).id;
  });
  afterEach(() => db.destroy());

  const said = (gateway: ReportedReach['gateway'], domainId = 'net-1'): ReportedReach => ({
    ...{ domainId, gateway, heard: [], missed: ['b'] },
  });
  const cut = (proven = true) => noteCut(db, { engineId: one, networkId: 'net-1', proven });

  it('are read with what all others say of their networks', async () => {
    await recordReach(db, one, [said('answers'), said(null, 'net-2')]);
    await recordReach(db, other, [said('unanswered')]);
    const { id: elsewhere } = await insertGroup(db);
    const where = { service_engine_group_id: elsewhere, connected_to: 'health-1' };
    const stranger = (await insertEngine(db, where)).id;
    await recordReach(db, stranger, [said('answers'), said('answers', 'net-3')]);
    expect(await listGroupsInTrouble(db)).toEqual([group]);

    await recordReach(db, one, [said('silent')]);
    const rows = await readHealing(db, group);
    const reach = [...(rows?.reach ?? [])].map(({ engineId, networkId, gateway, state }) => [
      ...[engineId, networkId, gateway, state],
    ]);
    expect(reach.sort()).toEqual(
      [
        [one, 'net-1', false, 'trouble'],
        [other, 'net-1', null, 'trouble'],
        [stranger, 'net-1', true, 'well'],
      ].sort(),
    );
    expect(rows?.reach.find(({ engineId }) => engineId === one)).toMatchObject({ missed: ['b'], mark: null });
    expect(rows?.placements).toMatchObject([{ id: placement, networkId: 'net-1', leaving: false }]);

    await db('service_engine').where({ id: stranger }).update({ connected_to: null });
    expect((await readHealing(db, group))?.reach).toHaveLength(2);
  });

  it('are noted once, and once more when it is proven', async () => {
    await recordReach(db, one, [said('silent')]);
    expect(await cut(false)).toBe(true);
    expect(await cut(false)).toBe(false);
    expect(await cut()).toBe(true);
    expect(await cut()).toBe(false);
    expect(await cut(false)).toBe(false);
    expect((await readHealing(db, group))?.reach).toMatchObject([{ mark: { proven: true } }]);
  });

  it('are left by what is served there, and seen so by all who choose engines', async () => {
    await recordReach(db, one, [said('silent')]);
    expect(await askToHeal(db, placement)).toBe(false);
    await cut();
    expect(await askToHeal(db, placement)).toBe(true);
    expect((await loadTree(db, lb))?.placements).toMatchObject([{ engine: { cut: true } }]);
    const candidates = await listCandidates(db, group);
    expect(candidates.find(({ id }) => id === one)).toMatchObject({ cutFrom: ['net-1'] });
    expect(candidates.find(({ id }) => id === other)).not.toHaveProperty('cutFrom');
    expect(await listCutOff(db, group)).toEqual([one]);
    expect(await listCuts(db, [one, other])).toEqual([{ engineId: one, networkId: 'net-1' }]);
    expect(await readOne(db, engines, one)).toMatchObject({ cut_from: JSON.stringify(['net-1']) });
    expect(await listConcernedBy(db, { engineId: one, networkId: 'net-1' })).toEqual([]);
  });

  it('keep what found no other engine once it is over, and are as they were', async () => {
    await recordReach(db, one, [said('silent')]);
    await cut();
    await askToHeal(db, placement);
    await recordReach(db, one, [said('answers')]);
    expect(await noteCutOver(db, { engineId: one, networkId: 'net-1' })).toBe(true);
    expect(await noteCutOver(db, { engineId: one, networkId: 'net-1' })).toBe(false);
    expect(await db('placement').where({ id: placement }).first('request')).toEqual({ request: null });
    expect((await loadTree(db, lb))?.placements).toMatchObject([{ engine: { cut: false } }]);
    expect(await listCutOff(db, group)).toEqual([]);

    await recordReach(db, one, [said('silent')]);
    await cut();
    await forgetCuts(db, one);
    expect(await listCuts(db, [one])).toEqual([]);
  });
});
