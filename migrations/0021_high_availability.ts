import type { Knex } from 'knex';
import { createTable, time, uuid } from './columns';

/** Since when engines are silent, whom else they are heard by, who of a pair is the master, and what stops the healing of a group. */
export async function highAvailability(db: Knex): Promise<void> {
  for (const [table, columns] of Object.entries(COLUMNS)) {
    for (const [name, add] of Object.entries(columns)) {
      if (await db.schema.hasColumn(table, name)) continue;
      await db.schema.alterTable(table, (altered) => void add(altered, name).nullable());
    }
  }
  await createTable(db, 'engine_hearing', (table) => {
    uuid(table, 'observer_id').notNullable().references('service_engine.id').onDelete('CASCADE');
    uuid(table, 'service_engine_id').notNullable().references('service_engine.id').onDelete('CASCADE');
    table.boolean('heard').notNullable();
    time(table, 'since').notNullable();
    table.primary(['observer_id', 'service_engine_id']);
  });
}

type Add = (table: Knex.CreateTableBuilder, name: string) => Knex.ColumnBuilder;
const aTime: Add = (table, name) => time(table, name);
const aFlag: Add = (table, name) => table.boolean(name);
const aTerm: Add = (table, name) => table.bigInteger(name);

const COLUMNS: Readonly<Record<string, Readonly<Record<string, Add>>>> = {
  service_engine: { silent_since: aTime, isolated_since: aTime },
  service_engine_group: { breaker: (table, name) => table.text(name) },
  load_balancer: { master_term: aTerm },
  placement: { claimed_term: aTerm, claimed_master: aFlag },
};
