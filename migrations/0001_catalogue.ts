import type { Knex } from 'knex';
import { createTable, uuid } from './columns';

const QUOTA_KINDS = ['load_balancer', 'listener', 'pool', 'member', 'health_monitor', 'l7policy', 'l7rule'];

/** Flavors, availability zones, quotas and tags: what load balancers refer to or are counted by. */
export async function catalogueTables(db: Knex): Promise<void> {
  await createTable(db, 'flavor_profile', (table) => {
    uuid(table, 'id').notNullable().primary();
    table.string('name', 255).notNullable().index();
    table.string('provider_name', 255).notNullable().index();
    table.text('flavor_data').notNullable();
  });
  await createTable(db, 'flavor', (table) => {
    uuid(table, 'id').notNullable().primary();
    table.string('name', 255).notNullable().unique();
    table.string('description', 255).notNullable();
    table.boolean('enabled').notNullable();
    uuid(table, 'flavor_profile_id').notNullable().references('flavor_profile.id').index();
  });
  await createTable(db, 'availability_zone_profile', (table) => {
    uuid(table, 'id').notNullable().primary();
    table.string('name', 255).notNullable().index();
    table.string('provider_name', 255).notNullable().index();
    table.text('availability_zone_data').notNullable();
  });
  await createTable(db, 'availability_zone', (table) => {
    table.string('name', 255).notNullable().primary();
    table.string('description', 255).notNullable();
    table.boolean('enabled').notNullable();
    uuid(table, 'availability_zone_profile_id').notNullable().references('availability_zone_profile.id').index();
  });
  await createTable(db, 'quotas', (table) => {
    uuid(table, 'project_id').notNullable().primary();
    for (const kind of QUOTA_KINDS) {
      table.integer(kind).nullable();
      table.integer(`in_use_${kind}`).notNullable();
    }
  });
  await createTable(db, 'tags', (table) => {
    uuid(table, 'resource_id').notNullable();
    table.string('tag', 255).notNullable();
    table.primary(['resource_id', 'tag']);
    table.index(['tag']);
  });
}
