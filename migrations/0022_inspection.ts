import type { Knex } from 'knex';
import { createTable, time, uuid } from './columns';

/** What engines are asked of how they serve a load balancer, and what they answer: a minute at most. */
export async function inspectionTable(db: Knex): Promise<void> {
  await createTable(db, 'inspection', (table) => {
    uuid(table, 'id').notNullable().primary();
    uuid(table, 'load_balancer_id').notNullable().references('id').inTable('load_balancer').onDelete('CASCADE');
    uuid(table, 'service_engine_id').notNullable().references('id').inTable('service_engine').onDelete('CASCADE');
    table.string('state', 16).notNullable();
    table.text('answer', 'mediumtext').nullable();
    time(table, 'expires_at').notNullable().index();
    table.index(['service_engine_id', 'state']);
  });
}
