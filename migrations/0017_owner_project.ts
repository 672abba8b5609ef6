import type { Knex } from 'knex';
import { uuid } from './columns';

/** The project an engine's server and ports are in, where that is not the one of this service. */
export async function ownerProject(db: Knex): Promise<void> {
  if (await db.schema.hasColumn('service_engine', 'owner_project_id')) return;
  await db.schema.alterTable('service_engine', (table) => {
    uuid(table, 'owner_project_id').nullable();
  });
}
