import type { L7PolicyRow } from '../rows';
import { integer, NOT_DELETED, type ReadModel, TREE_ATTRIBUTES, TREE_COLUMNS, text } from './model';
import { childIds, tagsOf } from './relations';

export type L7PolicyRead = Omit<L7PolicyRow, 'deleting'> & { rule_ids: string | null; tags: string | null };

const COLUMNS = [
  'name',
  'description',
  'listener_id',
  'action',
  'redirect_pool_id',
  'redirect_url',
  'redirect_prefix',
  'redirect_http_code',
  'position',
] as const;

export const l7Policies: ReadModel = {
  from: 'l7policy o',
  visible: NOT_DELETED,
  tagged: true,
  columns: (db) => [
    ...TREE_COLUMNS,
    ...COLUMNS.map((column) => `o.${column}`),
    childIds('l7rule', 'l7policy_id', 'rule_ids'),
    tagsOf(db),
  ],
  attributes: {
    ...TREE_ATTRIBUTES,
    name: text('o.name'),
    description: text('o.description'),
    listener_id: text('o.listener_id'),
    action: text('o.action'),
    redirect_pool_id: text('o.redirect_pool_id'),
    redirect_url: text('o.redirect_url'),
    redirect_prefix: text('o.redirect_prefix'),
    redirect_http_code: integer('o.redirect_http_code'),
    position: integer('o.position'),
  },
};
