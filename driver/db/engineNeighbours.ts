import { createHash } from 'node:crypto';
import { type GroupProperties, readGroupProperties } from '../domain/group';
import { chooseNeighbours } from '../domain/neighbours';
import { fromJson } from './codecs';
import { type Db, prepared } from './connect';
import type { Json } from './rows';

/** What the engines of VIP networks are to know of one another. */

/** How an engine and its neighbours in a domain hear one another. */
export interface EngineHeartbeat extends Pick<GroupProperties, 'heartbeatInterval' | 'heartbeatCount'> {
  readonly neighbours: readonly Neighbour[];
}

export interface Neighbour {
  readonly engineId: string;
  readonly address: string;
  /** Known to the two alone. */
  readonly key: string;
}

interface MemberRow {
  engine_id: string;
  group_id: string;
  domain_id: string;
  address: string | null;
  token_hash: string | null;
  properties: Json;
}

/** By engine, then by domain; for the engines of these domains. */
export type Heartbeats = ReadonlyMap<string, ReadonlyMap<string, EngineHeartbeat>>;

export async function listHeartbeats(db: Db, domainIds: readonly string[]): Promise<Heartbeats> {
  const found = new Map<string, Map<string, EngineHeartbeat>>();
  if (domainIds.length === 0) return found;
  const rows = await readMembers(db, domainIds);
  const pairs = rows.length > 0 ? await listPairs(db) : [];
  const circles = new Map<string, MemberRow[]>();
  for (const row of rows) {
    const key = `${row.domain_id} ${row.group_id}`;
    circles.set(key, [...(circles.get(key) ?? []), row]);
  }
  for (const circle of circles.values()) {
    const ids = circle.map(({ engine_id }) => engine_id);
    for (const row of circle) {
      const chosen = new Set(chooseNeighbours(row.engine_id, ids, pairs));
      const neighbours = circle.filter(({ engine_id }) => chosen.has(engine_id)).map((it) => neighbourOf(row, it));
      if (neighbours.length === 0) continue;
      const { heartbeatInterval, heartbeatCount } = readGroupProperties(fromJson<unknown>(row.properties));
      const domains = found.get(row.engine_id) ?? new Map<string, EngineHeartbeat>();
      found.set(row.engine_id, domains.set(row.domain_id, { heartbeatInterval, heartbeatCount, neighbours }));
    }
  }
  return found;
}

/** One row an engine and domain: the vNIC in the VIP network itself, if it has one. */
async function readMembers(db: Db, domainIds: readonly string[]): Promise<readonly MemberRow[]> {
  const rows: MemberRow[] = [];
  for (let start = 0; start < domainIds.length; start += BATCH) {
    const batch: MemberRow[] = await db('se_vnic as v')
      .join('service_engine as e', 'e.id', 'v.service_engine_id')
      .join('service_engine_group as g', 'g.id', 'e.service_engine_group_id')
      .whereIn('v.domain_id', domainIds.slice(start, start + BATCH))
      .whereRaw('v.network_id = v.domain_id')
      .where({ 'v.deleting': 0, 'e.deleting': 0 })
      .whereIn('e.status', ['READY', 'DOWN', 'DRAINING'])
      .whereNotNull('v.ip_address')
      .whereNotNull('v.facts')
      .orderBy(['e.id', 'v.id'])
      .select(
        'e.id as engine_id',
        'e.service_engine_group_id as group_id',
        'v.domain_id',
        'v.ip_address as address',
        'e.token_hash',
        'g.properties',
      );
    rows.push(...batch);
  }
  const known = new Set<string>();
  return rows.filter(({ engine_id, domain_id, token_hash }) => {
    const key = `${engine_id} ${domain_id}`;
    if (known.has(key) || token_hash === null) return false;
    known.add(key);
    return true;
  });
}

const BATCH = 200;

async function listPairs(db: Db): Promise<readonly (readonly [string, string])[]> {
  const rows = await prepared<{ one: string; other: string }>(
    db,
    `select distinct p.service_engine_id as one, q.service_engine_id as other from placement p
      join placement q on q.load_balancer_id = p.load_balancer_id and q.id <> p.id
      where p.role = 'standby'`,
  );
  return rows.map(({ one, other }) => [one, other] as const);
}

/** Made of what is kept of the tokens of the two: both of them never had the other's. */
function neighbourOf(self: MemberRow, other: MemberRow): Neighbour {
  const secrets = [self, other].sort((a, b) => (a.engine_id < b.engine_id ? -1 : 1)).map((it) => it.token_hash ?? '');
  const key = createHash('sha256')
    .update(`neighbours ${self.domain_id} ${secrets.join(' ')}`)
    .digest('hex');
  return { engineId: other.engine_id, address: other.address ?? '', key };
}
