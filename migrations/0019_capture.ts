import type { Knex } from 'knex';
import { createTable, time, uuid } from './columns';

/** Captures of load balancers' packets: what is asked, what each engine has, and the pieces of its file. */
export async function captureTables(db: Knex): Promise<void> {
  await createTable(db, 'capture', (table) => {
    uuid(table, 'id').notNullable().primary();
    uuid(table, 'load_balancer_id').notNullable().references('id').inTable('load_balancer').onDelete('CASCADE');
    uuid(table, 'project_id').notNullable().index();
    table.text('filter').notNullable();
    table.integer('duration').notNullable();
    table.integer('packets').notNullable();
    table.integer('size').notNullable();
    table.boolean('stopping').notNullable();
    table.string('user_id', 64).nullable();
    table.string('request_id', 64).nullable();
    time(table, 'created_at').notNullable();
    time(table, 'ends_at').notNullable();
    time(table, 'expires_at').notNullable().index();
    table.index(['load_balancer_id', 'created_at']);
  });
  await createTable(db, 'capture_part', (table) => {
    uuid(table, 'capture_id').notNullable().references('id').inTable('capture').onDelete('CASCADE');
    uuid(table, 'engine_id').notNullable();
    table.string('engine_name', 255).notNullable();
    table.string('state', 16).notNullable();
    table.integer('packets').notNullable();
    table.integer('bytes').notNullable();
    table.text('problem').nullable();
    table.primary(['capture_id', 'engine_id']);
    table.index(['engine_id', 'state']);
  });
  await createTable(db, 'capture_chunk', (table) => {
    uuid(table, 'capture_id').notNullable();
    uuid(table, 'engine_id').notNullable();
    table.integer('sequence').notNullable();
    table.text('data', 'mediumtext').notNullable();
    table.primary(['capture_id', 'engine_id', 'sequence']);
    table.foreign('capture_id').references('id').inTable('capture').onDelete('CASCADE');
  });
}
