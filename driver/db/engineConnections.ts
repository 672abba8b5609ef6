import { DOWN_AFTER_SILENCE, type EngineStatus } from '../domain/engine';
import { toNumber } from './codecs';
import { type Db, dbNow, nowPlus } from './connect';
import { forgetCuts, keepOn } from './engineReach';
import { loadBalancersOn } from './engines';
import type { ServiceEngineRow } from './rows';

/** Who holds an engine's connection, when it was last heard of, and what follows from its silence. */

/** One connection of an engine: what a stale one writes changes nothing, because the epoch has moved on. */
export interface EngineConnection {
  readonly engineId: string;
  readonly epoch: number;
}

/**
 * Makes this health-manager the holder of the engine's connection. False when another connection came in between, or the
 * engine is gone.
 */
export async function takeConnection(
  db: Db,
  { engineId, epoch }: EngineConnection,
  { connectedTo, status }: { connectedTo: string; status: { from: EngineStatus; to: EngineStatus } },
): Promise<boolean> {
  const changed = status.from === status.to ? {} : { status: status.to, updated_at: dbNow(db) };
  const taken = await db('service_engine')
    .where({ id: engineId, connection_epoch: epoch - 1, status: status.from })
    .update({
      connected_to: connectedTo,
      connection_epoch: epoch,
      last_heartbeat: dbNow(db),
      silent_since: null,
      ...changed,
    });
  if (taken === 1 && status.from === 'DOWN') {
    await keepOn(db, engineId);
    await forgetCuts(db, engineId);
  }
  return taken === 1;
}

/** The engine's connection has ended: unless a newer one exists, nobody holds it. */
export async function dropConnection(db: Db, { engineId, epoch }: EngineConnection): Promise<void> {
  await db('service_engine').where({ id: engineId, connection_epoch: epoch }).update({ connected_to: null });
}

/** Nobody holds any engine's connection. Only for a database that no other process can have open. */
export async function voidConnections(db: Db): Promise<void> {
  await db('service_engine').whereNotNull('connected_to').update({ connected_to: null });
}

/** Notes that all of these were heard of. Gives those whose connection is no longer the newest. */
export async function recordHeartbeats(
  db: Db,
  connectedTo: string,
  connections: readonly EngineConnection[],
): Promise<readonly EngineConnection[]> {
  const superseded: EngineConnection[] = [];
  for (let start = 0; start < connections.length; start += BATCH) {
    const batch = connections.slice(start, start + BATCH);
    const ids = batch.map(({ engineId }) => engineId);
    await db('service_engine')
      .whereIn('id', ids)
      .where({ connected_to: connectedTo })
      .update({ last_heartbeat: dbNow(db) });
    const rows: Pick<ServiceEngineRow, 'id' | 'connection_epoch' | 'connected_to'>[] = await db('service_engine')
      .whereIn('id', ids)
      .select('id', 'connection_epoch', 'connected_to');
    const now = new Map(rows.map((row) => [row.id, row]));
    superseded.push(
      ...batch.filter(({ engineId, epoch }) => {
        const row = now.get(engineId);
        return !row || row.connected_to !== connectedTo || toNumber(row.connection_epoch) !== epoch;
      }),
    );
  }
  return superseded;
}

const BATCH = 500;

/** An engine that has fallen silent, and whether that changed its status. */
export interface SilencedEngine {
  readonly wentDown: boolean;
  /** Load balancers it served. */
  readonly loadBalancerIds: readonly string[];
}

/**
 * The engine is silent: it is DOWN unless it is on its way out, and what is placed on it is stale. Undefined when a newer
 * connection exists. In a transaction of the caller.
 */
export async function silenceEngine(
  trx: Db,
  { engineId, epoch }: EngineConnection,
): Promise<SilencedEngine | undefined> {
  const held = await trx('service_engine')
    .where({ id: engineId, connection_epoch: epoch })
    .update({ connected_to: null });
  if (held === 0) return undefined;
  const wentDown = await trx('service_engine')
    .where({ id: engineId })
    .whereIn('status', [...DOWN_AFTER_SILENCE])
    .update({ status: 'DOWN', silent_since: dbNow(trx), updated_at: dbNow(trx) });
  await trx('placement')
    .where({ service_engine_id: engineId, stale: 0 })
    .update({ stale: 1, updated_at: dbNow(trx) });
  await trx('listener_statistics').where({ amphora_id: engineId }).update({ active_connections: 0 });
  return { wentDown: wentDown === 1, loadBalancerIds: await loadBalancersOn(trx, engineId) };
}

/** Engines that ought to be heard of and were not for so many seconds, whoever held their connection. */
export async function listSilentEngines(db: Db, seconds: number): Promise<readonly EngineConnection[]> {
  const rows: Pick<ServiceEngineRow, 'id' | 'connection_epoch'>[] = await db('service_engine')
    .whereIn('status', [...DOWN_AFTER_SILENCE])
    .where('last_heartbeat', '<', nowPlus(db, -seconds))
    .select('id', 'connection_epoch');
  return rows.map((row) => ({ engineId: row.id, epoch: toNumber(row.connection_epoch) }));
}
