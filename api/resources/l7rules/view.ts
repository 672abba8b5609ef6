import { fromBit, toApiTime } from '../../../driver/db/codecs';
import type { Db } from '../../../driver/db/connect';
import { type L7RuleRead, l7Rules } from '../../../driver/db/read/l7Rules';
import { splitTexts } from '../../../driver/db/read/relations';
import type { Schemas } from '../../openapi/schemas';
import type { Kind } from '../kinds';
import { showWithin } from '../showWithin';

export type L7RuleView = Schemas['L7RuleView'];

/** An L7 rule as the API shows it; the order of keys is Octavia's. */
export function l7RuleView(row: L7RuleRead): L7RuleView {
  return {
    id: row.id,
    type: row.type,
    compare_type: row.compare_type,
    key: row.key,
    value: row.value,
    invert: fromBit(row.invert),
    provisioning_status: row.provisioning_status,
    operating_status: row.operating_status,
    created_at: toApiTime(row.created_at),
    updated_at: toApiTime(row.updated_at),
    project_id: row.project_id,
    admin_state_up: fromBit(row.enabled),
    tags: splitTexts(row.tags),
    tenant_id: row.project_id,
  };
}

export const L7_RULE: Kind<L7RuleRead, L7RuleView> = {
  model: l7Rules,
  view: l7RuleView,
  table: 'l7rule',
  title: 'L7 Rule',
  object: 'l7rule',
  root: 'rule',
  plural: 'rules',
  idParam: 'rule_id',
};

/** What a command answers with; sees its own transaction. */
export function showL7Rule(db: Db, id: string): Promise<L7RuleView> {
  return showWithin(db, L7_RULE, id);
}
