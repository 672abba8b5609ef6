import type { Knex } from 'knex';

/** When an engine's server was last built, as the compute service writes it: another time means another disk. */
export async function serverLaunchedAt(db: Knex): Promise<void> {
  if (await db.schema.hasColumn('service_engine', 'server_launched_at')) return;
  await db.schema.alterTable('service_engine', (table) => {
    table.string('server_launched_at', 40).nullable();
  });
}
