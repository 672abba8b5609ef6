import { fromBit, toApiTime } from '../../../driver/db/codecs';
import type { Db } from '../../../driver/db/connect';
import { type HealthMonitorRead, healthMonitors } from '../../../driver/db/read/healthMonitors';
import { splitTexts } from '../../../driver/db/read/relations';
import type { Schemas } from '../../openapi/schemas';
import type { Kind } from '../kinds';
import { showWithin } from '../showWithin';
import { without } from '../without';

export type HealthMonitorView = Schemas['HealthMonitorView'];

/** A health monitor as the API shows it; the order of keys is Octavia's. */
export function healthMonitorView(row: HealthMonitorRead): HealthMonitorView {
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    delay: row.delay,
    timeout: row.timeout,
    max_retries: row.rise_threshold,
    max_retries_down: row.fall_threshold,
    http_method: row.http_method,
    url_path: row.url_path,
    expected_codes: row.expected_codes,
    admin_state_up: fromBit(row.enabled),
    project_id: row.project_id,
    pools: [{ id: row.pool_id }],
    provisioning_status: row.provisioning_status,
    operating_status: row.operating_status,
    created_at: toApiTime(row.created_at),
    updated_at: toApiTime(row.updated_at),
    tags: splitTexts(row.tags),
    // A FLOAT of MySQL is near 1.1, not 1.1.
    http_version: row.http_version === null ? null : Math.round(row.http_version * 10) / 10,
    domain_name: row.domain_name,
    tenant_id: row.project_id,
  };
}

/** A monitor inside the answer to a fully populated create: without `pools`. */
export function healthMonitorFullView(row: HealthMonitorRead): Schemas['HealthMonitorFullView'] {
  return without(healthMonitorView(row), 'pools');
}

export const HEALTH_MONITOR: Kind<HealthMonitorRead, HealthMonitorView> = {
  model: healthMonitors,
  view: healthMonitorView,
  table: 'health_monitor',
  title: 'Health Monitor',
  object: 'healthmonitor',
  root: 'healthmonitor',
  plural: 'healthmonitors',
  idParam: 'healthmonitor_id',
};

/** What a command answers with; sees its own transaction. */
export function showHealthMonitor(db: Db, id: string): Promise<HealthMonitorView> {
  return showWithin(db, HEALTH_MONITOR, id);
}
