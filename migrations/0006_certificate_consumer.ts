import type { Knex } from 'knex';
import { createTable, time, uuid } from './columns';

/** What the key manager was told about who makes use of certificates. */
export async function certificateConsumerTable(db: Knex): Promise<void> {
  await createTable(db, 'certificate_consumer', (table) => {
    uuid(table, 'id').notNullable().primary();
    uuid(table, 'load_balancer_id').notNullable().references('load_balancer.id').onDelete('CASCADE');
    table.string('resource', 16).notNullable();
    uuid(table, 'resource_id').notNullable();
    table.string('container_ref', 255).notNullable();
    table.string('url', 512).notNullable();
    table.boolean('registered').notNullable();
    table.boolean('failing').notNullable();
    time(table, 'created_at').notNullable();
    table.unique(['load_balancer_id', 'resource_id', 'container_ref'], { indexName: 'certificate_consumer_use' });
  });
}
