import type { HealthMonitorRow } from '../rows';
import { integer, NOT_DELETED, number, type ReadModel, TREE_ATTRIBUTES, TREE_COLUMNS, text } from './model';
import { tagsOf } from './relations';

export type HealthMonitorRead = Omit<HealthMonitorRow, 'deleting'> & { tags: string | null };

const COLUMNS = [
  'name',
  'pool_id',
  'type',
  'delay',
  'timeout',
  'rise_threshold',
  'fall_threshold',
  'http_method',
  'url_path',
  'expected_codes',
  'http_version',
  'domain_name',
] as const;

export const healthMonitors: ReadModel = {
  from: 'health_monitor o',
  visible: NOT_DELETED,
  tagged: true,
  columns: (db) => [...TREE_COLUMNS, ...COLUMNS.map((column) => `o.${column}`), tagsOf(db)],
  attributes: {
    ...TREE_ATTRIBUTES,
    name: text('o.name'),
    pool_id: text('o.pool_id'),
    type: text('o.type'),
    delay: integer('o.delay'),
    timeout: integer('o.timeout'),
    max_retries: integer('o.rise_threshold'),
    max_retries_down: integer('o.fall_threshold'),
    http_method: text('o.http_method'),
    url_path: text('o.url_path'),
    expected_codes: text('o.expected_codes'),
    // A FLOAT of MySQL is near 1.1, not 1.1.
    http_version: number('round(o.http_version, 1)'),
    domain_name: text('o.domain_name'),
  },
};
