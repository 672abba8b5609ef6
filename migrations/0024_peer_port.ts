import type { Knex } from 'knex';
import { createTable, uuid } from './columns';

/** The port at which the engines of a load balancer share what they learn of its clients; one a load balancer in a VIP network. */
export async function peerPortTable(db: Knex): Promise<void> {
  await createTable(db, 'peer_port', (table) => {
    uuid(table, 'load_balancer_id').notNullable().primary();
    table.foreign('load_balancer_id').references('id').inTable('load_balancer').onDelete('CASCADE');
    uuid(table, 'network_id').notNullable();
    table.integer('port').notNullable();
    table.string('told', 32).nullable();
    table.unique(['network_id', 'port']);
  });
}
