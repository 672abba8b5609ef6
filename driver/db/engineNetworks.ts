import type { BgpService } from '../domain/bgp';
import type { Vnic } from '../domain/vnic';
import { listBgpOfEngines } from './bgpServices';
import { toNumber } from './codecs';
import { type Db, prepared } from './connect';
import { type EngineHeartbeat, listHeartbeats } from './engineNeighbours';
import type { SeVnicRow } from './rows';
import { toVnic } from './vnics';

/** The networks of an engine whose vNICs are plugged in. */
export interface EngineNetworks {
  readonly engineId: string;
  /** `service_engine.generation` they were read at. */
  readonly generation: number;
  readonly vnics: readonly Vnic[];
  /** By vNIC; secrets are sealed. */
  readonly sessions: ReadonlyMap<string, BgpService>;
  /** By domain: whom it hears there. */
  readonly heartbeats: ReadonlyMap<string, EngineHeartbeat>;
}

type JoinedRow = SeVnicRow & { engine_id: string; engine_generation: number | string };

const SELECT = `select v.*, e.id as engine_id, e.generation as engine_generation from service_engine e
  left join se_vnic v on v.service_engine_id = e.id and v.domain_id is not null`;

/** Undefined when there is no such engine. */
export async function findEngineNetworks(db: Db, engineId: string): Promise<EngineNetworks | undefined> {
  return (await gather(db, await prepared<JoinedRow>(db, `${SELECT} where e.id = ?`, [engineId])))[0];
}

/** Of all engines whose connections a health-manager holds. */
export async function listEngineNetworks(db: Db, connectedTo: string): Promise<readonly EngineNetworks[]> {
  return gather(db, await prepared<JoinedRow>(db, `${SELECT} where e.connected_to = ?`, [connectedTo]));
}

async function gather(db: Db, rows: readonly JoinedRow[]): Promise<EngineNetworks[]> {
  const announcing = new Set(rows.flatMap((row) => (row.bgp_service === null ? [] : [row.engine_id])));
  const sessions = await listBgpOfEngines(db, [...announcing]);
  const heartbeats = await listHeartbeats(db, [...new Set(rows.flatMap((row) => row.domain_id ?? []))]);
  const found = new Map<string, EngineNetworks & { vnics: Vnic[] }>();
  for (const row of rows) {
    const { engine_id: engineId } = row;
    const engine: EngineNetworks & { vnics: Vnic[] } = found.get(engineId) ?? {
      engineId,
      generation: toNumber(row.engine_generation),
      vnics: [],
      sessions,
      heartbeats: heartbeats.get(engineId) ?? new Map(),
    };
    found.set(engineId, engine);
    // An engine without a vNIC is one row of nulls.
    if (row.domain_id !== null) engine.vnics.push(toVnic(row));
  }
  return [...found.values()];
}
