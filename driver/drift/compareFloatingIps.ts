import type { SeenFloatingIp, WiredFleet, WiredLoadBalancer } from '../db/wiredFleet';
import type { InventoryFloatingIp } from '../domain/inventory';
import { canonicalAddress } from './address';
import { type Audited, type Drift, drift } from './drift';

/**
 * What of the floating IPs is not as wanted. One is known by the VIP's port that it leads to; Neutron, which deletes a port,
 * empties each that led there too, and then it is known by where it led before.
 */
export function compareFloatingIps(audited: Audited): Drift[] {
  const { fleet, inventory } = audited;
  const lbOfPort = ownersOfVipPorts(fleet);
  const found = new Map(inventory.floatingIps.map((one) => [one.id, one]));
  const drifts: Drift[] = [];
  for (const one of inventory.floatingIps) {
    const lb = lbOfPort.get(one.portIds.find((id) => lbOfPort.has(id)) ?? '');
    if (lb?.isQuiet) drifts.push(...compareLinks(lb, one, audited));
  }
  for (const seen of fleet.seenFloatingIps.values()) {
    const lb = fleet.loadBalancers.get(seen.loadBalancerId);
    const one = found.get(seen.id);
    if (lb?.isQuiet && one && one.id !== lb.floatingIpId && isEmptied(seen, one, audited)) {
      drifts.push(restore(lb, one, seen));
    }
  }
  for (const lb of fleet.loadBalancers.values()) {
    if (lb.isQuiet && lb.floatingIpId !== null) drifts.push(...compareOwn(lb, found.get(lb.floatingIpId)));
  }
  return drifts;
}

export function ownersOfVipPorts({ loadBalancers }: WiredFleet): ReadonlyMap<string, WiredLoadBalancer> {
  return new Map(
    [...loadBalancers.values()].flatMap((lb) =>
      lb.vips.flatMap(({ portId }) => (portId === null ? [] : [[portId, lb] as const])),
    ),
  );
}

/** Ports of engines that a floating IP is to lead to, with their engines. */
export function wantedLinks(lb: WiredLoadBalancer, fixedAddress: string | null): ReadonlyMap<string, string> {
  if (lb.isOffNetwork) return new Map();
  const isServed = (address: string): boolean =>
    fixedAddress === null || canonicalAddress(address) === canonicalAddress(fixedAddress);
  return new Map(
    lb.wiring.filter(({ address }) => isServed(address)).map(({ portId, engineId }) => [portId, engineId]),
  );
}

function compareLinks(lb: WiredLoadBalancer, one: InventoryFloatingIp, { fleet, inventory }: Audited): Drift[] {
  const about = { loadBalancerId: lb.id, object: one };
  const named = `floating IP ${one.address ?? one.id} of load balancer ${lb.id}`;
  const drifts: Drift[] = [];
  // vRouters drop what is of another family.
  const isV6 = one.address?.includes(':') ?? false;
  const [vip] = lb.vips.filter(
    ({ address, portId }) => address.includes(':') === isV6 && one.portIds.includes(portId ?? ''),
  );
  if (one.fixedAddress === null && vip) {
    const what = `${named} has lost its fixed address ${vip.address}`;
    const remedy = { kind: 'fixed address' as const, floatingIpId: one.id, address: vip.address };
    drifts.push(drift({ ...about, cause: `fixed-address ${one.id}`, what, remedy }));
  }
  const wanted = wantedLinks(lb, one.fixedAddress);
  const there = new Set(inventory.ports.map(({ id }) => id));
  const missing = [...wanted].filter(([portId]) => !one.portIds.includes(portId) && there.has(portId));
  if (missing.length > 0) {
    const engines = missing.map(([portId, engineId]) => `${portId} of engine ${engineId}`).join(', ');
    const handling = isNew(one, fleet.seenFloatingIps) ? ('spread' as const) : ('repair' as const);
    const what = `${named} does not lead to port ${engines}, as a change of it by Neutron makes it`;
    drifts.push(drift({ ...about, cause: `floating-links ${one.id}`, what, handling }));
  }
  const engines = new Set([...fleet.engines.values()].flatMap(({ vnics }) => vnics.map(({ portId }) => portId)));
  const extra = one.portIds.filter((id) => engines.has(id) && !wanted.has(id));
  if (extra.length > 0 && !lb.isOffNetwork) {
    const what = `${named} leads to port ${extra.join(', ')} of engines that do not serve it`;
    drifts.push(drift({ ...about, cause: `floating-extra ${one.id}`, what }));
  }
  return drifts;
}

/** Associated since the last audit. */
function isNew({ id }: InventoryFloatingIp, seen: WiredFleet['seenFloatingIps']): boolean {
  return !seen.has(id);
}

/**
 * Emptied with a port that was deleted, or all but deleted, behind our back. A user who takes the floating IP off the VIP
 * empties it as well, and all ports are there then.
 */
export function isEmptied(
  { ports }: SeenFloatingIp,
  { portIds }: Pick<InventoryFloatingIp, 'portIds'>,
  { fleet, inventory }: Audited,
): boolean {
  if (portIds.length > 0) return false;
  const found = new Map(inventory.ports.map((port) => [port.id, port]));
  const serving = new Set([...fleet.loadBalancers.values()].flatMap(({ wiring }) => wiring.map((it) => it.engineId)));
  return Object.entries(ports).some(
    ([portId, engineId]) => engineId !== null && !(found.get(portId)?.hasAddress ?? false) && serving.has(engineId),
  );
}

function restore(lb: WiredLoadBalancer, one: InventoryFloatingIp, seen: SeenFloatingIp): Drift {
  const address = seen.address ?? lb.vips[0]?.address ?? null;
  const [vip] = lb.vips.filter((it) => it.address === address);
  const portId = vip?.portId ?? lb.vips[0]?.portId ?? null;
  const what = `floating IP ${one.address ?? one.id} of load balancer ${lb.id} was emptied when the port of an engine was deleted`;
  return drift({
    ...{ cause: `floating-emptied ${one.id}`, what, object: one, loadBalancerId: lb.id },
    remedy: portId === null ? null : { kind: 'link', floatingIpId: one.id, portId, address },
  });
}

/** The one that was allocated for a load balancer: its own run makes it whole, or again. */
function compareOwn(lb: WiredLoadBalancer, one: InventoryFloatingIp | undefined): Drift[] {
  const [vip] = lb.vips;
  const about = { loadBalancerId: lb.id, object: one ?? null };
  if (!one) {
    const what = `the floating IP ${lb.floatingIpId} that was allocated for load balancer ${lb.id} is gone`;
    return [drift({ ...about, cause: `floating-gone ${lb.floatingIpId}`, what })];
  }
  const isLinked = vip?.portId == null || one.portIds.includes(vip.portId);
  if (isLinked && (one.fixedAddress === vip?.address || one.fixedAddress === null)) return [];
  const state = `leads to ${one.fixedAddress ?? 'no address'} and ${isLinked ? 'the' : 'not the'} VIP's port`;
  const what = `floating IP ${one.address ?? one.id}, allocated for load balancer ${lb.id}, ${state}`;
  return [drift({ ...about, cause: `floating-own ${one.id}`, what })];
}
