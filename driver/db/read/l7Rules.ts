import type { L7RuleRow } from '../rows';
import { bool, NOT_DELETED, type ReadModel, TREE_ATTRIBUTES, TREE_COLUMNS, text } from './model';
import { tagsOf } from './relations';

export type L7RuleRead = Omit<L7RuleRow, 'deleting'> & { tags: string | null };

/** `key` and `value` are words of SQL in one dialect or the other. */
const COLUMNS = ['l7policy_id', 'type', 'compare_type', 'invert'] as const;

export const l7Rules: ReadModel = {
  from: 'l7rule o',
  visible: NOT_DELETED,
  tagged: true,
  columns: (db) => [...TREE_COLUMNS, ...COLUMNS.map((column) => `o.${column}`), 'o.`key`', 'o.`value`', tagsOf(db)],
  attributes: {
    ...TREE_ATTRIBUTES,
    type: text('o.type'),
    compare_type: text('o.compare_type'),
    key: text('o.`key`'),
    value: text('o.`value`'),
    invert: bool('o.invert'),
  },
};
