import type { Knex } from 'knex';
import { createTable, leaseColumns, time, uuid } from './columns';

/** Events, the outbox, leases of periodic jobs, and the embedded clouds' objects. */
export async function workTables(db: Knex): Promise<void> {
  await createTable(db, 'event', (table) => {
    uuid(table, 'id').notNullable().primary();
    time(table, 'at').notNullable().index();
    table.string('name', 64).notNullable().index();
    table.string('severity', 16).notNullable().index();
    uuid(table, 'project_id').nullable().index();
    uuid(table, 'load_balancer_id').nullable().index();
    uuid(table, 'service_engine_id').nullable().index();
    table.string('resource_type', 32).nullable();
    uuid(table, 'resource_id').nullable().index();
    table.text('message').notNullable();
    table.string('request_id', 64).nullable().index();
    table.string('user_id', 64).nullable();
  });
  await createTable(db, 'outbox', (table) => {
    uuid(table, 'id').notNullable().primary();
    table.string('topic', 128).notNullable();
    table.string('method', 64).notNullable();
    table.text('args', 'longtext').notNullable();
    uuid(table, 'load_balancer_id').nullable();
    time(table, 'created_at').notNullable().index();
  });
  await createTable(db, 'job_lease', (table) => {
    table.string('name', 64).notNullable().primary();
    leaseColumns(table);
  });
  await createTable(db, 'embedded_resource', (table) => {
    table.string('kind', 32).notNullable();
    table.string('id', 64).notNullable();
    table.text('body', 'longtext').notNullable();
    table.primary(['kind', 'id']);
  });
}
