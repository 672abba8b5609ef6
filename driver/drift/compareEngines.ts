import type { WiredEngine, WiredVnic } from '../db/wiredFleet';
import { vnicPortName } from '../domain/engine';
import type { InventoryPort } from '../domain/inventory';
import { healthCheckName } from '../reconcile/contrailNames';
import { placeOf } from './address';
import { type Audited, type Drift, drift } from './drift';

/** What of the engines' ports is not as wanted. Engines that somebody is at work on, or that leave, are left out. */
export function compareEngines(audited: Audited): Drift[] {
  const ports = new Map(audited.inventory.ports.map((port) => [port.id, port]));
  const wanted = wantedPairs(audited);
  const quiet = [...audited.fleet.engines.values()].filter(({ isQuiet, isLeaving }) => isQuiet && !isLeaving);
  return quiet.flatMap((engine) =>
    engine.vnics.flatMap((vnic) => {
      const port = ports.get(vnic.portId);
      if (!port) return [lost(engine, vnic)];
      return [
        ...compareVnic(engine, vnic, { port, plugs: audited.plugs }),
        ...(vnic.isVipSide ? compareCheck(engine, port, audited) : []),
        ...(vnic.isVipSide ? compareBgp(engine, vnic, port) : []),
        ...strangePairs({ engine, vnic, port }, wanted, audited.formerVips),
      ];
    }),
  );
}

function lost(engine: WiredEngine, { portId }: WiredVnic): Drift {
  const what = `port ${portId} of engine ${engine.name} is gone`;
  return drift({ cause: `port ${portId}`, what, engineId: engine.id });
}

function compareVnic(
  engine: WiredEngine,
  vnic: WiredVnic,
  { port, plugs }: { readonly port: InventoryPort; readonly plugs: boolean },
): Drift[] {
  const about = { engineId: engine.id, object: port };
  const named = `port ${port.id} of engine ${engine.name}`;
  const drifts: Drift[] = [];
  const isOut = engine.serverId !== null && !port.serverIds.includes(engine.serverId);
  if (plugs && vnic.isPlugged && isOut) {
    const what = `${named} is not plugged into its server ${engine.serverId}`;
    drifts.push(drift({ ...about, cause: `vnic ${port.id}`, what }));
  }
  if (!port.hasAddress) {
    const what = `${named} has lost its addresses`;
    drifts.push(drift({ ...about, cause: `addresses ${port.id}`, what }));
  }
  const name = vnicPortName(vnic.id);
  if (port.displayName !== null && !port.displayName.startsWith(name)) {
    const what = `${named} is called "${port.displayName}" instead of "${name}"`;
    const remedy = { kind: 'rename' as const, type: port.type, id: port.id, name };
    drifts.push(drift({ ...about, cause: `name ${port.id}`, what, remedy }));
  }
  if (port.sharedWith.length > 0) {
    const what = `${named} is shared with ${port.sharedWith.join(', ')}`;
    drifts.push(
      drift({ ...about, cause: `shared ${port.id}`, what, remedy: { kind: 'unshare', type: port.type, id: port.id } }),
    );
  }
  return drifts;
}

function compareCheck(
  engine: WiredEngine,
  port: InventoryPort,
  { healthCheck, inventory, ownerTag }: Audited,
): Drift[] {
  const name = healthCheckName({ ownerTag }, engine.groupId);
  if (healthCheck === null || port.healthChecks.includes(name)) return [];
  const isThere = inventory.healthChecks.some((check) => check.name === name);
  const what = `port ${port.id} of engine ${engine.name} is without its health check ${name}${isThere ? '' : ', which is gone'}`;
  return [drift({ cause: `check ${port.id}`, what, engineId: engine.id, object: port })];
}

function compareBgp(engine: WiredEngine, vnic: WiredVnic, port: InventoryPort): Drift[] {
  const { bgpServiceId: service, hasJoined } = vnic;
  const about = { engineId: engine.id, object: port };
  const named = `port ${port.id} of engine ${engine.name}`;
  if (service !== null && hasJoined) {
    if (!port.bgpServiceIds.includes(service)) {
      const what = `${named} is not in its BGP service ${service}`;
      return [drift({ ...about, cause: `bgp ${port.id}`, what })];
    }
    if (!port.hasBgpRouter) {
      const what = `${named} has no BGP router, although it is in BGP service ${service}: the schema transformer has made none`;
      return [drift({ ...about, cause: `bgp-router ${port.id}`, what })];
    }
  }
  return port.bgpServiceIds
    .filter((id) => id !== service)
    .map((serviceId) => {
      const what = `${named} is in BGP service ${serviceId}, where it is not wanted`;
      const remedy = { kind: 'leave' as const, serviceId, portId: port.id };
      return drift({ ...about, cause: `bgp-extra ${port.id}`, what, remedy });
    });
}

interface StrangePairsOf {
  readonly engine: WiredEngine;
  readonly vnic: WiredVnic;
  readonly port: InventoryPort;
}

/**
 * Pairs that no load balancer has any more, of a database that was restored: they attract traffic. Neutron cannot write
 * pairs of equals, so such a one on an engine's port was ours; of the others those are that a load balancer had which is
 * gone.
 */
function strangePairs(
  { engine, vnic, port }: StrangePairsOf,
  wanted: ReadonlySet<string>,
  former: ReadonlySet<string>,
): Drift[] {
  return port.pairs
    .filter(({ address }) => !wanted.has(`${port.id} ${placeOf(null, address)}`))
    .filter(({ address, mode }) => mode === 'active-active' || former.has(placeOf(vnic.networkId, address)))
    .map(({ address }) => {
      const what = `port ${port.id} of engine ${engine.name} has an address pair ${address} that no load balancer there has`;
      const remedy = { kind: 'unpair' as const, portId: port.id, address };
      return drift({ cause: `pair-extra ${port.id} ${address}`, what, engineId: engine.id, object: port, remedy });
    });
}

/** Those that are recorded: also of load balancers that somebody is at work on. */
function wantedPairs({ fleet }: Audited): ReadonlySet<string> {
  return new Set(
    [...fleet.loadBalancers.values()].flatMap(({ wiring }) =>
      wiring.map(({ portId, address }) => `${portId} ${placeOf(null, address)}`),
    ),
  );
}
