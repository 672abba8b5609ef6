import { randomUUID } from 'node:crypto';
import { engineName } from '../domain/engine';
import { type HaMode, slotsOfNewEngine } from '../domain/group';
import { chooseEngines, type PlacementRequest, rolesForNew } from '../domain/placement';
import { isLeaving } from '../domain/placementPlan';
import type { LoadBalancerTree, Placement } from '../domain/tree';
import { type Db, dbNow, nowPlus } from './connect';
import { freeSlot, takeSlot } from './engineSlots';
import { insertEngine } from './engines';
import { type Group, lockGroup } from './groups';
import { listCandidates, type ReadCandidate } from './placementCandidates';

/**
 * Which load balancer is on which engine. Everything here runs in a transaction of the caller whose first statement
 * renewed the lease of the load balancer.
 */

export interface PlaceRequest extends PlacementRequest {
  readonly tree: LoadBalancerTree;
  readonly group: Group;
  readonly haMode: HaMode;
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
  /** Why the group cannot give all that it needs; null when it can. */
  readonly lacks: string | null;
  /** Engines of it are on one host, because there was no other. */
  readonly sharesHost: boolean;
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
  const { group, demand } = request;
  let candidates = await listCandidates(trx, group.id);
  let choice = chooseEngines(request, candidates, group.properties);
  // Who makes an engine, or has something plugged into one, counts what there is without others beside.
  if (choice.newEngines > 0 || choice.engineIds.some((id) => plugsInto(id, request, candidates))) {
    await lockGroup(trx, group.id);
    candidates = await listCandidates(trx, group.id);
    choice = chooseEngines(request, candidates, group.properties);
  }
  const newEngineIds = await makeEngines(trx, request, choice.newEngines);
  const engineIds = [...choice.engineIds, ...newEngineIds];
  // In one order everywhere: two who take slots on the same engines do not wait for each other in a circle.
  for (const id of [...engineIds].sort()) {
    const seen = candidates.find((it) => it.id === id);
    const plugs = seen !== undefined && plugsInto(id, request, candidates);
    await takeSlot(trx, { id, ...(plugs && { generation: seen.generation }) }, { demand, limits: group.properties });
  }
  await insertPlacements(trx, request, engineIds);
  const booting =
    newEngineIds.length > 0 || candidates.some((it) => it.status === 'BUILDING' && engineIds.includes(it.id));
  return { engineIds, newEngineIds, lacks: choice.reason, sharesHost: choice.sharesHost, booting };
}

function plugsInto(engineId: string, { demand }: PlaceRequest, candidates: readonly ReadCandidate[]): boolean {
  const engine = candidates.find(({ id }) => id === engineId);
  return demand.vnics.some((key) => !engine?.vnics.includes(key));
}

/** Rows of engines as the load balancer asks for them; their units build them. */
async function makeEngines(trx: Db, { group, demand, namePrefix }: PlaceRequest, count: number): Promise<string[]> {
  const { properties } = group;
  const ids = Array.from({ length: count }, () => randomUUID());
  for (const id of ids) {
    await insertEngine(trx, {
      id,
      groupId: group.id,
      name: engineName(properties.namePrefix ?? namePrefix, id),
      slots: slotsOfNewEngine({ ...properties, perApp: properties.perApp || demand.perApp }),
      availabilityZone: demand.zone,
      computeFlavor: demand.computeFlavor,
      imageTag: demand.imageTag,
      groupImageTag: properties.imageTag,
      upgradeMark: properties.upgradeMark,
      ownerProjectId: demand.ownerProjectId,
    });
  }
  return ids;
}

async function insertPlacements(
  trx: Db,
  { tree, epoch, haMode }: PlaceRequest,
  engineIds: readonly string[],
): Promise<void> {
  if (engineIds.length === 0) return;
  const kept = tree.placements.filter((it) => !it.deleting && !isLeaving(it)).map(({ role }) => role);
  const roles = rolesForNew(engineIds.length, { kept, haMode, isGranted: (tree.masterTerm ?? null) !== null });
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

/**
 * A request that cannot be met by another engine has been met by telling the present one again. What drains is still on
 * its way.
 */
export async function clearRequests(trx: Db, loadBalancerId: string): Promise<void> {
  await trx('placement')
    .where({ load_balancer_id: loadBalancerId, deleting: 0 })
    .whereNotNull('request')
    .whereNull('drain_until')
    .update({ request: null, request_id: null, request_target: null });
}

/** Moves the deadline of what is pending to `seconds` from now. */
export async function postponeDeadline(trx: Db, loadBalancerId: string, seconds: number): Promise<void> {
  await trx('load_balancer')
    .where({ id: loadBalancerId })
    .whereNotNull('pending_deadline')
    .update({ pending_deadline: nowPlus(trx, seconds) });
}
