import type { Knex } from 'knex';
import { time, uuid } from './columns';

/** How far operators have scaled a load balancer, and which placements are leaving without haste, since when and until when. */
export async function scaling(db: Knex): Promise<void> {
  if (!(await db.schema.hasColumn('load_balancer', 'scale_adjustment'))) {
    await db.schema.alterTable('load_balancer', (table) => {
      table.integer('scale_adjustment').nullable();
    });
  }
  for (const [name, add] of Object.entries(PLACEMENT_COLUMNS)) {
    if (await db.schema.hasColumn('placement', name)) continue;
    await db.schema.alterTable('placement', (table) => void add(table).nullable());
  }
}

const PLACEMENT_COLUMNS: Readonly<Record<string, (table: Knex.CreateTableBuilder) => Knex.ColumnBuilder>> = {
  request_target: (table) => uuid(table, 'request_target'),
  drain_since: (table) => time(table, 'drain_since'),
  drain_until: (table) => time(table, 'drain_until'),
};
