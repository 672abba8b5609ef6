import type { Knex } from 'knex';
import { createTable, time } from './columns';

/** Load balancers that are being taken over from Octavia, and that their engines do not answer for a VIP meanwhile. */
export async function octaviaImport(db: Knex): Promise<void> {
  if (!(await db.schema.hasColumn('load_balancer', 'vip_held'))) {
    await db.schema.alterTable('load_balancer', (table) => void table.boolean('vip_held').nullable());
  }
  await createTable(db, 'octavia_import', (table) => {
    table.string('load_balancer_id', 36).notNullable().primary();
    table.string('state', 16).notNullable().index();
    table.string('octavia_status', 16).notNullable();
    table.string('octavia_updated_at', 32).nullable();
    table.string('mark', 32).notNullable();
    table.text('address_pairs', 'mediumtext').nullable();
    time(table, 'created_at').notNullable();
    time(table, 'updated_at').nullable();
  });
}
