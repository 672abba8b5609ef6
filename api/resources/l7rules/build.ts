import { toBit } from '../../../driver/db/codecs';
import type { NewL7Rule } from '../../../driver/db/l7Rules';
import type { L7RuleRow } from '../../../driver/db/rows';
import { flagOr, type L7RuleGraph, type L7RuleUpdate } from '../../changes/bodies';
import { type Writers, writeColumns } from '../../changes/columns';
import { checkRule, type RuleData } from './rules';

/** The row of a new rule. @throws BadRequestError for a rule that does not add up */
export function buildL7Rule(
  body: L7RuleGraph,
  parents: { id: string; projectId: string; policyId: string },
): NewL7Rule {
  checkRule(dataOf(body));
  return {
    id: parents.id,
    project_id: parents.projectId,
    l7policy_id: parents.policyId,
    enabled: toBit(flagOr(body.admin_state_up, true)),
    type: body.type ?? '',
    compare_type: body.compare_type ?? '',
    key: body.key ?? null,
    value: body.value ?? '',
    invert: toBit(flagOr(body.invert, false)),
  };
}

function dataOf(body: L7RuleGraph): RuleData {
  return { type: body.type, compare_type: body.compare_type, key: body.key ?? null, value: body.value };
}

const WRITERS: Writers<L7RuleUpdate, L7RuleRow> = {
  admin_state_up: (value) => ({ enabled: toBit(value === true) }),
  type: (value) => (value === null ? {} : { type: value }),
  compare_type: (value) => (value === null ? {} : { compare_type: value }),
  key: (value) => ({ key: value }),
  value: (value) => ({ value: value ?? '' }),
  invert: (value) => ({ invert: toBit(value === true) }),
};

/** What a PUT writes; the rule that comes of it is checked. @throws BadRequestError */
export function changeL7Rule(body: L7RuleUpdate, stored: L7RuleRow): Partial<L7RuleRow> {
  const columns = writeColumns(body, WRITERS);
  checkRule({ ...stored, ...columns });
  return columns;
}
