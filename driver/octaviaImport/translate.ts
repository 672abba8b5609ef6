import { toBit, toDbTime, toJson } from '../db/codecs';
import type { Tables } from '../db/rows';
import { readPickledTexts } from './pickle';
import type { OctaviaRow, OctaviaTree } from './source';

/** Rows to insert, by table, in an order that foreign keys allow. */
export type TranslatedRows = readonly (readonly [table: keyof Tables, rows: readonly object[]])[];

/**
 * The rows of a load balancer of Octavia as this database has them: same ids, names, times and references. Everything is
 * work: PENDING_CREATE until an engine serves it. Its VIPs are held: whoever answers for them now goes on. Pure.
 * @param provider the name that the load balancer bears from now on
 * @throws RangeError for `insert_headers` that cannot be read
 */
export function translateTree(tree: OctaviaTree, provider: string): TranslatedRows {
  const { loadBalancer: root } = tree;
  const loadBalancerId = text(root, 'id');
  return [
    ['load_balancer', [loadBalancerRow(root, provider)]],
    ['vip', [vipRow(tree)]],
    [
      'vip_security_group',
      tree.vipSecurityGroups.map((row) => ({ load_balancer_id: loadBalancerId, sg_id: row['sg_id'] })),
    ],
    ['additional_vip', tree.additionalVips.map(additionalVipRow)],
    ['pool', tree.pools.map((row) => poolRow(row, loadBalancerId))],
    ['listener', tree.listeners.map((row) => listenerRow(row, loadBalancerId))],
    ['listener_cidr', numbered(tree.listenerCidrs, 'listener_id', ['listener_id', 'cidr'])],
    ['sni', numbered(tree.snis, 'listener_id', ['listener_id', 'tls_container_id'])],
    ['session_persistence', tree.sessionPersistences.map(persistenceRow)],
    ['member', tree.members.map(memberRow)],
    ['health_monitor', tree.healthMonitors.map(monitorRow)],
    ['l7policy', tree.l7Policies.map(policyRow)],
    ['l7rule', tree.l7Rules.map(ruleRow)],
    ['tags', tree.tags.map((row) => ({ resource_id: row['resource_id'], tag: row['tag'] }))],
  ];
}

/** What every object of a tree has; `name` and `description` where its table has them. */
function common(row: OctaviaRow, ...named: readonly ('name' | 'description')[]): Record<string, unknown> {
  return {
    id: text(row, 'id'),
    project_id: text(row, 'project_id'),
    provisioning_status: 'PENDING_CREATE',
    operating_status: optional(row, 'operating_status') ?? 'OFFLINE',
    enabled: bit(row, 'enabled'),
    deleting: 0,
    created_at: time(row, 'created_at') ?? toDbTime(new Date(0)),
    updated_at: time(row, 'updated_at'),
    ...Object.fromEntries(named.map((name) => [name, optional(row, name) ?? ''])),
  };
}

function loadBalancerRow(row: OctaviaRow, provider: string): object {
  return {
    ...common(row, 'name', 'description'),
    provider,
    topology: optional(row, 'topology') ?? 'SINGLE',
    flavor_id: optional(row, 'flavor_id'),
    availability_zone: optional(row, 'availability_zone'),
    generation: 1,
    settled_generation: 0,
    attempts: 0,
    lease_epoch: 0,
    vip_held: 1,
  };
}

function vipRow({ loadBalancer, vip = {} }: OctaviaTree): object {
  return {
    load_balancer_id: text(loadBalancer, 'id'),
    ...pick(vip, ['ip_address', 'port_id', 'subnet_id', 'network_id', 'qos_policy_id']),
    octavia_owned: bit(vip, 'octavia_owned'),
    vnic_type: optional(vip, 'vnic_type') ?? 'normal',
  };
}

function additionalVipRow(row: OctaviaRow, position: number): object {
  return { ...pick(row, ['load_balancer_id', 'subnet_id', 'ip_address', 'port_id', 'network_id']), position };
}

const TIMEOUTS = {
  timeout_client_data: 50_000,
  timeout_member_connect: 5_000,
  timeout_member_data: 50_000,
  timeout_tcp_inspect: 0,
} as const;

function listenerRow(row: OctaviaRow, loadBalancerId: string): object {
  return {
    ...common(row, 'name', 'description'),
    load_balancer_id: loadBalancerId,
    ...pick(row, ['protocol', 'protocol_port', 'default_pool_id', 'tls_certificate_id']),
    connection_limit: optional(row, 'connection_limit') ?? -1,
    insert_headers: headers(row['insert_headers']),
    ...Object.fromEntries(Object.entries(TIMEOUTS).map(([name, usual]) => [name, optional(row, name) ?? usual])),
    ...pick(row, ['client_ca_tls_certificate_id', 'client_crl_container_id', 'tls_ciphers', 'hsts_max_age']),
    client_authentication: optional(row, 'client_authentication') ?? 'NONE',
    tls_versions: list(row, 'tls_versions'),
    alpn_protocols: list(row, 'alpn_protocols'),
    hsts_include_subdomains: bit(row, 'hsts_include_subdomains'),
    hsts_preload: bit(row, 'hsts_preload'),
  };
}

function poolRow(row: OctaviaRow, loadBalancerId: string): object {
  return {
    ...common(row, 'name', 'description'),
    load_balancer_id: loadBalancerId,
    ...pick(row, ['protocol', 'lb_algorithm', 'tls_certificate_id', 'ca_tls_certificate_id', 'crl_container_id']),
    tls_enabled: bit(row, 'tls_enabled'),
    tls_ciphers: optional(row, 'tls_ciphers'),
    tls_versions: list(row, 'tls_versions'),
    alpn_protocols: list(row, 'alpn_protocols'),
  };
}

function persistenceRow(row: OctaviaRow): object {
  return pick(row, ['pool_id', 'type', 'cookie_name', 'persistence_timeout', 'persistence_granularity']);
}

function memberRow(row: OctaviaRow): object {
  return {
    ...common(row, 'name'),
    ...pick(row, ['pool_id', 'subnet_id', 'ip_address', 'protocol_port', 'monitor_address', 'monitor_port']),
    weight: optional(row, 'weight') ?? 1,
    backup: bit(row, 'backup'),
    vnic_type: optional(row, 'vnic_type') ?? 'normal',
  };
}

function monitorRow(row: OctaviaRow): object {
  return {
    ...common(row, 'name'),
    ...pick(row, ['pool_id', 'type', 'delay', 'timeout', 'rise_threshold', 'fall_threshold']),
    ...pick(row, ['http_method', 'url_path', 'expected_codes', 'http_version', 'domain_name']),
  };
}

function policyRow(row: OctaviaRow): object {
  return {
    ...common(row, 'name', 'description'),
    ...pick(row, ['listener_id', 'action', 'redirect_pool_id', 'redirect_url', 'redirect_prefix']),
    ...pick(row, ['redirect_http_code', 'position']),
  };
}

function ruleRow(row: OctaviaRow): object {
  return {
    ...common(row),
    ...pick(row, ['l7policy_id', 'type', 'compare_type', 'key', 'value']),
    invert: bit(row, 'invert'),
  };
}

/** Rows of a list, each with its place in the list of its owner. */
function numbered(rows: readonly OctaviaRow[], owner: string, columns: readonly string[]): object[] {
  const places = new Map<unknown, number>();
  return rows.map((row) => {
    const position = places.get(row[owner]) ?? 0;
    places.set(row[owner], position + 1);
    return { ...pick(row, columns), position };
  });
}

function pick(row: OctaviaRow, columns: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(columns.map((column) => [column, row[column] ?? null]));
}

/** @throws RangeError when it is not there */
export function text(row: OctaviaRow, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new RangeError(`a row of Octavia without ${column}`);
  return value;
}

export function optional(row: OctaviaRow, column: string): string | number | null {
  const value = row[column];
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

function bit(row: OctaviaRow, column: string): 0 | 1 {
  return toBit(Number(row[column] ?? 0) === 1);
}

/** SQLAlchemy's ScalarListType: words joined by commas. */
function list(row: OctaviaRow, column: string): string | null {
  const words = optional(row, column);
  return words === null ? null : toJson(words === '' ? [] : String(words).split(','));
}

function time(row: OctaviaRow, column: string): string | null {
  const value = row[column];
  if (value instanceof Date) return toDbTime(value);
  return typeof value === 'string' ? toDbTime(new Date(`${value.replace(' ', 'T').slice(0, 23)}Z`)) : null;
}

function headers(pickled: unknown): string | null {
  if (!Buffer.isBuffer(pickled)) return null;
  const read = readPickledTexts(pickled);
  const words = Object.entries(read).map(([name, value]) => [name, value === true ? 'true' : String(value ?? 'false')]);
  return words.length === 0 ? null : toJson(Object.fromEntries(words));
}
