import type { Knex } from 'knex';
import { createTable, nameAndDescription, treeColumns, uuid } from './columns';

/** L7 policies and rules. */
export async function l7Tables(db: Knex): Promise<void> {
  await createTable(db, 'l7policy', (table) => {
    treeColumns(table);
    nameAndDescription(table);
    uuid(table, 'listener_id').notNullable().references('listener.id');
    table.string('action', 32).notNullable().index();
    uuid(table, 'redirect_pool_id').nullable().references('pool.id').index();
    table.string('redirect_url', 255).nullable();
    table.string('redirect_prefix', 255).nullable();
    table.integer('redirect_http_code').nullable();
    table.integer('position').notNullable();
    table.index(['listener_id', 'position']);
  });
  await createTable(db, 'l7rule', (table) => {
    treeColumns(table);
    uuid(table, 'l7policy_id').notNullable().references('l7policy.id').index();
    table.string('type', 32).notNullable().index();
    table.string('compare_type', 16).notNullable().index();
    table.string('key', 255).nullable();
    table.string('value', 255).notNullable();
    table.boolean('invert').notNullable();
  });
}
