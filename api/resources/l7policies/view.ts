import { fromBit, toApiTime } from '../../../driver/db/codecs';
import type { Db } from '../../../driver/db/connect';
import { type L7PolicyRead, l7Policies } from '../../../driver/db/read/l7Policies';
import { splitTexts } from '../../../driver/db/read/relations';
import type { Schemas } from '../../openapi/schemas';
import { idObjects } from '../idOnly';
import type { Kind } from '../kinds';
import { showWithin } from '../showWithin';
import { without } from '../without';

export type L7PolicyView = Schemas['L7PolicyView'];

/** An L7 policy as the API shows it; the order of keys is Octavia's. */
export function l7PolicyView(row: L7PolicyRead): L7PolicyView {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    provisioning_status: row.provisioning_status,
    operating_status: row.operating_status,
    admin_state_up: fromBit(row.enabled),
    project_id: row.project_id,
    action: row.action,
    listener_id: row.listener_id,
    redirect_pool_id: row.redirect_pool_id,
    redirect_url: row.redirect_url,
    redirect_prefix: row.redirect_prefix,
    position: row.position,
    rules: idObjects(row.rule_ids),
    created_at: toApiTime(row.created_at),
    updated_at: toApiTime(row.updated_at),
    tags: splitTexts(row.tags),
    redirect_http_code: row.redirect_http_code,
    tenant_id: row.project_id,
  };
}

/** A policy inside the answer to a fully populated create: its rules whole and first. */
export function l7PolicyFullView(row: L7PolicyRead, rules: Schemas['L7RuleView'][]): Schemas['L7PolicyFullView'] {
  return { rules, ...without(l7PolicyView(row), 'rules') };
}

export const L7_POLICY: Kind<L7PolicyRead, L7PolicyView> = {
  model: l7Policies,
  view: l7PolicyView,
  table: 'l7policy',
  title: 'L7 Policy',
  object: 'l7policy',
  root: 'l7policy',
  plural: 'l7policies',
  idParam: 'l7policy_id',
};

/** What a command answers with; sees its own transaction. */
export function showL7Policy(db: Db, id: string): Promise<L7PolicyView> {
  return showWithin(db, L7_POLICY, id);
}
