import type { Knex } from 'knex';

/** Column shapes that several tables share. All times are UTC with milliseconds; nothing has a default in the database. */

export type Table = Knex.CreateTableBuilder;

/** A UUID, or anything Octavia stores in 36 characters. */
export function uuid(table: Table, name: string): Knex.ColumnBuilder {
  return table.string(name, 36);
}

/** UTC, milliseconds. */
export function time(table: Table, name: string): Knex.ColumnBuilder {
  return table.datetime(name, { precision: 3 });
}

/** What every object of a load balancer's tree has. */
export function treeColumns(table: Table): void {
  uuid(table, 'id').notNullable().primary();
  uuid(table, 'project_id').notNullable();
  table.string('provisioning_status', 16).notNullable();
  table.string('operating_status', 16).notNullable();
  table.boolean('enabled').notNullable();
  table.boolean('deleting').notNullable();
  time(table, 'created_at').notNullable();
  time(table, 'updated_at').nullable();
  table.index(['project_id', 'created_at', 'id']);
  table.index(['provisioning_status']);
  table.index(['operating_status']);
}

export function nameAndDescription(table: Table): void {
  table.string('name', 255).notNullable();
  table.string('description', 255).notNullable();
  table.index(['name']);
}

/** Who reconciles this unit now; every write of a holder is conditional on owner and epoch. */
export function leaseColumns(table: Table): void {
  table.string('lease_owner', 128).nullable();
  table.bigInteger('lease_epoch').notNullable();
  time(table, 'lease_until').nullable();
}

/** TLS settings that listeners and pools have in common. */
export function tlsColumns(table: Table): void {
  table.string('tls_ciphers', 2048).nullable();
  table.string('tls_versions', 512).nullable();
  table.string('alpn_protocols', 512).nullable();
}

/** Creates the table unless a crashed upgrade already has. */
export async function createTable(db: Knex, name: string, build: (table: Table) => void): Promise<void> {
  if (await db.schema.hasTable(name)) return;
  await db.schema.createTable(name, build);
}
