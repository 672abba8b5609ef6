import type { Knex } from 'knex';
import { createTable, time, uuid } from './columns';

/** How loaded engines are, what looks at that have left, and rolling upgrades of groups with the marks of what they make. */
export async function elasticity(db: Knex): Promise<void> {
  for (const name of ['group_image_tag', 'upgrade_mark']) {
    if (await db.schema.hasColumn('service_engine', name)) continue;
    await db.schema.alterTable('service_engine', (table) => void table.string(name, 255).nullable());
  }
  if (!(await db.schema.hasColumn('service_engine', 'avoided'))) {
    await db.schema.alterTable('service_engine', (table) => void table.boolean('avoided').nullable());
  }
  await createTable(db, 'engine_load', (table) => {
    uuid(table, 'service_engine_id').notNullable().primary();
    table.foreign('service_engine_id').references('id').inTable('service_engine').onDelete('CASCADE');
    for (const name of ['cpu_percent', 'memory_percent']) table.float(name).notNullable();
    table.integer('connections').notNullable();
    for (const name of RATES) table.double(name).nullable();
    time(table, 'at').notNullable();
  });
  await createTable(db, 'group_elasticity', (table) => {
    uuid(table, 'service_engine_group_id').notNullable().primary();
    table.foreign('service_engine_group_id').references('id').inTable('service_engine_group').onDelete('CASCADE');
    table.text('state', 'mediumtext').notNullable();
    time(table, 'looked_at').notNullable();
  });
  await createTable(db, 'group_upgrade', (table) => {
    uuid(table, 'id').notNullable().primary();
    uuid(table, 'service_engine_group_id').notNullable();
    table.foreign('service_engine_group_id').references('id').inTable('service_engine_group').onDelete('CASCADE');
    table.string('image_tag', 255).notNullable();
    table.string('previous_image_tag', 255).nullable();
    table.string('previous_mark', 36).nullable();
    table.string('status', 16).notNullable().index();
    table.text('state', 'mediumtext').notNullable();
    table.bigInteger('version').notNullable();
    table.integer('engines').notNullable();
    time(table, 'created_at').notNullable();
    time(table, 'updated_at').nullable();
    table.index(['service_engine_group_id', 'created_at']);
  });
}

const RATES = ['bytes_per_second', 'packets_per_second', 'connections_per_second'] as const;
