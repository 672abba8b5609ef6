import type { WiredFleet } from '../db/wiredFleet';
import type { Inventory, InventoryObject } from '../domain/inventory';
import { bgpServiceName, healthCheckName } from '../reconcile/contrailNames';

/** An object of ours that nothing has any more. */
export interface Leftover {
  readonly object: InventoryObject;
  readonly why: string;
  readonly loadBalancerId: string | null;
}

export interface LeftoversAsked {
  readonly fleet: WiredFleet;
  readonly inventory: Inventory;
  readonly ownerTag: string;
  /** Of the load balancers that objects are marked with, those that are gone. */
  readonly deleted: ReadonlySet<string>;
}

/** Load balancers that objects are marked with and that are not there. */
export function strangersOf({ fleet, inventory }: Pick<LeftoversAsked, 'fleet' | 'inventory'>): readonly string[] {
  const marks = [...inventory.routeTables, ...inventory.floatingIps].flatMap(({ ownerId }) => ownerId ?? []);
  return [...new Set(marks)].filter((id) => !fleet.loadBalancers.has(id));
}

/**
 * What bears our mark and has no owner. Services of BGP and health checks have this installation's tag in their names; of
 * others that bear a mark only those are ours whose load balancer our database knows: several installations may share a
 * Contrail.
 */
export function findLeftovers({ fleet, inventory, ownerTag, deleted }: LeftoversAsked): readonly Leftover[] {
  const services = new Set(inventory.bgpServices.map(({ name }) => name));
  return [
    ...inventory.bgpServices.flatMap((object) =>
      object.name === bgpServiceName({ ownerTag }, object.id) &&
      object.ownerId !== null &&
      !fleet.bgpServiceIds.has(object.id)
        ? [{ object, why: 'no group of engines has it', loadBalancerId: null }]
        : [],
    ),
    ...inventory.healthChecks.flatMap((object) => {
      const why = unusedCheck(object, { fleet, ownerTag, services });
      return why === undefined ? [] : [{ object, why, loadBalancerId: null }];
    }),
    ...[...inventory.routeTables, ...inventory.floatingIps].flatMap((object) =>
      object.ownerId !== null && deleted.has(object.ownerId)
        ? [{ object, why: `load balancer ${object.ownerId} is gone`, loadBalancerId: object.ownerId }]
        : [],
    ),
  ];
}

function unusedCheck(
  { name, ownerId }: InventoryObject,
  { fleet, ownerTag, services }: { fleet: WiredFleet; ownerTag: string; services: ReadonlySet<string> },
): string | undefined {
  if (ownerId !== name) return undefined;
  const service = bgpServiceName({ ownerTag }, '');
  if (name.startsWith(service)) {
    const id = name.slice(service.length);
    return services.has(name) || fleet.bgpServiceIds.has(id) ? undefined : 'its BGP service is gone';
  }
  const prefix = healthCheckName({ ownerTag }, '');
  if (!name.startsWith(prefix) || !UUID.test(name.slice(prefix.length))) return undefined;
  return fleet.groupIds.has(name.slice(prefix.length)) ? undefined : 'its service engine group has no engines';
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
