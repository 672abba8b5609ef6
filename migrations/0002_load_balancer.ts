import type { Knex } from 'knex';
import {
  createTable,
  leaseColumns,
  nameAndDescription,
  type Table,
  time,
  tlsColumns,
  treeColumns,
  uuid,
} from './columns';

/** The load balancer's tree less its L7 part. */
export async function loadBalancerTables(db: Knex): Promise<void> {
  await createTable(db, 'load_balancer', loadBalancer);
  await createVipTables(db);
  await createTable(db, 'pool', pool);
  await createTable(db, 'listener', listener);
  await createListenerLists(db);
  await createTable(db, 'session_persistence', (table) => {
    uuid(table, 'pool_id').notNullable().primary().references('pool.id').onDelete('CASCADE');
    table.string('type', 16).notNullable();
    table.string('cookie_name', 255).nullable();
    table.integer('persistence_timeout').nullable();
    table.string('persistence_granularity', 64).nullable();
  });
  await createTable(db, 'member', member);
  await createTable(db, 'health_monitor', healthMonitor);
}

function loadBalancer(table: Table): void {
  treeColumns(table);
  nameAndDescription(table);
  table.string('provider', 64).notNullable().index();
  table.string('topology', 16).notNullable();
  uuid(table, 'flavor_id').nullable().index();
  table.string('availability_zone', 255).nullable().index();
  table.bigInteger('generation').notNullable();
  table.bigInteger('settled_generation').notNullable();
  time(table, 'pending_deadline').nullable();
  time(table, 'retry_at').nullable();
  table.integer('attempts').notNullable();
  leaseColumns(table);
  time(table, 'deleted_at').nullable().index();
  table.index(['created_at', 'id']);
}

async function createVipTables(db: Knex): Promise<void> {
  await createTable(db, 'vip', (table) => {
    uuid(table, 'load_balancer_id').notNullable().primary().references('load_balancer.id').onDelete('CASCADE');
    table.string('ip_address', 64).nullable().index();
    uuid(table, 'port_id').nullable().index();
    uuid(table, 'subnet_id').nullable().index();
    uuid(table, 'network_id').nullable().index();
    uuid(table, 'qos_policy_id').nullable().index();
    table.boolean('octavia_owned').notNullable();
    table.string('vnic_type', 64).notNullable();
  });
  await createTable(db, 'vip_security_group', (table) => {
    uuid(table, 'load_balancer_id').notNullable().references('load_balancer.id').onDelete('CASCADE');
    uuid(table, 'sg_id').notNullable().index();
    table.primary(['load_balancer_id', 'sg_id']);
  });
  await createTable(db, 'additional_vip', (table) => {
    uuid(table, 'load_balancer_id').notNullable().references('load_balancer.id').onDelete('CASCADE');
    uuid(table, 'subnet_id').notNullable();
    table.string('ip_address', 64).nullable().index();
    uuid(table, 'port_id').nullable().index();
    uuid(table, 'network_id').nullable();
    table.integer('position').notNullable();
    table.primary(['load_balancer_id', 'subnet_id']);
  });
}

function pool(table: Table): void {
  treeColumns(table);
  nameAndDescription(table);
  uuid(table, 'load_balancer_id').notNullable().references('load_balancer.id').index();
  table.string('protocol', 16).notNullable().index();
  table.string('lb_algorithm', 32).notNullable().index();
  table.string('tls_certificate_id', 255).nullable();
  table.string('ca_tls_certificate_id', 255).nullable();
  table.string('crl_container_id', 255).nullable();
  table.boolean('tls_enabled').notNullable();
  tlsColumns(table);
}

function listener(table: Table): void {
  treeColumns(table);
  nameAndDescription(table);
  uuid(table, 'load_balancer_id').notNullable().references('load_balancer.id').index();
  table.string('protocol', 16).notNullable().index();
  table.integer('protocol_port').notNullable().index();
  table.integer('connection_limit').notNullable();
  uuid(table, 'default_pool_id').nullable().references('pool.id').index();
  table.string('tls_certificate_id', 255).nullable();
  table.text('insert_headers').nullable();
  for (const timeout of ['client_data', 'member_connect', 'member_data', 'tcp_inspect']) {
    table.integer(`timeout_${timeout}`).notNullable();
  }
  table.string('client_ca_tls_certificate_id', 255).nullable();
  table.string('client_authentication', 16).notNullable();
  table.string('client_crl_container_id', 255).nullable();
  tlsColumns(table);
  table.integer('hsts_max_age').nullable();
  table.boolean('hsts_include_subdomains').notNullable();
  table.boolean('hsts_preload').notNullable();
}

async function createListenerLists(db: Knex): Promise<void> {
  await createTable(db, 'listener_cidr', (table) => {
    uuid(table, 'listener_id').notNullable().references('listener.id').onDelete('CASCADE');
    table.string('cidr', 64).notNullable();
    table.integer('position').notNullable();
    table.primary(['listener_id', 'cidr']);
  });
  await createTable(db, 'sni', (table) => {
    uuid(table, 'listener_id').notNullable().references('listener.id').onDelete('CASCADE');
    table.string('tls_container_id', 255).notNullable();
    table.integer('position').notNullable();
    table.primary(['listener_id', 'tls_container_id']);
  });
}

function member(table: Table): void {
  treeColumns(table);
  table.string('name', 255).notNullable().index();
  uuid(table, 'pool_id').notNullable().references('pool.id');
  uuid(table, 'subnet_id').nullable().index();
  table.string('ip_address', 64).notNullable().index();
  table.integer('protocol_port').notNullable().index();
  table.integer('weight').notNullable();
  table.boolean('backup').notNullable();
  table.string('monitor_address', 64).nullable();
  table.integer('monitor_port').nullable();
  table.string('vnic_type', 64).notNullable();
  table.unique(['pool_id', 'ip_address', 'protocol_port']);
}

function healthMonitor(table: Table): void {
  treeColumns(table);
  table.string('name', 255).notNullable().index();
  uuid(table, 'pool_id').notNullable().references('pool.id').unique();
  table.string('type', 16).notNullable().index();
  table.integer('delay').notNullable();
  table.integer('timeout').notNullable();
  table.integer('rise_threshold').notNullable();
  table.integer('fall_threshold').notNullable();
  table.string('http_method', 16).nullable();
  table.string('url_path', 2048).nullable();
  table.string('expected_codes', 64).nullable();
  table.float('http_version').nullable();
  table.string('domain_name', 255).nullable();
}
