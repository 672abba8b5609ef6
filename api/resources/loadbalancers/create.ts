import { toBit } from '../../../driver/db/codecs';
import type { Db } from '../../../driver/db/connect';
import { insertHealthMonitors } from '../../../driver/db/healthMonitors';
import { insertL7Policies } from '../../../driver/db/l7Policies';
import { insertL7Rules } from '../../../driver/db/l7Rules';
import { insertListeners } from '../../../driver/db/listeners';
import { insertLoadBalancer, type NewLoadBalancer } from '../../../driver/db/loadBalancers';
import { insertMembers } from '../../../driver/db/members';
import { insertPools } from '../../../driver/db/pools';
import { loadBalancerDict } from '../../../driver/db/providerDicts';
import { checkQuota, type QuotaDemand } from '../../../driver/db/quotas';
import type { LoadBalancerRead } from '../../../driver/db/read/loadBalancers';
import { insertTags, tagRows } from '../../../driver/db/tags';
import { ValidationError } from '../../../driver/domain/errors';
import { flagOr, type LoadBalancerCreate } from '../../changes/bodies';
import { checkCertificates } from '../../changes/certificates';
import { type Done, runChange } from '../../changes/change';
import { unique } from '../../changes/columns';
import type { Caller, CommandDeps } from '../../changes/deps';
import { orderedIds } from '../../changes/orderedIds';
import { readTags } from '../../changes/tags';
import { checkAllowedCidrs } from '../listeners/rules';
import { checkMemberFits, checkMemberSubnets } from '../members/rules';
import { buildGraph, countGraph, type Graph, membersOf, referencesOf } from './graph';
import { chooseOffer, type Offer } from './offer';
import { planVip, type VipPlan } from './vip';
import { checkVipExtras, refuseGroupsOnDirect } from './vipExtras';
import { type VipPortWish, type VipRows, withVipPort } from './vipPort';
import { writtenLoadBalancer } from './written';

/** Addresses a load balancer takes of a subnet that the service chooses. */
const ADDRESSES_NEEDED: Readonly<Record<string, number>> = { SINGLE: 2, ACTIVE_STANDBY: 3 };

/**
 * Creates a load balancer, with everything below it if the body has that: references and quota are checked, the VIP port
 * is made, then one transaction checks the quota again and writes the rows.
 * @throws ServiceError
 */
export async function createLoadBalancer<T>(
  deps: CommandDeps,
  caller: Caller,
  { body }: { body: LoadBalancerCreate },
  answer: CreateAnswer<T>,
): Promise<T> {
  const planned = await plan(deps, caller, body);
  const { graph, offer, wish } = planned;
  return withVipPort(deps, wish, (vips) => {
    checkAgainstVips(body, { graph, vips, offer, deps });
    let written: LoadBalancerRead | undefined;
    const work = (trx: Db, at: Date) => {
      written = writtenLoadBalancer({ ...planned, vips, at });
      return writeTree(deps, trx, { planned, vips, at });
    };
    const change = { loadBalancerId: wish.loadBalancerId, work };
    return runChange(deps, caller, { change, answer: (db, id) => answer(db, id, written) });
  });
}

/** Answers a create; given the row, it need not be read. */
export type CreateAnswer<T> = (db: Db, id: string, written: LoadBalancerRead | undefined) => Promise<T>;

/** What is known of a new load balancer before anything is made. */
interface PlannedLoadBalancer {
  readonly loadBalancer: NewLoadBalancer;
  readonly tags: readonly string[];
  readonly graph: Graph;
  readonly offer: Offer;
  readonly wish: VipPortWish;
  readonly quota: QuotaDemand;
}

async function plan(deps: CommandDeps, caller: Caller, body: LoadBalancerCreate): Promise<PlannedLoadBalancer> {
  const { settings } = deps;
  const projectId = body.project_id || body.tenant_id || caller.identity.projectId;
  if (!projectId) throw new ValidationError('Missing project ID in request where one is required.');
  const tags = readTags(body.tags);
  const offer = await chooseOffer(deps.db, body, settings);
  const vipPlan = await findVip(deps, caller, { body, offer, projectId });
  const loadBalancerId = deps.newId();
  const graph = buildGraph(body, { loadBalancerId, projectId, settings, newId: orderedIds(body, deps.newId) });
  await checkMemberSubnets(deps, caller, { members: membersOf(body), projectId });
  const quota = { projectId, add: { load_balancer: 1, ...countGraph(graph) } };
  await checkQuota(deps.db, quota, settings.defaultQuotas);
  await checkCertificates(deps, caller, referencesOf(graph));
  const wish = {
    loadBalancerId,
    projectId,
    plan: vipPlan,
    securityGroupIds: unique(body.vip_sg_ids),
    qosPolicyId: body.vip_qos_policy_id ?? vipPlan.port?.qosPolicyId ?? null,
    vnicType: offer.vnicType,
  };
  const loadBalancer = buildLoadBalancer(body, { id: loadBalancerId, projectId, offer });
  return { loadBalancer, tags, graph, offer, wish, quota };
}

async function writeTree(
  { settings }: CommandDeps,
  trx: Db,
  { planned, vips, at }: { planned: PlannedLoadBalancer; vips: VipRows; at: Date },
): Promise<Done> {
  const { loadBalancer, tags, graph, offer, quota } = planned;
  const { securityGroupIds } = planned.wish;
  const { id } = loadBalancer;
  const rows = { loadBalancer, ...vips, securityGroupIds };
  await insertLoadBalancer(trx, rows, { deadline: settings.pendingDeadline, at });
  await insertGraph(trx, graph, at);
  await insertTags(trx, [...tagRows(id, tags), ...graph.tags]);
  const args = {
    loadbalancer: loadBalancerDict(loadBalancer, { ...vips, securityGroupIds }),
    flavor: offer.flavor?.data ?? null,
    availability_zone: offer.zone?.data ?? null,
  };
  return { id, quota, cast: { method: 'create_load_balancer', args } };
}

async function findVip(
  { network, settings }: CommandDeps,
  { identity }: Caller,
  { body, offer, projectId }: { body: LoadBalancerCreate; offer: Offer; projectId: string },
): Promise<VipPlan> {
  const ofZone = offer.zone?.data['valid_vip_networks'];
  const search = {
    driver: network,
    beholder: { identity, projectId },
    settings,
    addressesNeeded: ADDRESSES_NEEDED[offer.topology] ?? 2,
    allowedNetworks: Array.isArray(ofZone) ? ofZone.map(String) : settings.validVipNetworks,
  };
  const plan = await planVip(search, body);
  const securityGroupIds = unique(body.vip_sg_ids);
  refuseGroupsOnDirect(offer.vnicType, securityGroupIds);
  await checkVipExtras(network, { qosPolicyId: body.vip_qos_policy_id ?? null, securityGroupIds });
  return plan;
}

function buildLoadBalancer(
  body: LoadBalancerCreate,
  { id, projectId, offer }: { id: string; projectId: string; offer: Offer },
): NewLoadBalancer {
  return {
    id,
    project_id: projectId,
    name: body.name ?? '',
    description: body.description ?? '',
    enabled: toBit(flagOr(body.admin_state_up, true)),
    provider: offer.provider,
    topology: offer.topology,
    flavor_id: body.flavor_id ?? null,
    availability_zone: body.availability_zone ?? null,
  };
}

/** What can only be checked once the VIPs have their addresses. */
function checkAgainstVips(
  body: LoadBalancerCreate,
  { graph, vips, offer, deps }: { graph: Graph; vips: VipRows; offer: Offer; deps: CommandDeps },
): void {
  const addresses = [vips.vip, ...vips.additionalVips].flatMap(({ ip_address }) => ip_address ?? []);
  const hasSecurityGroups = (body.vip_sg_ids ?? []).length > 0;
  for (const { cidrs } of graph.listeners) checkAllowedCidrs(cidrs, { vips: addresses, hasSecurityGroups });
  const allowsSriov = offer.flavor?.data['allow_member_sriov'] === true;
  for (const { row: pool } of graph.pools) {
    const members = graph.members
      .filter((member) => member.pool_id === pool.id)
      .map(({ ip_address: address, vnic_type }) => ({ address, request_sriov: vnic_type === 'direct' }));
    checkMemberFits(members, { poolProtocol: pool.protocol, vips: addresses, allowsSriov }, deps.settings);
  }
}

/** In the order that foreign keys ask for; Octavia's members come before their monitor, which shows in their status. */
async function insertGraph(trx: Db, graph: Graph, at: Date): Promise<void> {
  await insertPools(trx, graph.pools, at);
  await insertListeners(trx, graph.listeners, at);
  await insertMembers(trx, graph.members, { monitored: false, at });
  await insertHealthMonitors(trx, graph.monitors, at);
  await insertL7Policies(trx, graph.policies, at);
  await insertL7Rules(trx, graph.rules, at);
}
