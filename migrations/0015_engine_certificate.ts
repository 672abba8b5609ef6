import type { Knex } from 'knex';
import { createTable, time } from './columns';

const TOKEN_COLUMNS = ['token_expires_at', 'token_used_at'] as const;

/** The certificates engines hold, and how long their tokens last. A certificate that has no row is good for nothing. */
export async function engineCertificate(db: Knex): Promise<void> {
  for (const name of TOKEN_COLUMNS) {
    if (await db.schema.hasColumn('service_engine', name)) continue;
    await db.schema.alterTable('service_engine', (table) => void time(table, name).nullable());
  }
  await createTable(db, 'engine_certificate', (table) => {
    table.string('serial', 40).notNullable().primary();
    table.string('service_engine_id', 36).notNullable().references('service_engine.id').onDelete('CASCADE').index();
    table.string('key_digest', 64).notNullable();
    time(table, 'expires_at').notNullable();
    time(table, 'created_at').notNullable();
  });
}
