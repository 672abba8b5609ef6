import type { Knex } from 'knex';
import { createTable, leaseColumns, type Table, time, uuid } from './columns';

/** Service engines, their groups and vNICs, and what is placed on and wired to them. */
export async function fleetTables(db: Knex): Promise<void> {
  await createTable(db, 'service_engine_group', (table) => {
    uuid(table, 'id').notNullable().primary();
    table.string('name', 255).notNullable().unique();
    table.string('description', 255).notNullable();
    table.boolean('is_default').notNullable();
    table.text('properties').notNullable();
    leaseColumns(table);
    time(table, 'created_at').notNullable();
    time(table, 'updated_at').nullable();
  });
  await createTable(db, 'service_engine', engine);
  await createTable(db, 'se_vnic', (table) => {
    uuid(table, 'id').notNullable().primary();
    uuid(table, 'service_engine_id').notNullable().references('service_engine.id').index();
    uuid(table, 'network_id').notNullable().index();
    uuid(table, 'subnet_id').nullable();
    uuid(table, 'port_id').nullable().index();
    table.string('mac_address', 32).nullable();
    table.string('ip_address', 64).nullable();
    table.boolean('deleting').notNullable();
    time(table, 'created_at').notNullable();
  });
  await createTable(db, 'placement', placement);
  await createTable(db, 'vip_wiring', (table) => {
    uuid(table, 'id').notNullable().primary();
    uuid(table, 'load_balancer_id').notNullable().references('load_balancer.id').index();
    uuid(table, 'service_engine_id').notNullable().references('service_engine.id').index();
    table.string('ip_address', 64).notNullable();
    uuid(table, 'port_id').nullable();
    table.string('mode', 16).notNullable();
    table.string('state', 16).notNullable();
    time(table, 'created_at').notNullable();
    time(table, 'updated_at').nullable();
    table.unique(['load_balancer_id', 'service_engine_id', 'ip_address']);
  });
  await createTable(db, 'listener_statistics', (table) => {
    uuid(table, 'listener_id').notNullable();
    uuid(table, 'amphora_id').notNullable();
    uuid(table, 'load_balancer_id').notNullable().index();
    for (const count of ['bytes_in', 'bytes_out', 'active_connections', 'total_connections', 'request_errors']) {
      table.bigInteger(count).notNullable();
    }
    table.primary(['listener_id', 'amphora_id']);
  });
}

function engine(table: Table): void {
  uuid(table, 'id').notNullable().primary();
  uuid(table, 'service_engine_group_id').notNullable().references('service_engine_group.id').index();
  table.string('name', 255).notNullable().unique();
  table.string('status', 16).notNullable().index();
  table.boolean('deleting').notNullable();
  uuid(table, 'compute_id').nullable().index();
  table.string('management_address', 64).nullable();
  table.string('host', 255).nullable();
  table.string('availability_zone', 255).nullable();
  table.string('token_hash', 64).nullable();
  table.string('connected_to', 128).nullable().index();
  table.bigInteger('connection_epoch').notNullable();
  time(table, 'last_heartbeat').nullable();
  table.integer('slots').notNullable();
  table.integer('slots_used').notNullable();
  table.bigInteger('generation').notNullable();
  table.bigInteger('settled_generation').notNullable();
  time(table, 'retry_at').nullable();
  table.integer('attempts').notNullable();
  leaseColumns(table);
  time(table, 'created_at').notNullable();
  time(table, 'updated_at').nullable();
}

function placement(table: Table): void {
  uuid(table, 'id').notNullable().primary();
  uuid(table, 'load_balancer_id').notNullable().references('load_balancer.id');
  uuid(table, 'service_engine_id').notNullable().references('service_engine.id').index();
  table.string('role', 16).notNullable();
  table.boolean('deleting').notNullable();
  table.boolean('stale').notNullable();
  table.bigInteger('wanted_generation').notNullable();
  table.bigInteger('wanted_epoch').notNullable();
  table.bigInteger('confirmed_generation').notNullable();
  table.text('refusals', 'mediumtext').nullable();
  table.boolean('refused').notNullable();
  table.string('request', 16).nullable();
  table.string('request_id', 64).nullable();
  time(table, 'created_at').notNullable();
  time(table, 'updated_at').nullable();
  table.unique(['load_balancer_id', 'service_engine_id']);
}
