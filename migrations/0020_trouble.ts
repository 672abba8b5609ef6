import type { Knex } from 'knex';
import { createTable, time, uuid } from './columns';

/** What operators have been told of and is not over yet, and which floating IPs led where when they were last seen. */
export async function troubleTables(db: Knex): Promise<void> {
  await createTable(db, 'trouble', (table) => {
    table.string('cause', 255).notNullable().primary();
    table.text('about').notNullable();
    time(table, 'opened_at').notNullable();
  });
  await createTable(db, 'seen_floating_ip', (table) => {
    uuid(table, 'id').notNullable().primary();
    uuid(table, 'load_balancer_id').notNullable().references('id').inTable('load_balancer').onDelete('CASCADE');
    table.string('ip_address', 64).nullable();
    table.text('port_ids').notNullable();
  });
}
