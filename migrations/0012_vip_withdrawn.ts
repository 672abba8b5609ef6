import type { Knex } from 'knex';
import { time } from './columns';

/** Since when a load balancer's VIPs have been taken off the network because no member can take traffic; null: they are not. */
export async function vipWithdrawn(db: Knex): Promise<void> {
  if (await db.schema.hasColumn('load_balancer', 'vip_withdrawn_at')) return;
  await db.schema.alterTable('load_balancer', (table) => {
    time(table, 'vip_withdrawn_at').nullable();
  });
}
