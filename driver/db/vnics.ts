import { fromBit, toBit } from './codecs';
import { type Db, dbNow } from './connect';
import type { SeVnicRow } from './rows';

/** Engines' vNICs: the row says that one is wanted; the engine's unit makes the port and notes it here. */

export interface Vnic {
  readonly id: string;
  readonly engineId: string;
  readonly networkId: string;
  readonly subnetId: string | null;
  readonly portId: string | null;
  readonly macAddress: string | null;
  readonly ipAddress: string | null;
  readonly deleting: boolean;
}

export async function listVnics(db: Db, engineId: string): Promise<readonly Vnic[]> {
  const rows: SeVnicRow[] = await db('se_vnic')
    .where({ service_engine_id: engineId })
    .orderBy(['created_at', 'id'])
    .select('*');
  return rows.map(toVnic);
}

/** What a load balancer needs of an engine. */
export interface VnicNeed {
  /** Id of the row, if one has to be made. */
  readonly id: string;
  readonly engineId: string;
  readonly networkId: string;
  readonly subnetId: string | null;
}

/**
 * States that the engine needs a vNIC in the network, and makes the engine work if it has none yet. Gives the vNIC; its
 * `portId` is null until the engine's unit has met the need. In a transaction of the caller.
 */
export async function needVnic(trx: Db, need: VnicNeed): Promise<Vnic> {
  // Writing the engine's row first makes concurrent callers wait for each other.
  await trx('service_engine')
    .where({ id: need.engineId })
    .update({ generation: trx.raw('generation') });
  const row: SeVnicRow | undefined = await trx('se_vnic')
    .where({ service_engine_id: need.engineId, network_id: need.networkId, deleting: 0 })
    .first('*');
  if (row) return toVnic(row);
  await trx('se_vnic').insert({
    id: need.id,
    service_engine_id: need.engineId,
    network_id: need.networkId,
    subnet_id: need.subnetId,
    port_id: null,
    mac_address: null,
    ip_address: null,
    deleting: toBit(false),
    created_at: dbNow(trx),
  });
  await trx('service_engine')
    .where({ id: need.engineId })
    .update({ generation: trx.raw('generation + 1'), retry_at: null });
  return { ...need, portId: null, macAddress: null, ipAddress: null, deleting: false };
}

/** What the network service says of a vNIC's port. */
export interface VnicPort {
  readonly portId: string;
  readonly macAddress: string;
  readonly ipAddress: string | null;
}

export async function recordVnicPort(db: Db, vnicId: string, port: VnicPort): Promise<void> {
  await db('se_vnic')
    .where({ id: vnicId })
    .update({ port_id: port.portId, mac_address: port.macAddress, ip_address: port.ipAddress });
}

/** Forgets a vNIC whose port is gone. */
export async function removeVnic(db: Db, vnicId: string): Promise<void> {
  await db('se_vnic').where({ id: vnicId, deleting: 1 }).delete();
}

function toVnic(row: SeVnicRow): Vnic {
  return {
    id: row.id,
    engineId: row.service_engine_id,
    networkId: row.network_id,
    subnetId: row.subnet_id,
    portId: row.port_id,
    macAddress: row.mac_address,
    ipAddress: row.ip_address,
    deleting: fromBit(row.deleting),
  };
}
