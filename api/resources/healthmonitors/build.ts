import { toBit } from '../../../driver/db/codecs';
import type { NewHealthMonitor } from '../../../driver/db/healthMonitors';
import type { HealthMonitorRow } from '../../../driver/db/rows';
import { flagOr, type HealthMonitorGraph, type HealthMonitorUpdate } from '../../changes/bodies';
import { type Writers, writeColumns } from '../../changes/columns';
import { isHttp } from './rules';

/** Octavia's defaults of the fields that only HTTP and HTTPS monitors have. */
const HTTP_DEFAULTS = { http_method: 'GET', url_path: '/', expected_codes: '200' };
const NO_HTTP = { http_method: null, url_path: null, expected_codes: null };
const DEFAULT_FALL = 3;

/** The row of a new monitor, with every default. The body has been checked. */
export function buildHealthMonitor(
  body: HealthMonitorGraph,
  parents: { id: string; projectId: string; poolId: string },
): NewHealthMonitor {
  const type = body.type ?? '';
  const defaults = isHttp(type) ? HTTP_DEFAULTS : NO_HTTP;
  return {
    id: parents.id,
    project_id: parents.projectId,
    pool_id: parents.poolId,
    name: body.name ?? '',
    enabled: toBit(flagOr(body.admin_state_up, true)),
    type,
    delay: body.delay ?? 0,
    timeout: body.timeout ?? 0,
    rise_threshold: body.max_retries ?? 0,
    fall_threshold: body.max_retries_down ?? DEFAULT_FALL,
    http_method: body.http_method || defaults.http_method,
    url_path: body.url_path || defaults.url_path,
    expected_codes: body.expected_codes || defaults.expected_codes,
    http_version: body.http_version ?? null,
    domain_name: body.domain_name ?? null,
  };
}

/** What a checked PUT writes: null is the default of the monitor's type. */
export function changeHealthMonitor(body: HealthMonitorUpdate, stored: HealthMonitorRow): Partial<HealthMonitorRow> {
  const defaults = isHttp(stored.type) ? HTTP_DEFAULTS : NO_HTTP;
  const writers: Writers<HealthMonitorUpdate, HealthMonitorRow> = {
    name: (value) => ({ name: value ?? '' }),
    admin_state_up: (value) => ({ enabled: toBit(value === true) }),
    delay: (value) => (value === null ? {} : { delay: value }),
    timeout: (value) => (value === null ? {} : { timeout: value }),
    max_retries: (value) => (value === null ? {} : { rise_threshold: value }),
    max_retries_down: (value) => ({ fall_threshold: value ?? DEFAULT_FALL }),
    http_method: (value) => ({ http_method: value ?? defaults.http_method }),
    url_path: (value) => ({ url_path: value ?? defaults.url_path }),
    expected_codes: (value) => ({ expected_codes: value ?? defaults.expected_codes }),
    http_version: (value) => ({ http_version: value }),
    domain_name: (value) => ({ domain_name: value }),
  };
  return writeColumns(body, writers);
}
