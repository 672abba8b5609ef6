import { vipPortNames } from '../clouds/network/port';
import type { WiredLoadBalancer, WiredVip } from '../db/wiredFleet';
import type { InventoryPort } from '../domain/inventory';
import { canonicalAddress } from './address';
import { type Audited, type Drift, drift } from './drift';

/** What of the VIPs' ports, pairs and routes is not as wanted. Load balancers that somebody is at work on are left out. */
export function compareVips({ fleet, inventory }: Audited): Drift[] {
  const ports = new Map(inventory.ports.map((port) => [port.id, port]));
  const tables = new Map(inventory.routeTables.map((table) => [table.id, table]));
  const quiet = [...fleet.loadBalancers.values()].filter(({ isQuiet }) => isQuiet);
  return quiet.flatMap((lb) => [
    ...lb.vips.flatMap((vip) => comparePort(lb, vip, ports)),
    ...comparePairs(lb, ports),
    ...compareRoutes(lb, tables.get(lb.id)),
  ]);
}

function comparePort(lb: WiredLoadBalancer, vip: WiredVip, ports: ReadonlyMap<string, InventoryPort>): Drift[] {
  const { portId } = vip;
  if (portId === null || !vip.isOwned) return [];
  const port = ports.get(portId);
  const about = { loadBalancerId: lb.id };
  if (!port) {
    const what = `port ${portId} of VIP ${vip.address} of load balancer ${lb.id} is gone`;
    return [drift({ ...about, cause: `vip-port ${portId}`, what })];
  }
  const { name } = vipPortNames(lb.id);
  if (port.displayName === null || port.displayName.startsWith(name)) return [];
  const what = `port ${portId} of the VIP of load balancer ${lb.id} is called "${port.displayName}" instead of "${name}"`;
  const remedy = { kind: 'rename' as const, type: port.type, id: portId, name };
  return [drift({ ...about, cause: `name ${portId}`, what, object: port, remedy })];
}

function comparePairs(lb: WiredLoadBalancer, ports: ReadonlyMap<string, InventoryPort>): Drift[] {
  if (lb.isOffNetwork) return [];
  return lb.wiring
    .filter(({ mode }) => mode === 'aap')
    .flatMap(({ engineId, portId, address }) => {
      // That a port is gone is the engine's matter.
      const port = ports.get(portId);
      if (!port) return [];
      const found = port.pairs.find((pair) => canonicalAddress(pair.address) === canonicalAddress(address));
      if (found?.mode === lb.pairMode) return [];
      const pair = `the address pair ${address} of load balancer ${lb.id} on port ${portId} of engine ${engineId}`;
      const what = found
        ? `${pair} is ${found.mode} instead of ${lb.pairMode}, as a change of the port's pairs by Neutron makes it`
        : `${pair} is not there`;
      const about = { loadBalancerId: lb.id, engineId, object: port };
      return [drift({ ...about, cause: `${found ? 'pair-mode' : 'pair'} ${portId} ${address}`, what })];
    });
}

function compareRoutes(lb: WiredLoadBalancer, table: Audited['inventory']['routeTables'][number] | undefined): Drift[] {
  if (lb.isOffNetwork) return [];
  const prefixOf = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`;
  return lb.wiring
    .filter(({ mode }) => mode === 'route')
    .filter(({ portId, address }) => !table?.portIds.includes(portId) || !table.prefixes.includes(prefixOf(address)))
    .map(({ engineId, portId, address }) => {
      const what = `no route table of load balancer ${lb.id} makes port ${portId} of engine ${engineId} the next hop of ${address}`;
      const about = { loadBalancerId: lb.id, engineId, object: table ?? null };
      return drift({ ...about, cause: `route ${portId} ${address}`, what });
    });
}
