import type { Db } from '../db/connect';
import { recordEvents } from '../db/events';
import { findGroupFor, type Group } from '../db/groups';
import type { Placed, PlaceRequest } from '../db/placements';
import { groupInForce, ownerOf } from '../domain/group';
import { type EngineDemand, vnicKey } from '../domain/placement';
import { readService, type Service } from '../domain/placementDemand';
import type { PlacementPlan } from '../domain/placementPlan';
import type { Happening } from '../domain/settlement';
import { readVipWishes, type VipWishes } from '../domain/vipWishes';
import type { Run } from './loadBalancerRun';
import { readSeTag } from './seTag';
import { vipModeOf } from './vipMode';
import type { Needs } from './vnicNeeds';

/** Where a load balancer is to be served, and how. */
export interface Placing {
  readonly group: Group;
  readonly service: Service;
  /** What its flavor says of its VIPs. */
  readonly vip: VipWishes;
  /** What its flavor says of which engine of a pair it is to be on; null: nothing. */
  readonly seTag: string | null;
}

/** Undefined when there is no service engine group. */
export async function findPlacing({ parts, tree }: Run): Promise<Placing | undefined> {
  const found = await findGroupFor(parts.db, tree);
  if (!found) return undefined;
  const { flavor, zone } = found;
  const group = groupInForce(found.group, parts.settings.tenancyMode ?? 'service');
  const wishes = { topology: tree.topology, flavor, zone, adjustment: tree.scaleAdjustment };
  return {
    group,
    service: readService(wishes, group.properties),
    vip: readVipWishes(flavor),
    seTag: readSeTag(flavor),
  };
}

/** What engines are asked for by. */
export interface PlaceWish {
  readonly placing: Placing;
  readonly plan: PlacementPlan;
  readonly needs: Needs;
}

/** Asks for the engines that the plan lacks. */
export function placeRequest(run: Run, { placing, plan, needs }: PlaceWish): PlaceRequest {
  const { service } = placing;
  const { parts, tree, lease } = run;
  return {
    tree,
    group: isAnnounced(run, placing) ? spread(placing.group) : placing.group,
    haMode: service.haMode,
    epoch: lease.epoch,
    namePrefix: parts.settings.engineNamePrefix,
    count: plan.add,
    occupied: plan.occupied,
    staying: plan.staying,
    preferred: plan.preferred,
    demand: { ...demandOf(run, placing), vnics: vnicsFor(needs) },
  };
}

/** Contrail takes what the engines of one compute announce for one route: of those only one would get traffic. */
function isAnnounced({ parts: { contrail }, tree }: Run, { vip }: Placing): boolean {
  return contrail !== undefined && vipModeOf(contrail, tree, vip) === 'bgp';
}

function spread(group: Group): Group {
  return { ...group, properties: { ...group.properties, hostRedundancy: true } };
}

/** Where nothing is plugged in there is no bound on it, and no engine is closer to a network than another. */
function vnicsFor({ domainId, networks }: Needs): string[] {
  return domainId === null ? [] : networks.map(({ networkId }) => vnicKey(domainId, networkId));
}

function demandOf(
  { parts, tree }: Run,
  { group, service: { perApp, zone, computeFlavor, imageTag } }: Placing,
): Omit<EngineDemand, 'vnics'> {
  const kind = parts.settings.enginesAreAlike
    ? { zone: null, computeFlavor: null, imageTag: null, ownerProjectId: null }
    : { zone, computeFlavor, imageTag, ownerProjectId: ownerOf(tree.projectId, group.properties) };
  return { projectId: tree.projectId, perApp, ...kind };
}

/** Tells of engines that have to be made, and of what cannot be had: once a change, not with every try. */
export async function recordPlaced(run: Run, trx: Db, { group, service }: Placing, placed: Placed): Promise<void> {
  const { tree } = run;
  const about = { resourceType: 'load_balancer', resourceId: tree.id };
  const requested = placed.newEngineIds.map((engineId) => ({
    ...about,
    engineId,
    name: 'ENGINE_REQUESTED',
    severity: 'info' as const,
    message: `no engine of group ${group.name} has room for load balancer ${tree.id}: another one is made`,
  }));
  const isFirst = tree.attempts === 0 && tree.generation !== tree.settledGeneration;
  const lacking = isFirst ? describeLacks(run, { group, service }, placed) : [];
  await recordEvents(trx, [...requested, ...lacking.map((it) => ({ ...about, ...it }))], {
    projectId: tree.projectId,
    loadBalancerId: tree.id,
  });
}

function describeLacks(
  { tree }: Run,
  { group, service }: Pick<Placing, 'group' | 'service'>,
  placed: Placed,
): Happening[] {
  const lacks: Happening[] = [];
  if (placed.lacks !== null) {
    const message = `group ${group.name} has no room for load balancer ${tree.id}: ${placed.lacks}`;
    const severity = tree.placements.length + placed.engineIds.length === 0 ? 'error' : 'warning';
    lacks.push({ name: 'GROUP_FULL', severity, message });
  }
  if (placed.sharesHost) {
    const message = `engines of load balancer ${tree.id} are on one host: group ${group.name} has no other with room`;
    lacks.push({ name: 'HOST_SHARED', severity: 'warning', message });
  }
  if (service.bounded && tree.placements.length === 0) {
    const message = `load balancer ${tree.id} is on ${service.engines} engines: group ${group.name} allows no more`;
    lacks.push({ name: 'SCALEOUT_BOUNDED', severity: 'warning', message });
  }
  return lacks;
}
