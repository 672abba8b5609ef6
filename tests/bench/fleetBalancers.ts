import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { configFromText } from '../../driver/config/config';
import { type Db, dbNow } from '../../driver/db/connect';
import { readElasticity } from '../../driver/db/elasticity';
import { listGroups } from '../../driver/db/fleet';
import { readHealing } from '../../driver/db/healing';
import { insertRows } from '../../driver/db/insertRows';
import { listCandidates } from '../../driver/db/placementCandidates';
import { loadTree } from '../../driver/db/tree';
import { listIdsAfter, listLostEngines, listLostLoadBalancers, listOverdueLoadBalancers } from '../../driver/db/work';
import { planElasticity } from '../../driver/domain/elasticity';
import { DEFAULT_GROUP_PROPERTIES } from '../../driver/domain/group';
import { DEFAULT_HEALING, planHealing } from '../../driver/domain/healing';
import { chooseEngines } from '../../driver/domain/placement';
import { planPlacements } from '../../driver/domain/placementPlan';
import { readView, settingsFor } from '../../driver/fleet/elasticityView';
import { runHealthManager } from '../../driver/health/main';
import { addEngine, addGroup } from '../support/fleetRows';
import { insertTrees } from './bulkTrees';
import { median } from './figures';
import { prepareAudit, wireFleet } from './fleetWiring';

/** Load balancers with children, ten an engine: how long things take as they become more. */

const PER_ENGINE = 10;
const ROUNDS = 9;

export interface Measured {
  readonly size: number;
  /** Milliseconds, by what was done. */
  readonly times: ReadonlyMap<string, number>;
}

export async function measureBalancers(db: Db, size: number): Promise<Measured> {
  const groupId = await addGroup(db);
  await fill(db, groupId, size);
  await wireFleet(db);
  const lost = await db('service_engine').first('id');
  await db('service_engine')
    .where(lost)
    .update({ status: 'DOWN', connected_to: null, silent_since: dbNow(db) });
  await db.raw('analyze table load_balancer, placement, service_engine, se_vnic, vip_wiring, listener, pool, member');
  const times = new Map<string, number>();
  const audit: Work = await prepareAudit(db);
  for (const [name, work] of Object.entries({ ...WORK, 'audit of all wiring, without the calls': audit })) {
    const rounds = name.startsWith('all') ? 1 : ROUNDS;
    const taken: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const from = performance.now();
      await work(db, groupId);
      taken.push(performance.now() - from);
    }
    times.set(name, median(taken));
  }
  const told = await db('event').select('name', 'message').first();
  if (told) throw new Error(`nothing was wrong, and yet: ${told.name}: ${told.message}`);
  return { size, times };
}

export function rowsOf(measured: readonly Measured[]): (string | number)[][] {
  const sizes = measured.map(({ size }) => size);
  return [...(measured[0]?.times.keys() ?? [])].map((name) => {
    const times = measured.map((it) => it.times.get(name) ?? Number.NaN);
    return [name, ...times.map((it) => it.toFixed(1)), growth(sizes, times)];
  });
}

/** Of t = c * n^x, from the smallest to the largest. */
function growth(sizes: readonly number[], times: readonly number[]): string {
  const [firstSize = 1, lastSize = 1] = [sizes[0], sizes.at(-1)];
  const [first = 1, last = 1] = [times[0], times.at(-1)];
  return firstSize === lastSize ? '' : (Math.log(last / first) / Math.log(lastSize / firstSize)).toFixed(2);
}

async function fill(db: Db, groupId: string, count: number): Promise<void> {
  await insertTrees(db, count);
  const fresh: string[] = await db('load_balancer').pluck('id');
  for (let from = 0; from < fresh.length; from += PER_ENGINE) {
    const some = fresh.slice(from, from + PER_ENGINE);
    const up = { status: 'READY', connected_to: 'hm', last_heartbeat: dbNow(db), slots_used: some.length };
    const { id: engineId } = await addEngine(db, groupId, { ...up, settled_generation: 1 });
    await insertRows(
      db,
      'placement',
      some.map((id) => placementRow(id, engineId)),
    );
  }
}

function placementRow(loadBalancerId: string, engineId: string) {
  return {
    ...{ id: randomUUID(), load_balancer_id: loadBalancerId, service_engine_id: engineId, role: 'primary' },
    ...{ deleting: 0, stale: 0, wanted_generation: 1, wanted_epoch: 1, confirmed_generation: 1, refusals: null },
    ...{ refused: 0, request: null, request_id: null, created_at: '2026-01-01 00:00:00.000', updated_at: null },
  };
}

type Work = (db: Db, groupId: string) => Promise<void>;

const WORK: Readonly<Record<string, Work>> = {
  'one placement': async (db, groupId) => {
    const candidates = await listCandidates(db, groupId);
    const kind = { zone: null, computeFlavor: null, imageTag: null, ownerProjectId: null, perApp: false };
    const demand = { projectId: 'p', vnics: [], ...kind };
    const limits = { ...DEFAULT_GROUP_PROPERTIES, maxEngines: 10_000 };
    chooseEngines({ count: 1, demand, occupied: [], staying: [] }, candidates, limits);
  },
  'one load balancer read and planned': async (db) => {
    const [id = ''] = await listIdsAfter(db, 'load_balancer', { after: '8', limit: 1 });
    const tree = await loadTree(db, id);
    if (tree) planPlacements(tree, 1);
  },
  sweep: async (db) => {
    await listOverdueLoadBalancers(db, 15, 500);
    await listLostLoadBalancers(db, 500);
    await listLostEngines(db, 500);
  },
  'healing: one engine of the group was lost': async (db, groupId) => {
    const rows = await readHealing(db, groupId);
    const engines = (rows?.engines ?? []).map((engine) => ({ ...engine, server: 'unknown' as const }));
    if (rows) planHealing({ ...rows, engines }, DEFAULT_HEALING, rows.now);
  },
  'load: a look at the group': async (db, groupId) => {
    const group = (await listGroups(db)).find(({ id }) => id === groupId);
    if (!group) return;
    const memory = await readElasticity(db, groupId);
    const { view } = await readView(db, group, { memory, alike: false });
    planElasticity(view, settingsFor(group.properties), memory.now);
  },
  'a health-manager started and stopped': startHealthManager,
  'all: every load balancer read and planned anew': async (db) => {
    let after = '';
    for (;;) {
      const ids = await listIdsAfter(db, 'load_balancer', { after, limit: 200 });
      if (ids.length === 0) return;
      for (let from = 0; from < ids.length; from += 10) {
        const trees = await Promise.all(ids.slice(from, from + 10).map((id) => loadTree(db, id)));
        for (const tree of trees) if (tree) planPlacements(tree, 1);
      }
      after = ids.at(-1) ?? '';
    }
  },
};

/** What its process does besides loading its code. */
async function startHealthManager(db: Db): Promise<void> {
  const log = pino({ level: 'silent' });
  const bus = createMemoryBus({ log });
  const manager = await runHealthManager({ config: configFromText('[health_manager]\nbind_port = 0\n'), db, bus, log });
  await manager.close();
  await bus.close();
}
