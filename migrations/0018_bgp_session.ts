import type { Knex } from 'knex';
import { createTable, time, uuid } from './columns';

/** BGP sessions of engines, as they last told of them. */
export async function bgpSessionTable(db: Knex): Promise<void> {
  await createTable(db, 'bgp_session', (table) => {
    uuid(table, 'service_engine_id').notNullable().references('service_engine.id').onDelete('CASCADE');
    uuid(table, 'domain_id').notNullable();
    table.string('peer_address', 64).notNullable();
    table.boolean('established').notNullable();
    table.text('reason').nullable();
    table.text('announced').notNullable();
    time(table, 'since').notNullable();
    table.primary(['service_engine_id', 'domain_id', 'peer_address']);
  });
}
