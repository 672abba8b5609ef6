import { randomUUID } from 'node:crypto';
import pino from 'pino';
import type { Bus } from '../../driver/bus/port';
import type { ContrailDriver } from '../../driver/clouds/contrail/port';
import { vipPortNames } from '../../driver/clouds/network/port';
import type { Db } from '../../driver/db/connect';
import { insertRows } from '../../driver/db/insertRows';
import { loadWiredFleet } from '../../driver/db/wiredFleet';
import { vnicPortName } from '../../driver/domain/engine';
import type { Claim, Inventory, InventoryPort } from '../../driver/domain/inventory';
import { createWiringAudit } from '../../driver/drift/audit';

/** The wiring of a fleet by address pairs, and a Contrail in memory in which all of it is as it should be. */

const NETWORK = randomUUID();
const AT = '2026-01-01 00:00:00.000';

/** One vNIC an engine, in the one VIP network; one pair a placement. */
export async function wireFleet(db: Db): Promise<void> {
  await db('vip').update({ network_id: NETWORK });
  const engines: string[] = await db('service_engine').pluck('id');
  const ports = new Map(engines.map((id) => [id, randomUUID()]));
  await insertRows(
    db,
    'se_vnic',
    engines.map((id) => ({
      ...{ id: randomUUID(), service_engine_id: id, network_id: NETWORK, subnet_id: null, port_id: ports.get(id) },
      ...{ mac_address: null, ip_address: null, deleting: 0, created_at: AT, domain_id: NETWORK, vip_side: 1 },
    })),
  );
  const placed: { load_balancer_id: string; service_engine_id: string; ip_address: string }[] = await db(
    'placement as p',
  )
    .join('vip as v', 'v.load_balancer_id', 'p.load_balancer_id')
    .select('p.load_balancer_id', 'p.service_engine_id', 'v.ip_address');
  await insertRows(
    db,
    'vip_wiring',
    placed.map((row) => ({
      ...{ ...row, id: randomUUID(), port_id: ports.get(row.service_engine_id), mode: 'aap', state: 'wired' },
      ...{ created_at: AT, updated_at: null },
    })),
  );
}

/** One audit of all that is wired: rows read, compared with the inventory, found right. @throws Error if it is not */
export async function prepareAudit(db: Db): Promise<() => Promise<void>> {
  const inventory = await inventoryOf(db);
  const unused = (): never => {
    throw new Error('the audit has found something to do');
  };
  const driver = new Proxy({ inventory: async () => inventory } as unknown as ContrailDriver, {
    get: (target, name) => Reflect.get(target, name) ?? unused,
  });
  const settings = { ownerTag: 'slipstream', healthCheck: null, grace: 0, follow: 0, plugs: true };
  const log = pino({ level: 'silent' });
  return createWiringAudit({
    db,
    bus: { publish: unused } as unknown as Bus,
    log,
    driver,
    settings,
    now: () => new Date(),
  });
}

async function inventoryOf(db: Db): Promise<Inventory> {
  const { loadBalancers, engines } = await loadWiredFleet(db);
  const pairs = new Map<string, { address: string; mode: string }[]>();
  for (const { wiring, pairMode } of loadBalancers.values()) {
    for (const { portId, address } of wiring) {
      pairs.set(portId, [...(pairs.get(portId) ?? []), { address, mode: pairMode }]);
    }
  }
  const ports: InventoryPort[] = [];
  const claims: Claim[] = [];
  for (const { vnics, serverId } of engines.values()) {
    for (const { id, portId } of vnics) {
      ports.push(
        port(portId, vnicPortName(id), { serverIds: serverId ? [serverId] : [], pairs: pairs.get(portId) ?? [] }),
      );
    }
  }
  for (const { id, vips } of loadBalancers.values()) {
    for (const { portId, address } of vips) {
      if (portId === null) continue;
      ports.push(port(portId, vipPortNames(id).name, {}));
      claims.push({ by: 'address', id: randomUUID(), networkId: NETWORK, address, portIds: [portId], owner: null });
    }
  }
  for (const [portId, some] of pairs) {
    for (const { address } of some)
      claims.push({ by: 'address pair', id: portId, networkId: NETWORK, address, portIds: [portId], owner: null });
  }
  return {
    ...{ ports, claims, floatingIps: [], bgpServices: [], healthChecks: [], routeTables: [] },
    sessions: { taken: 0, most: 512, autonomousSystem: null },
  };
}

function port(id: string, name: string, more: Partial<InventoryPort>): InventoryPort {
  return {
    ...{ type: 'virtual-machine-interface', id, name, displayName: name, ownerId: null, sharedWith: [] },
    ...{ networkId: NETWORK, pairs: [], healthChecks: [], serverIds: [], bgpServiceIds: [] },
    ...{ hasBgpRouter: false, hasAddress: true },
    ...more,
  };
}
