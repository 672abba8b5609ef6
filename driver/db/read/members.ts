import type { MemberRow } from '../rows';
import { bool, integer, NOT_DELETED, type ReadModel, TREE_ATTRIBUTES, TREE_COLUMNS, text } from './model';
import { tagsOf } from './relations';

export type MemberRead = Omit<MemberRow, 'deleting'> & { tags: string | null };

const COLUMNS = [
  'name',
  'pool_id',
  'subnet_id',
  'ip_address',
  'protocol_port',
  'weight',
  'backup',
  'monitor_address',
  'monitor_port',
  'vnic_type',
] as const;

export const members: ReadModel = {
  from: 'member o',
  visible: NOT_DELETED,
  tagged: true,
  columns: (db) => [...TREE_COLUMNS, ...COLUMNS.map((column) => `o.${column}`), tagsOf(db)],
  attributes: {
    ...TREE_ATTRIBUTES,
    name: text('o.name'),
    address: text('o.ip_address'),
    protocol_port: integer('o.protocol_port'),
    weight: integer('o.weight'),
    backup: bool('o.backup'),
    subnet_id: text('o.subnet_id'),
    monitor_address: text('o.monitor_address'),
    monitor_port: integer('o.monitor_port'),
    vnic_type: text('o.vnic_type'),
  },
};
