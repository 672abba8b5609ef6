import type { Knex } from 'knex';
import { createTable, time, uuid } from './columns';

/** Ports of users that load balancers have taken for their VIPs, and what they were like before. */
export async function takenPortTable(db: Knex): Promise<void> {
  await createTable(db, 'taken_port', (table) => {
    uuid(table, 'port_id').notNullable().primary();
    uuid(table, 'load_balancer_id').notNullable().index();
    table.text('had').notNullable();
    time(table, 'taken_at').notNullable();
  });
}
