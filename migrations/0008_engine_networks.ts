import type { Knex } from 'knex';
import { createTable, time, uuid } from './columns';

const VNIC_COLUMNS: Readonly<Record<string, (table: Knex.CreateTableBuilder) => Knex.ColumnBuilder>> = {
  domain_id: (table) => uuid(table, 'domain_id'),
  vip_side: (table) => table.boolean('vip_side'),
  subnet_ids: (table) => table.text('subnet_ids'),
  facts: (table) => table.text('facts'),
};

/** Routing domains of engines: which vNIC is whose, what the network service says of it, and what VIPs let in. */
export async function engineNetworks(db: Knex): Promise<void> {
  for (const [name, add] of Object.entries(VNIC_COLUMNS)) {
    if (await db.schema.hasColumn('se_vnic', name)) continue;
    await db.schema.alterTable('se_vnic', (table) => void add(table).nullable());
  }
  await createTable(db, 'vnic_use', (table) => {
    table.string('se_vnic_id', 36).notNullable().references('se_vnic.id').onDelete('CASCADE');
    table.string('load_balancer_id', 36).notNullable().references('load_balancer.id').onDelete('CASCADE').index();
    table.primary(['se_vnic_id', 'load_balancer_id']);
  });
  await createTable(db, 'vip_firewall', (table) => {
    table.string('load_balancer_id', 36).notNullable().primary().references('load_balancer.id').onDelete('CASCADE');
    table.text('rules', 'mediumtext').notNullable();
    time(table, 'updated_at').notNullable();
  });
}
