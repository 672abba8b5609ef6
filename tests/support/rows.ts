import { randomUUID } from 'node:crypto';
import { type Db, dbNow } from '../../driver/db/connect';
import type { Tables } from '../../driver/db/rows';

/** Rows for tests that start from a given state of the database: what is not given has a sensible default. */

export type Seed<T extends keyof Tables> = Partial<Tables[T]>;

/** Inserts a row as given and answers it. */
async function insert<T extends keyof Tables>(db: Db, table: T, row: object): Promise<Tables[T]> {
  await db(table).insert(row);
  return row as Tables[T];
}

const treeColumns = (db: Db): object => ({
  id: randomUUID(),
  project_id: 'project-1',
  provisioning_status: 'ACTIVE',
  operating_status: 'OFFLINE',
  enabled: 1,
  deleting: 0,
  created_at: dbNow(db),
  updated_at: null,
});
const named = { name: '', description: '' };
const noLease = { lease_owner: null, lease_epoch: 0, lease_until: null };

/** A load balancer and its VIP. */
export async function insertLoadBalancer(
  db: Db,
  given: Seed<'load_balancer'> = {},
  vip: Seed<'vip'> = {},
): Promise<Tables['load_balancer']> {
  const row = await insert(db, 'load_balancer', {
    ...treeColumns(db),
    ...named,
    provider: 'slipstream',
    topology: 'SINGLE',
    flavor_id: null,
    availability_zone: null,
    generation: 1,
    settled_generation: 1,
    pending_deadline: null,
    retry_at: null,
    attempts: 0,
    ...noLease,
    deleted_at: null,
    ...given,
  });
  await insert(db, 'vip', {
    load_balancer_id: row.id,
    ip_address: '127.80.0.10',
    port_id: `port-${row.id.slice(0, 8)}`,
    subnet_id: 'subnet-1',
    network_id: 'network-1',
    qos_policy_id: null,
    octavia_owned: 1,
    vnic_type: 'normal',
    ...vip,
  });
  return row;
}

const tls = { tls_ciphers: null, tls_versions: null, alpn_protocols: null };

export function insertListener(db: Db, given: Seed<'listener'>): Promise<Tables['listener']> {
  return insert(db, 'listener', {
    ...treeColumns(db),
    ...named,
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
    ...tls,
    hsts_max_age: null,
    hsts_include_subdomains: 0,
    hsts_preload: 0,
    ...given,
  });
}

export function insertPool(db: Db, given: Seed<'pool'>): Promise<Tables['pool']> {
  return insert(db, 'pool', {
    ...treeColumns(db),
    ...named,
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
    tls_certificate_id: null,
    ca_tls_certificate_id: null,
    crl_container_id: null,
    tls_enabled: 0,
    ...tls,
    ...given,
  });
}

export function insertMember(db: Db, given: Seed<'member'>): Promise<Tables['member']> {
  return insert(db, 'member', {
    ...treeColumns(db),
    name: '',
    subnet_id: null,
    ip_address: '127.0.0.1',
    protocol_port: 9000,
    weight: 1,
    backup: 0,
    monitor_address: null,
    monitor_port: null,
    vnic_type: 'normal',
    ...given,
  });
}

export function insertMonitor(db: Db, given: Seed<'health_monitor'>): Promise<Tables['health_monitor']> {
  return insert(db, 'health_monitor', {
    ...treeColumns(db),
    name: '',
    type: 'HTTP',
    delay: 5,
    timeout: 3,
    rise_threshold: 2,
    fall_threshold: 2,
    http_method: 'GET',
    url_path: '/',
    expected_codes: '200',
    http_version: 1.1,
    domain_name: null,
    ...given,
  });
}

export function insertPolicy(db: Db, given: Seed<'l7policy'>): Promise<Tables['l7policy']> {
  return insert(db, 'l7policy', {
    ...treeColumns(db),
    ...named,
    action: 'REJECT',
    redirect_pool_id: null,
    redirect_url: null,
    redirect_prefix: null,
    redirect_http_code: null,
    position: 1,
    ...given,
  });
}

export function insertRule(db: Db, given: Seed<'l7rule'>): Promise<Tables['l7rule']> {
  return insert(db, 'l7rule', {
    ...treeColumns(db),
    type: 'PATH',
    compare_type: 'STARTS_WITH',
    key: null,
    value: '/x',
    invert: 0,
    ...given,
  });
}

export function insertGroup(db: Db, given: Seed<'service_engine_group'> = {}): Promise<Tables['service_engine_group']> {
  const id = randomUUID();
  return insert(db, 'service_engine_group', {
    id,
    name: `group-${id}`,
    description: '',
    is_default: 1,
    properties: '{}',
    ...noLease,
    created_at: dbNow(db),
    updated_at: null,
    ...given,
  });
}

/** READY, connected and empty. */
export function insertEngine(db: Db, given: Seed<'service_engine'>): Promise<Tables['service_engine']> {
  const id = given.id ?? randomUUID();
  return insert(db, 'service_engine', {
    id,
    name: `engine-${id}`,
    status: 'READY',
    deleting: 0,
    compute_id: null,
    management_address: null,
    host: null,
    availability_zone: null,
    token_hash: null,
    connected_to: 'health-1',
    connection_epoch: 1,
    last_heartbeat: null,
    slots: 10,
    slots_used: 0,
    generation: 1,
    settled_generation: 1,
    retry_at: null,
    attempts: 0,
    ...noLease,
    created_at: dbNow(db),
    updated_at: null,
    project_id: null,
    per_app: null,
    compute_flavor: null,
    image_tag: null,
    server_launched_at: null,
    owner_project_id: null,
    ...given,
  });
}

export function insertPlacement(db: Db, given: Seed<'placement'>): Promise<Tables['placement']> {
  return insert(db, 'placement', {
    id: randomUUID(),
    role: 'primary',
    deleting: 0,
    stale: 0,
    wanted_generation: 1,
    wanted_epoch: 1,
    confirmed_generation: 1,
    refusals: null,
    refused: 0,
    request: null,
    request_id: null,
    created_at: dbNow(db),
    updated_at: null,
    ...given,
  });
}
