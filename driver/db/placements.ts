import { randomUUID } from 'node:crypto';
import { engineName } from '../domain/engine';
import { slotsOfNewEngine } from '../domain/group';
import { chooseEngines, type EngineCandidate, type PlacementRequest, rolesForNew } from '../domain/placement';
import { isLeaving } from '../domain/placementPlan';
import type { LoadBalancerTree, Placement } from '../domain/tree';
import { fromBit, splitIds } from './codecs';
import { type Db, dbNow, idList, nowPlus, prepared, RetryableDbError } from './connect';
import { insertEngine } from './engines';
import { type Group, lockGroup } from './groups';
import type { Bit, EngineStatus } from './rows';

/**
 * Which load balancer is on which engine. Everything here runs in a transaction of the caller whose first statement
 * renewed the lease of the load balancer.
 */

export interface PlaceRequest extends PlacementRequest {
  readonly tree: LoadBalancerTree;
  readonly group: Group;
  /** Of the lease: orders the specs. */
  readonly epoch: number;
  /** Start of the names of engines that have to be made. */
  readonly namePrefix: string;
}

export interface Placed {
  /** Engines that have the load balancer from now on. */
  readonly engineIds: readonly string[];
  /** Those of them whose row was made for it: their unit has to build them. */
  readonly newEngineIds: readonly string[];
  /** Engines it still needs and the group cannot give. */
  readonly missing: number;
  /** One of the engines is not up yet. */
  readonly booting: boolean;
}

/**
 * Chooses engines, takes a slot on each and inserts the placements; makes rows of engines when no slot is free and the
 * group may grow. Nothing is over-committed: a slot is taken by conditional UPDATE, engines are counted under the
 * group's lock.
 * @throws RetryableDbError when another load balancer was faster: the transaction is to be run again
 */
export async function placeLoadBalancer(trx: Db, request: PlaceRequest): Promise<Placed> {
  const { group } = request;
  let candidates = await listCandidates(trx, group.id);
  let choice = chooseEngines(request, candidates, group.properties);
  if (choice.newEngines > 0) {
    await lockGroup(trx, group.id);
    candidates = await listCandidates(trx, group.id);
    choice = chooseEngines(request, candidates, group.properties);
  }
  for (const engineId of choice.engineIds) await takeSlot(trx, engineId);
  const newEngineIds = Array.from({ length: choice.newEngines }, () => randomUUID());
  for (const id of newEngineIds) {
    const name = engineName(group.properties.namePrefix ?? request.namePrefix, id);
    await insertEngine(trx, { id, groupId: group.id, name, slots: slotsOfNewEngine(group.properties) });
    await takeSlot(trx, id);
  }
  const engineIds = [...choice.engineIds, ...newEngineIds];
  await insertPlacements(trx, request, engineIds);
  const booting =
    newEngineIds.length > 0 || candidates.some((it) => it.status === 'BUILDING' && engineIds.includes(it.id));
  return { engineIds, newEngineIds, missing: choice.missing, booting };
}

interface CandidateRow {
  id: string;
  status: EngineStatus;
  deleting: Bit;
  connected_to: string | null;
  slots: number;
  slots_used: number;
  networks: string | null;
}

/** The engines of a group, as placement sees them. */
export async function listCandidates(db: Db, groupId: string): Promise<EngineCandidate[]> {
  const networks = idList('v.network_id', {
    from: 'se_vnic v',
    where: 'v.service_engine_id = e.id and v.deleting = 0',
    orderBy: 'v.network_id',
  });
  const rows = await prepared<CandidateRow>(
    db,
    `select e.id, e.status, e.deleting, e.connected_to, e.slots, e.slots_used, ${networks} as networks
      from service_engine e where e.service_engine_group_id = ?`,
    [groupId],
  );
  return rows.map((row) => ({
    id: row.id,
    status: row.status,
    deleting: fromBit(row.deleting),
    connected: row.connected_to !== null,
    slots: row.slots,
    slotsUsed: row.slots_used,
    networkIds: splitIds(row.networks),
  }));
}

async function takeSlot(trx: Db, engineId: string): Promise<void> {
  const taken = await trx('service_engine')
    .where({ id: engineId, deleting: 0 })
    .whereRaw('slots_used < slots')
    .update({ slots_used: trx.raw('slots_used + 1') });
  if (taken !== 1) throw new RetryableDbError(new Error(`engine ${engineId} has no free slot any more`));
}

/** Gives a slot back; usage never falls below zero. */
async function freeSlot(trx: Db, engineId: string): Promise<void> {
  await trx('service_engine')
    .where({ id: engineId })
    .where('slots_used', '>', 0)
    .update({ slots_used: trx.raw('slots_used - 1') });
}

async function insertPlacements(
  trx: Db,
  { tree, epoch }: Pick<PlaceRequest, 'tree' | 'epoch'>,
  engineIds: readonly string[],
): Promise<void> {
  if (engineIds.length === 0) return;
  const kept = tree.placements.filter((it) => !it.deleting && !isLeaving(it)).map(({ role }) => role);
  const roles = rolesForNew(engineIds.length, kept, tree.topology);
  const rows = engineIds.map((engineId, index) => ({
    id: randomUUID(),
    load_balancer_id: tree.id,
    service_engine_id: engineId,
    role: roles[index],
    deleting: 0,
    stale: 0,
    wanted_generation: tree.generation,
    wanted_epoch: epoch,
    confirmed_generation: -1,
    refusals: null,
    refused: 0,
    request: null,
    request_id: null,
    created_at: dbNow(trx),
    updated_at: null,
  }));
  await trx('placement').insert(rows);
}

/** What the engines are to have from now on. */
export interface Want {
  readonly loadBalancerId: string;
  readonly generation: number;
  readonly epoch: number;
}

/** Wants the generation on the given placements; a `configure` request of theirs is so met. */
export async function wantGeneration(trx: Db, ids: readonly string[], { generation, epoch }: Want): Promise<void> {
  if (ids.length === 0) return;
  await trx('placement')
    .whereIn('id', ids)
    .where({ deleting: 0 })
    .update({
      wanted_generation: generation,
      wanted_epoch: epoch,
      request: trx.raw("case when request = 'configure' then null else request end"),
      updated_at: dbNow(trx),
    });
}

/** Takes placements off: each is gone once its engine has confirmed. */
export async function dropPlacements(trx: Db, ids: readonly string[], { generation, epoch }: Want): Promise<void> {
  if (ids.length === 0) return;
  await trx('placement')
    .whereIn('id', ids)
    .update({
      deleting: 1,
      wanted_generation: generation,
      wanted_epoch: epoch,
      updated_at: dbNow(trx),
    });
}

/**
 * Removes placements at once and frees their slots: for engines that cannot be asked. One that comes back compares what
 * it holds with what is placed on it, and so forgets the load balancer.
 */
export async function forgetPlacements(trx: Db, placements: readonly Placement[]): Promise<void> {
  for (const { id, engineId } of placements) {
    if ((await trx('placement').where({ id }).delete()) === 1) await freeSlot(trx, engineId);
  }
}

/** A request that cannot be met by another engine has been met by telling the present one again. */
export async function clearRequests(trx: Db, loadBalancerId: string): Promise<void> {
  await trx('placement')
    .where({ load_balancer_id: loadBalancerId, deleting: 0 })
    .whereNotNull('request')
    .update({ request: null, request_id: null });
}

/** Moves the deadline of what is pending to `seconds` from now. */
export async function postponeDeadline(trx: Db, loadBalancerId: string, seconds: number): Promise<void> {
  await trx('load_balancer')
    .where({ id: loadBalancerId })
    .whereNotNull('pending_deadline')
    .update({ pending_deadline: nowPlus(trx, seconds) });
}
