import type { Knex } from 'knex';
import { uuid } from './columns';

const ENGINE_COLUMNS: Readonly<Record<string, (table: Knex.CreateTableBuilder) => Knex.ColumnBuilder>> = {
  project_id: (table) => uuid(table, 'project_id'),
  per_app: (table) => table.boolean('per_app'),
  compute_flavor: (table) => table.string('compute_flavor', 255),
  image_tag: (table) => table.string('image_tag', 255),
};

/** What an engine is made of, and whose it is while it serves somebody: placement asks for these. */
export async function engineKinds(db: Knex): Promise<void> {
  for (const [name, add] of Object.entries(ENGINE_COLUMNS)) {
    if (await db.schema.hasColumn('service_engine', name)) continue;
    await db.schema.alterTable('service_engine', (table) => void add(table).nullable());
  }
}
