import { fromBit, fromJson, toApiTime } from '../../../driver/db/codecs';
import type { Db } from '../../../driver/db/connect';
import { type PoolRead, pools } from '../../../driver/db/read/pools';
import { splitTexts } from '../../../driver/db/read/relations';
import type { Schemas } from '../../openapi/schemas';
import { idObjects } from '../idOnly';
import type { Kind } from '../kinds';
import { showWithin } from '../showWithin';
import { without } from '../without';

export type PoolView = Schemas['PoolView'];

/** A pool as the API shows it; `healthmonitor_id` is absent, not null, without a monitor. */
export function poolView(row: PoolRead): PoolView {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    provisioning_status: row.provisioning_status,
    operating_status: row.operating_status,
    admin_state_up: fromBit(row.enabled),
    protocol: row.protocol,
    lb_algorithm: row.lb_algorithm,
    session_persistence: persistence(row),
    project_id: row.project_id,
    loadbalancers: [{ id: row.load_balancer_id }],
    listeners: idObjects(row.listener_ids),
    created_at: toApiTime(row.created_at),
    updated_at: toApiTime(row.updated_at),
    ...(row.healthmonitor_id === null ? {} : { healthmonitor_id: row.healthmonitor_id }),
    members: idObjects(row.member_ids),
    tags: splitTexts(row.tags),
    tls_container_ref: row.tls_certificate_id,
    ca_tls_container_ref: row.ca_tls_certificate_id,
    crl_container_ref: row.crl_container_id,
    tls_enabled: fromBit(row.tls_enabled),
    tls_ciphers: row.tls_ciphers,
    tls_versions: row.tls_versions === null ? null : fromJson<string[]>(row.tls_versions),
    alpn_protocols: row.alpn_protocols === null ? null : fromJson<string[]>(row.alpn_protocols),
    tenant_id: row.project_id,
  };
}

/** A pool inside the answer to a fully populated create: members and monitor whole and first. */
export function poolFullView(
  row: PoolRead,
  members: Schemas['MemberView'][],
  healthmonitor: Schemas['HealthMonitorFullView'] | null,
): Schemas['PoolFullView'] {
  return { members, healthmonitor, ...without(poolView(row), 'members', 'healthmonitor_id', 'loadbalancers') };
}

function persistence(row: PoolRead): Schemas['SessionPersistenceView'] | null {
  if (row.persistence_type === null) return null;
  return {
    type: row.persistence_type,
    cookie_name: row.cookie_name,
    persistence_timeout: row.persistence_timeout,
    persistence_granularity: row.persistence_granularity,
  };
}

export const POOL: Kind<PoolRead, PoolView> = {
  model: pools,
  view: poolView,
  table: 'pool',
  title: 'Pool',
  object: 'pool',
  root: 'pool',
  plural: 'pools',
  idParam: 'pool_id',
};

/** What a command answers with; sees its own transaction. */
export function showPool(db: Db, id: string): Promise<PoolView> {
  return showWithin(db, POOL, id);
}
