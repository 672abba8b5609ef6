import type { Knex } from 'knex';
import { createTable, time, uuid } from './columns';

/** How VIPs are wired: each load balancer's mode and floating IP, the services of BGP, and which vNICs are in them. */
export async function vipModes(db: Knex): Promise<void> {
  await addColumns(db, 'load_balancer', {
    vip_mode: (table) => table.string('vip_mode', 8),
    floating_ip_id: (table) => uuid(table, 'floating_ip_id'),
  });
  await createTable(db, 'bgp_service', (table) => {
    table.string('id', 36).notNullable().primary();
    table.string('service_engine_group_id', 36).notNullable().references('service_engine_group.id').onDelete('CASCADE');
    uuid(table, 'network_id').notNullable();
    table.bigInteger('local_as').notNullable();
    table.bigInteger('remote_as').notNullable();
    table.text('places').notNullable();
    table.text('timers').notNullable();
    table.text('md5_secret').nullable();
    time(table, 'created_at').notNullable();
    table.unique(['service_engine_group_id', 'network_id']);
  });
  await addColumns(db, 'se_vnic', {
    bgp_service: (table) => uuid(table, 'bgp_service'),
    bgp_joined: (table) => table.boolean('bgp_joined'),
    bgp_trouble: (table) => table.text('bgp_trouble'),
    wiring_owner: (table) => table.string('wiring_owner', 64),
    wiring_until: (table) => time(table, 'wiring_until'),
  });
}

type AddColumn = (table: Knex.CreateTableBuilder) => Knex.ColumnBuilder;

async function addColumns(db: Knex, name: string, columns: Readonly<Record<string, AddColumn>>): Promise<void> {
  for (const [column, add] of Object.entries(columns)) {
    if (await db.schema.hasColumn(name, column)) continue;
    await db.schema.alterTable(name, (table) => void add(table).nullable());
  }
}
