import type { Knex } from 'knex';
import { time } from './columns';

/** When an event was told those who listen; null: not yet, or nobody is to be told. */
export async function eventNotified(db: Knex): Promise<void> {
  if (await db.schema.hasColumn('event', 'notified_at')) return;
  await db.schema.alterTable('event', (table) => {
    time(table, 'notified_at').nullable().index();
  });
}
