import type { EngineLoadSample } from '../domain/engineLoad';
import { type Db, dbNow, nowPlusSql, prepared } from './connect';
import type { EngineLoadRow } from './rows';

/** How loaded engines are, as health-managers last wrote it. */

export interface EngineLoadRecord extends EngineLoadSample {
  readonly engineId: string;
}

const BATCH = 200;

/** Writes loads in batches, at most one an engine; of engines that are gone nothing is kept. */
export async function recordLoads(db: Db, loads: readonly EngineLoadRecord[]): Promise<void> {
  for (let start = 0; start < loads.length; start += BATCH) {
    const batch = loads.slice(start, start + BATCH);
    const ids = batch.map(({ engineId }) => engineId);
    const known = new Set<string>(await db('service_engine').whereIn('id', ids).pluck('id'));
    const rows = batch.filter(({ engineId }) => known.has(engineId)).map((it) => ({ ...toRow(it), at: dbNow(db) }));
    if (rows.length > 0) await db('engine_load').insert(rows).onConflict('service_engine_id').merge();
  }
}

function toRow(load: EngineLoadRecord) {
  return {
    service_engine_id: load.engineId,
    cpu_percent: load.cpuPercent,
    memory_percent: load.memoryPercent,
    connections: Math.round(load.connections),
    bytes_per_second: load.bytesPerSecond,
    packets_per_second: load.packetsPerSecond,
    connections_per_second: load.connectionsPerSecond,
  };
}

/** Loads of the group's engines that are not older than so many seconds, by engine. */
export async function listLoads(
  db: Db,
  groupId: string,
  seconds: number,
): Promise<ReadonlyMap<string, EngineLoadSample>> {
  const rows = await prepared<Omit<EngineLoadRow, 'at'>>(
    db,
    `select l.service_engine_id, l.cpu_percent, l.memory_percent, l.connections, l.bytes_per_second,
      l.packets_per_second, l.connections_per_second
      from engine_load l join service_engine e on e.id = l.service_engine_id
      where e.service_engine_group_id = ? and l.at >= ${nowPlusSql(db, -seconds)}`,
    [groupId],
  );
  return new Map(rows.map((row) => [row.service_engine_id, toSample(row)]));
}

function toSample(row: Omit<EngineLoadRow, 'at' | 'service_engine_id'>): EngineLoadSample {
  return {
    cpuPercent: Number(row.cpu_percent),
    memoryPercent: Number(row.memory_percent),
    connections: Number(row.connections),
    bytesPerSecond: orNull(row.bytes_per_second),
    packetsPerSecond: orNull(row.packets_per_second),
    connectionsPerSecond: orNull(row.connections_per_second),
  };
}

function orNull(value: number | null): number | null {
  return value === null ? null : Number(value);
}
