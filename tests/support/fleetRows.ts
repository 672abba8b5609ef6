import { randomUUID } from 'node:crypto';
import { toDbTime } from '../../driver/db/codecs';
import type { Db } from '../../driver/db/connect';
import { insertEngine } from '../../driver/db/engines';
import { hashToken } from '../../driver/domain/engine';

/** Rows as the other parts write them, with just what a test names. All ids are given back. */

const AT = toDbTime(new Date('2026-01-01T00:00:00Z'));
const PROJECT = '00000000000000000000000000000001';

export async function addGroup(db: Db): Promise<string> {
  const id = randomUUID();
  await db('service_engine_group').insert({
    id,
    name: id,
    description: '',
    is_default: 1,
    properties: '{}',
    lease_owner: null,
    lease_epoch: 0,
    lease_until: null,
    created_at: AT,
    updated_at: null,
  });
  return id;
}

export interface AddedEngine {
  readonly id: string;
  readonly token: string;
}

export async function addEngine(db: Db, groupId: string, columns: Record<string, unknown> = {}): Promise<AddedEngine> {
  const id = randomUUID();
  const token = `token of ${id}`;
  await insertEngine(db, { id, groupId, name: `engine-${id.slice(0, 8)}`, slots: 10 });
  await db('service_engine')
    .where({ id })
    .update({ token_hash: hashToken(token), ...columns });
  return { id, token };
}

const OBJECT = { project_id: PROJECT, enabled: 1, deleting: 0, created_at: AT, updated_at: null };
const SETTLED = { ...OBJECT, provisioning_status: 'ACTIVE', operating_status: 'OFFLINE' };

export async function addLoadBalancer(db: Db, columns: Record<string, unknown> = {}): Promise<string> {
  const id = randomUUID();
  await db('load_balancer').insert({
    id,
    ...SETTLED,
    name: '',
    description: '',
    provider: 'slipstream',
    topology: 'SINGLE',
    flavor_id: null,
    availability_zone: null,
    generation: 1,
    settled_generation: 1,
    pending_deadline: null,
    retry_at: null,
    attempts: 0,
    lease_owner: null,
    lease_epoch: 0,
    lease_until: null,
    deleted_at: null,
    ...columns,
  });
  await db('vip').insert({
    load_balancer_id: id,
    ip_address: '127.80.0.10',
    port_id: null,
    subnet_id: null,
    network_id: null,
    qos_policy_id: null,
    octavia_owned: 0,
    vnic_type: 'normal',
  });
  return id;
}

export async function addPool(db: Db, loadBalancerId: string, columns: Record<string, unknown> = {}): Promise<string> {
  const id = randomUUID();
  await db('pool').insert({
    id,
    ...SETTLED,
    name: '',
    description: '',
    load_balancer_id: loadBalancerId,
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
    tls_certificate_id: null,
    ca_tls_certificate_id: null,
    crl_container_id: null,
    tls_enabled: 0,
    tls_ciphers: null,
    tls_versions: null,
    alpn_protocols: null,
    ...columns,
  });
  return id;
}

export async function addListener(
  db: Db,
  loadBalancerId: string,
  columns: Record<string, unknown> = {},
): Promise<string> {
  const id = randomUUID();
  await db('listener').insert({
    id,
    ...SETTLED,
    name: '',
    description: '',
    load_balancer_id: loadBalancerId,
    protocol: 'HTTP',
    protocol_port: 8080,
    connection_limit: -1,
    default_pool_id: null,
    tls_certificate_id: null,
    insert_headers: null,
    timeout_client_data: 50_000,
    timeout_member_connect: 5_000,
    timeout_member_data: 50_000,
    timeout_tcp_inspect: 0,
    client_ca_tls_certificate_id: null,
    client_authentication: 'NONE',
    client_crl_container_id: null,
    tls_ciphers: null,
    tls_versions: null,
    alpn_protocols: null,
    hsts_max_age: null,
    hsts_include_subdomains: 0,
    hsts_preload: 0,
    ...columns,
  });
  return id;
}

export async function addMember(db: Db, poolId: string, columns: Record<string, unknown> = {}): Promise<string> {
  const id = randomUUID();
  await db('member').insert({
    id,
    ...SETTLED,
    name: '',
    pool_id: poolId,
    subnet_id: null,
    ip_address: '127.0.0.1',
    protocol_port: 1 + Math.floor(Math.random() * 60_000),
    weight: 1,
    backup: 0,
    monitor_address: null,
    monitor_port: null,
    vnic_type: 'normal',
    ...columns,
  });
  return id;
}

export async function addMonitor(db: Db, poolId: string, columns: Record<string, unknown> = {}): Promise<string> {
  const id = randomUUID();
  await db('health_monitor').insert({
    id,
    ...SETTLED,
    operating_status: 'ONLINE',
    name: '',
    pool_id: poolId,
    type: 'TCP',
    delay: 1,
    timeout: 1,
    rise_threshold: 1,
    fall_threshold: 1,
    http_method: null,
    url_path: null,
    expected_codes: null,
    http_version: null,
    domain_name: null,
    ...columns,
  });
  return id;
}

/** Places the load balancer on the engine and takes a slot of it. */
export async function addPlacement(
  db: Db,
  pair: { loadBalancerId: string; engineId: string },
  columns: Record<string, unknown> = {},
): Promise<string> {
  const id = randomUUID();
  await db('placement').insert({
    id,
    load_balancer_id: pair.loadBalancerId,
    service_engine_id: pair.engineId,
    role: 'primary',
    deleting: 0,
    stale: 0,
    wanted_generation: 1,
    wanted_epoch: 1,
    confirmed_generation: -1,
    refusals: null,
    refused: 0,
    request: null,
    request_id: null,
    created_at: AT,
    updated_at: null,
    ...columns,
  });
  await db('service_engine').where({ id: pair.engineId }).increment('slots_used', 1);
  return id;
}

export async function columnOf(db: Db, table: string, id: string, column: string): Promise<unknown> {
  const row: Record<string, unknown> | undefined = await db(table).where({ id }).first(column);
  return row?.[column];
}
