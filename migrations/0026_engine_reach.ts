import type { Knex } from 'knex';
import { createTable, time, uuid } from './columns';

/** What engines say of the VIP networks they are in, and which of them they are cut from. */
export async function engineReachTable(db: Knex): Promise<void> {
  await createTable(db, 'engine_reach', (table) => {
    uuid(table, 'service_engine_id').notNullable().references('service_engine.id').onDelete('CASCADE');
    uuid(table, 'domain_id').notNullable();
    table.boolean('gateway').nullable();
    table.text('heard').notNullable();
    table.text('missed').notNullable();
    table.string('state', 16).notNullable();
    time(table, 'since').notNullable();
    time(table, 'cut_since').nullable();
    table.boolean('proven').nullable();
    table.primary(['service_engine_id', 'domain_id']);
    table.index(['domain_id']);
  });
}
