import { randomUUID } from 'node:crypto';
import { type Db, inTransaction } from '../db/connect';
import { listCuts } from '../db/engineReach';
import { renewLease } from '../db/leases';
import { listVnicUses, needVnic, releaseVnics, type VnicUse } from '../db/vnics';
import { hasConfirmed, isLive } from '../domain/answers';
import type { LoadBalancerTree } from '../domain/tree';
import { isComplete } from '../domain/vnic';
import {
  type NetworkNeed,
  NO_ROUTING,
  networkNeeds,
  placeMembers,
  placeVips,
  subnetsToPlace,
  type VipPlace,
} from '../target/networkNeeds';
import { hintEngineNetworks, hintEngineUnits, type LoadBalancerParts, type Run } from './loadBalancerRun';

/** Where engines have to be for a load balancer. */
export interface Needs {
  /** None where there is nothing to be in. The first is the VIP's. */
  readonly networks: readonly NetworkNeed[];
  /** Where each VIP is answered for. */
  readonly vips: readonly VipPlace[];
  /** Null where engines' vNICs are not plugged in. */
  readonly domainId: string | null;
}

const NOTHING: Needs = { networks: [], vips: [], domainId: null };

/** Asks the network service which networks the subnets are of; each is asked for once. */
export async function findNeeds({ parts, tree }: Pick<Run, 'parts' | 'tree'>): Promise<Needs> {
  const { networkId, subnetId } = tree.vip;
  if (parts.network.acceptsAnything || networkId === null) return NOTHING;
  if (!parts.plugsVnics) {
    const vips = placeVips(tree, () => undefined, NO_ROUTING);
    return {
      networks: [{ networkId, subnetIds: subnetId === null ? [] : [subnetId], vipSide: true }],
      vips,
      domainId: null,
    };
  }
  const routing = parts.routing ?? NO_ROUTING;
  const known = await findNetworksOf(parts, subnetsToPlace(tree, routing));
  const networkOf = (id: string): string | undefined => known.get(id);
  const vips = placeVips(tree, networkOf, routing);
  const needed = networkNeeds(tree, networkOf, routing);
  const networks = parts.contrail ? await withIpv4(parts, needed, [...vips, ...placeMembers(tree, networkOf)]) : needed;
  return { networks, vips, domainId: networkId };
}

/**
 * Contrail speaks IPv4 with engines, whatever is served: health checks and sessions of BGP are with a port's IPv4 address.
 * Where only IPv6 is asked for, and there is a subnet of IPv4, an address of that is needed too.
 */
async function withIpv4(
  { network, ipv4Subnets = new Map() }: LoadBalancerParts,
  needs: readonly NetworkNeed[],
  places: readonly VipPlace[],
): Promise<readonly NetworkNeed[]> {
  const widened: NetworkNeed[] = [];
  for (const need of needs) {
    const here = places.filter(({ networkId }) => networkId === need.networkId);
    const lacks = here.length > 0 && here.every(({ address }) => address.includes(':'));
    const known = lacks
      ? (ipv4Subnets.get(need.networkId) ?? (await findIpv4Subnet(network, need.networkId)))
      : undefined;
    if (known !== undefined) ipv4Subnets.set(need.networkId, known);
    widened.push(known === undefined ? need : { ...need, subnetIds: [...new Set([...need.subnetIds, known])] });
  }
  return widened;
}

async function findIpv4Subnet(
  network: Pick<LoadBalancerParts['network'], 'findNetwork' | 'findSubnet'>,
  networkId: string,
): Promise<string | undefined> {
  for (const id of (await network.findNetwork(networkId))?.subnetIds ?? []) {
    if ((await network.findSubnet(id))?.ipVersion === 4) return id;
  }
  return undefined;
}

/** A subnet never changes its network: what was found is kept. */
async function findNetworksOf(
  { network, networkOfSubnet }: LoadBalancerParts,
  subnetIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const kept = networkOfSubnet ?? new Map<string, string>();
  for (const id of subnetIds) {
    if (kept.has(id)) continue;
    const subnet = await network.findSubnet(id);
    if (subnet) kept.set(id, subnet.networkId);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value ?? '');
  }
  return kept;
}

/** Subnets whose network is kept: some MB at most. */
const KEPT = 50_000;

/** States what the load balancer needs of the engines. Gives those that have still to meet it. In a transaction of the caller. */
export async function stateNeeds(
  trx: Db,
  tree: Pick<LoadBalancerTree, 'id'>,
  { networks, domainId }: Needs,
  engineIds: readonly string[],
): Promise<string[]> {
  const needy = new Set<string>();
  for (const engineId of [...engineIds].sort()) {
    for (const { networkId, subnetIds, vipSide } of networks) {
      const vnic = await needVnic(trx, {
        ...{ id: randomUUID(), engineId, networkId, subnetId: subnetIds[0] ?? null, subnetIds, vipSide },
        ...(domainId !== null && { domainId, loadBalancerId: tree.id }),
      });
      if (vnic.portId === null || (domainId !== null && !isComplete(vnic))) needy.add(engineId);
    }
  }
  return [...needy];
}

/** As `stateNeeds`, in a transaction of its own, and tells the engines' units. */
export async function demandVnics(run: Run, needs: Needs, engineIds: readonly string[]): Promise<void> {
  const { parts, tree, lease } = run;
  await run.before('vnics: need');
  await inTransaction(parts.db, async (trx) => {
    await renewLease(trx, lease, parts.settings.leaseSeconds);
    await stateNeeds(trx, tree, needs, engineIds);
  });
  await hintEngineUnits(run, engineIds);
}

/** Engines that serve it and have not been asked for every network it needs: their rows were lost, or are older than this. */
export async function listUnasked({ parts, tree }: Run, { networks, domainId }: Needs): Promise<string[]> {
  if (domainId === null) return [];
  const uses = await listVnicUses(parts.db, tree.id);
  const serving = tree.placements.filter((it) => !it.deleting && !it.engine.deleting);
  return serving
    .filter(({ engineId }) =>
      networks.some(
        ({ networkId }) =>
          !uses.some((use) => use.engineId === engineId && use.networkId === networkId && !use.deleting),
      ),
    )
    .map(({ engineId }) => engineId);
}

/**
 * Gives up the vNICs that the load balancer needs no more, as far as its engines have confirmed that they do without.
 * For one that goes, `networks` is empty and so are its placements.
 */
export async function releaseUnneeded(run: Run, { networks }: Pick<Needs, 'networks'>): Promise<void> {
  const { parts, tree, lease } = run;
  if (!parts.plugsVnics || parts.network.acceptsAnything) return;
  const wanted = new Set(networks.map(({ networkId }) => networkId));
  const uses = await listVnicUses(parts.db, tree.id);
  const released = uses.filter((use) => mayRelease(tree, use, wanted));
  const unneeded = tree.deleting ? released : await withoutCut(run, released);
  if (unneeded.length === 0) return;
  await run.before('vnics: release');
  const engineIds = await inTransaction(parts.db, async (trx) => {
    await renewLease(trx, lease, parts.settings.leaseSeconds);
    return releaseVnics(trx, tree.id, unneeded);
  });
  await hintEngineNetworks(run, engineIds);
  await hintEngineUnits(run, engineIds);
}

/** What has left an engine that is cut from its network leaves it the vNIC there: by that it is seen when it is well again. */
async function withoutCut({ parts }: Run, uses: readonly VnicUse[]): Promise<readonly VnicUse[]> {
  if (uses.length === 0) return uses;
  const engineIds = uses.map(({ engineId }) => engineId);
  const cuts = await listCuts(parts.db, [...new Set(engineIds)]);
  return uses.filter(
    ({ engineId, networkId, domainId }) =>
      networkId !== domainId || !cuts.some((it) => it.engineId === engineId && it.networkId === networkId),
  );
}

/** An engine that has not answered for the present generation may still use what an earlier one needed. */
function mayRelease(tree: LoadBalancerTree, use: VnicUse, wanted: ReadonlySet<string>): boolean {
  const placement = tree.placements.find(({ engineId }) => engineId === use.engineId);
  if (!placement) return true;
  if (placement.deleting || wanted.has(use.networkId)) return false;
  return isLive(placement) && hasConfirmed(placement, tree.generation);
}
