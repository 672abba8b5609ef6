import type { Knex } from 'knex';
import { createTable, time, uuid } from './columns';

/** Engines that are being rebooted, and how far that is. */
export async function engineRebootTable(db: Knex): Promise<void> {
  await createTable(db, 'engine_reboot', (table) => {
    uuid(table, 'service_engine_id').notNullable().primary();
    table.foreign('service_engine_id').references('id').inTable('service_engine').onDelete('CASCADE');
    table.string('step', 16).notNullable();
    table.boolean('moves').notNullable();
    table.boolean('enables').notNullable();
    table.bigInteger('connection_epoch').nullable();
    time(table, 'asked_at').nullable();
    time(table, 'since').notNullable();
    time(table, 'began_at').notNullable();
    table.string('request_id', 64).nullable();
  });
}
