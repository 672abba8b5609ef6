import type { WiredLoadBalancer } from '../db/wiredFleet';
import type { InventoryObject } from '../domain/inventory';
import { bgpServiceName, healthCheckName } from '../reconcile/contrailNames';
import { placeOf } from './address';
import { type Audited, type Drift, drift } from './drift';

/** Objects of ours that somebody has renamed, shared or changed. */
export function compareOurs(audited: Audited): Drift[] {
  const { inventory, healthCheck } = audited;
  const changed = inventory.healthChecks.filter((it) => isOurCheck(it, audited) && !it.isAsWanted);
  return [
    ...ourObjects(audited).flatMap((object) => compareObject(object, audited)),
    ...(healthCheck === null ? [] : changed).map((check) => {
      const what = `the health check ${check.name} is not as it is configured`;
      const remedy = { kind: 'correct check' as const, id: check.id };
      return drift({ cause: `check-changed ${check.id}`, what, object: check, remedy });
    }),
  ];
}

function isOurCheck({ name }: InventoryObject, { fleet, ownerTag }: Audited): boolean {
  return [...fleet.groupIds].some((id) => name === healthCheckName({ ownerTag }, id));
}

function ourObjects(audited: Audited): readonly InventoryObject[] {
  const { fleet, inventory, ownerTag } = audited;
  const floating = new Set([...fleet.loadBalancers.values()].flatMap(({ floatingIpId }) => floatingIpId ?? []));
  return [
    ...inventory.bgpServices.filter(
      ({ id, name }) => fleet.bgpServiceIds.has(id) && name === bgpServiceName({ ownerTag }, id),
    ),
    ...inventory.healthChecks.filter((it) => isOurCheck(it, audited)),
    ...inventory.routeTables.filter(({ id }) => fleet.loadBalancers.has(id)),
    ...inventory.floatingIps.filter(({ id }) => floating.has(id)),
  ];
}

function compareObject(object: InventoryObject, { fleet }: Audited): Drift[] {
  const { type, id, name, displayName, sharedWith, ownerId } = object;
  const loadBalancerId = fleet.loadBalancers.has(ownerId ?? '') ? ownerId : null;
  const drifts: Drift[] = [];
  if (displayName !== null && displayName !== name) {
    const what = `the ${type} ${name} is shown as "${displayName}"`;
    drifts.push(
      drift({ cause: `name ${id}`, what, object, loadBalancerId, remedy: { kind: 'rename', type, id, name } }),
    );
  }
  if (sharedWith.length > 0) {
    const what = `the ${type} ${name} is shared with ${sharedWith.join(', ')}`;
    drifts.push(drift({ cause: `shared ${id}`, what, object, loadBalancerId, remedy: { kind: 'unshare', type, id } }));
  }
  return drifts;
}

/** Others that claim the address of a VIP in its network: traffic for it may go there. It is not ours to change. */
export function findRivals({ fleet, inventory }: Audited): Drift[] {
  const own = new Set([...fleet.engines.values()].flatMap(({ vnics }) => vnics.map(({ portId }) => portId)));
  const holders = new Map<string, WiredLoadBalancer>();
  for (const lb of fleet.loadBalancers.values()) {
    for (const { networkId, address, portId } of lb.vips) {
      holders.set(placeOf(networkId, address), lb);
      if (portId !== null) own.add(portId);
    }
  }
  const claims = inventory.claims.filter(({ portIds }) => !portIds.some((id) => own.has(id)));
  return claims.flatMap((claim) => {
    const lb = holders.get(placeOf(claim.networkId, claim.address));
    if (!lb) return [];
    const where = claim.portIds.length > 0 ? `port ${claim.portIds.join(', ')}` : `no port (instance-ip ${claim.id})`;
    const who = claim.owner === null ? '' : ` of project ${claim.owner}`;
    const what = `${claim.address}, a VIP of load balancer ${lb.id}, is the ${claim.by} of ${where}${who} in its network ${claim.networkId} too: traffic may go there`;
    return [drift({ cause: `rival ${claim.id} ${claim.address}`, what, loadBalancerId: lb.id, handling: 'report' })];
  });
}

export function compareAll(audited: Audited, compares: readonly ((audited: Audited) => Drift[])[]): Drift[] {
  const all = compares.flatMap((compare) => compare(audited));
  return [...new Map(all.map((one) => [one.cause, one])).values()];
}
