import type { Db } from '../../../driver/db/connect';
import { findGroupFor } from '../../../driver/db/groups';
import { listCandidates } from '../../../driver/db/placementCandidates';
import { loadTree } from '../../../driver/db/tree';
import { listVnicUses } from '../../../driver/db/vnics';
import { NotFoundError } from '../../../driver/domain/errors';
import { groupInForce, ownerOf } from '../../../driver/domain/group';
import { chooseEngines, type EngineDemand, type PlacementChoice, vnicKey } from '../../../driver/domain/placement';
import { readService, type Service } from '../../../driver/domain/placementDemand';
import { type PlacementPlan, planPlacements } from '../../../driver/domain/placementPlan';
import { obstacleFor } from '../../../driver/domain/placementRules';
import type { LoadBalancerTree } from '../../../driver/domain/tree';
import type { CommandDeps } from '../../changes/deps';
import type { Schemas } from '../../openapi/schemas';

type View = Schemas['PlacementPlanView'];

/**
 * What placement makes of a load balancer as things are now: how many engines it is to have, which it would be given, and
 * what keeps the others from taking it. Changes nothing.
 * @throws NotFoundError
 */
export async function explainPlacement(
  { db, settings }: Pick<CommandDeps, 'db' | 'settings'>,
  loadBalancerId: string,
): Promise<View> {
  const tree = await loadTree(db, loadBalancerId);
  if (!tree) throw new NotFoundError('Load Balancer', loadBalancerId);
  const found = await findGroupFor(db, tree);
  if (!found) return { ...NOWHERE, loadbalancer_id: tree.id };
  const { flavor, zone } = found;
  const group = groupInForce(found.group, settings.tenancyMode);
  const wishes = { topology: tree.topology, flavor, zone, adjustment: tree.scaleAdjustment };
  const read = readService(wishes, group.properties);
  const service = settings.enginesAreAlike ? { ...read, zone: null, computeFlavor: null, imageTag: null } : read;
  const plan = planPlacements(tree, service.engines);
  const ownerProjectId = settings.enginesAreAlike ? null : ownerOf(tree.projectId, group.properties);
  const demand = { ...(await demandOf(db, tree, service)), ownerProjectId };
  const candidates = await listCandidates(db, group.id);
  const choice = chooseEngines({ ...plan, count: plan.add, demand }, candidates, group.properties);
  const serving = tree.placements.filter(({ deleting }) => !deleting).map(({ engineId }) => engineId);
  return {
    loadbalancer_id: tree.id,
    service_engine_group_id: group.id,
    service_engine_group_name: group.name,
    ha_mode: service.haMode,
    ...countsOf(service, plan, choice),
    engines: candidates
      .map((engine) => {
        const stands = serving.includes(engine.id) ? 'serving it already' : null;
        const obstacle = stands ?? obstacleFor(engine, demand, group.properties);
        return { id: engine.id, chosen: choice.engineIds.includes(engine.id), obstacle };
      })
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

const NOWHERE: Omit<View, 'loadbalancer_id'> = {
  service_engine_group_id: null,
  service_engine_group_name: null,
  ha_mode: null,
  engines_wanted: 0,
  engines_kept: 0,
  engines_leaving: 0,
  engines_to_make: 0,
  engines_missing: 0,
  shares_host: false,
  reason: 'there is no service engine group to place it in',
  engines: [],
};

function countsOf(service: Service, plan: PlacementPlan, choice: PlacementChoice) {
  return {
    engines_wanted: service.engines,
    engines_kept: plan.staying.length,
    engines_leaving: plan.occupied.length - plan.staying.length,
    engines_to_make: choice.newEngines,
    engines_missing: choice.missing,
    shares_host: choice.sharesHost,
    reason: choice.reason,
  };
}

/** Networks are those that its engines were asked for; before its first engine they are the worker's to find. */
async function demandOf(
  db: Db,
  tree: LoadBalancerTree,
  service: Service,
): Promise<Omit<EngineDemand, 'ownerProjectId'>> {
  const uses = await listVnicUses(db, tree.id);
  const vnics = [...new Set(uses.map(({ domainId, networkId }) => vnicKey(domainId, networkId)))];
  const { perApp, zone, computeFlavor, imageTag } = service;
  return { projectId: tree.projectId, perApp, zone, computeFlavor, imageTag, vnics };
}
