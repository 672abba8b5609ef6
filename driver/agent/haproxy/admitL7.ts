import type { L7PolicySpec, L7RuleSpec, ListenerSpec } from '../../protocol/spec';
import { isUsableId } from './admitValue';
import { type Fault, fault } from './fault';
import { isQuotable } from './words';

const REDIRECT_CODES = [301, 302, 303, 307, 308];
/** Visible ASCII: what a header or cookie can be named at all. */
const NAME = /^[\u0021-\u007e]{1,255}$/;
const DN_FIELD = /^[A-Za-z][A-Za-z0-9-]*$/;
/** As many digits as haproxy's numbers can hold for certain. */
const NUMBER = /^\d{1,18}$/;

/** What of a listener's policies cannot be said to haproxy. */
export function policyFaults({ protocol, l7Policies }: ListenerSpec): Fault[] {
  const speaksHttp = protocol === 'HTTP' || protocol === 'TERMINATED_HTTPS';
  return l7Policies.flatMap((policy) => {
    const reason = speaksHttp ? whyPolicyCannotBe(policy) : `listeners of protocol ${protocol} have no L7 policies`;
    if (reason !== null) return [fault('l7policy', policy.id, reason)];
    return policy.rules.flatMap((rule) => ruleFaults(rule));
  });
}

function ruleFaults(rule: L7RuleSpec): Fault[] {
  const reason = whyRuleCannotBe(rule);
  return reason === null ? [] : [fault('l7rule', rule.id, reason)];
}

function whyPolicyCannotBe(policy: L7PolicySpec): string | null {
  const { id, action, redirectUrl, redirectPrefix, redirectHttpCode } = policy;
  if (!isUsableId(id)) return 'its id has characters an engine cannot use';
  if (action !== 'REDIRECT_TO_URL' && action !== 'REDIRECT_PREFIX') return null;
  const target = action === 'REDIRECT_TO_URL' ? redirectUrl : redirectPrefix;
  if (target === null || target === '' || !isQuotable(target)) return 'it has no URL that a header can carry';
  if (redirectHttpCode === null || REDIRECT_CODES.includes(redirectHttpCode)) return null;
  return `${redirectHttpCode} is not a redirection`;
}

function whyRuleCannotBe(rule: L7RuleSpec): string | null {
  if (!isUsableId(rule.id)) return 'its id has characters an engine cannot use';
  if (!isQuotable(rule.value)) return 'its value has control characters';
  const key = rule.key ?? '';
  if ((rule.type === 'HEADER' || rule.type === 'COOKIE') && !NAME.test(key)) return 'its key is not a name';
  if (rule.type === 'SSL_DN_FIELD' && !DN_FIELD.test(key)) return 'its key is not a field of a distinguished name';
  if (rule.type === 'SSL_VERIFY_RESULT' && !NUMBER.test(rule.value)) return 'its value is not a number';
  return null;
}
