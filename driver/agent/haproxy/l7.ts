import type { L7PolicySpec, L7RuleSpec, ListenerSpec } from '../../protocol/spec';
import type { Frontend } from './layout';
import { fixed, integer, type Line, line, type ObjectRef, quote, quoteForLogFormat, sample, type Word } from './words';

/** haproxy's name for each way to compare. */
const MATCHES: Readonly<Record<L7RuleSpec['compareType'], string>> = {
  REGEX: '-m reg',
  STARTS_WITH: '-m beg',
  ENDS_WITH: '-m end',
  CONTAINS: '-m sub',
  EQUAL_TO: '-m str',
};
const DEFAULT_REDIRECT_CODE = 302;
/** Holds the backend of the first REDIRECT_TO_POOL policy that matches. */
const CHOICE = 'txn.l7';

/**
 * The policies of a listener. The first that matches decides; but all REJECT policies come before all redirections to a
 * URL or prefix, and these before all redirections to a pool (Octavia's user guide, "Policy Position"). These lines go
 * before those that insert headers: a rule looks at what the client sent.
 */
export function policyLines(frontend: Frontend): Line[] {
  const { l7Policies } = frontend.listener;
  const choosing = l7Policies.filter(({ id }) => frontend.redirects.has(id));
  return [
    ...[...l7Policies.filter(({ action }) => action !== 'REDIRECT_TO_POOL'), ...choosing].flatMap(({ rules }) =>
      rules.flatMap(ruleLines),
    ),
    ...ofAction(l7Policies, 'REJECT').map((policy) => policyLine(policy, fixed('http-request deny'))),
    ...ofAction(l7Policies, 'REDIRECT_TO_URL', 'REDIRECT_PREFIX').map((it) => policyLine(it, ...redirectWords(it))),
    ...(choosing.length === 0
      ? []
      : [line(listenerRef(frontend.listener), fixed(`acl chosen var(${CHOICE}) -m found`))]),
    ...choosing.map((policy) => choiceLine(policy, frontend.redirects.get(policy.id) ?? null)),
  ];
}

/** Sends a request where a policy has decided; comes before the default backend. */
export function choiceLines(frontend: Frontend): Line[] {
  if (![...frontend.redirects.values()].some((backend) => backend !== null)) return [];
  return [line(listenerRef(frontend.listener), fixed(`use_backend %[var(${CHOICE})] if chosen`))];
}

function listenerRef({ id }: ListenerSpec): ObjectRef {
  return { kind: 'listener', id };
}

function ofAction(policies: readonly L7PolicySpec[], ...actions: L7PolicySpec['action'][]): L7PolicySpec[] {
  return policies.filter(({ action }) => actions.includes(action));
}

function policyLine(policy: L7PolicySpec, ...action: Word[]): Line {
  return line({ kind: 'l7policy', id: policy.id }, ...action, fixed('if'), ...conditionWords(policy));
}

function redirectWords({ action, redirectUrl, redirectPrefix, redirectHttpCode }: L7PolicySpec): Word[] {
  const [how, where] = action === 'REDIRECT_PREFIX' ? ['prefix', redirectPrefix] : ['location', redirectUrl];
  return [
    fixed(`http-request redirect ${how}`),
    quoteForLogFormat(where ?? ''),
    fixed('code'),
    integer(redirectHttpCode ?? DEFAULT_REDIRECT_CODE),
  ];
}

/** A pool this engine cannot serve answers 503, as a listener's default pool does: the next policy is not what was meant. */
function choiceLine(policy: L7PolicySpec, backend: string | null): Line {
  const action =
    backend === null
      ? [fixed('http-request deny deny_status 503')]
      : [fixed(`http-request set-var(${CHOICE})`), sample('str', backend, '')];
  const owner: ObjectRef = { kind: 'l7policy', id: policy.id };
  return line(owner, ...action, fixed('if !chosen'), ...conditionWords(policy));
}

function conditionWords({ rules }: L7PolicySpec): Word[] {
  return rules.map((rule) => quote(`${rule.invert ? '!' : ''}${aclName(rule)}`));
}

/** The prefix keeps an id from being a name that haproxy or this file gives to something else. */
function aclName({ id }: L7RuleSpec): string {
  return `l7:${id}`;
}

/** Lines of one name are alternatives. After `--` a value is never taken for a flag. */
function ruleLines(rule: L7RuleSpec): Line[] {
  const start = [fixed('acl'), quote(aclName(rule))];
  return testsOf(rule).map((words) => line({ kind: 'l7rule', id: rule.id }, ...start, ...words));
}

function testsOf(rule: L7RuleSpec): Word[][] {
  const value = comparedValue(rule);
  const compare = (what: Word, flags = '') => [what, fixed(`${flags}${MATCHES[rule.compareType]} --`), quote(value)];
  switch (rule.type) {
    case 'HOST_NAME':
      return hostTests(rule).map((fetch) => compare(fixed(fetch), '-i '));
    case 'PATH':
      return [compare(fixed('path'))];
    case 'FILE_TYPE':
      return fileTypeTests(rule, value);
    case 'HEADER':
      return headerFetches(value).map((fetch) => compare(sample(fetch, rule.key ?? '', '')));
    case 'COOKIE':
      return [compare(sample('req.cook', rule.key ?? '', ''))];
    case 'SSL_CONN_HAS_CERT':
      return [[fixed('ssl_c_used')]];
    case 'SSL_VERIFY_RESULT':
      return [[fixed('ssl_c_verify --'), quote(value)]];
    case 'SSL_DN_FIELD':
      return [compare(sample('ssl_c_s_dn', rule.key ?? '', ''))];
  }
}

/** Clients add the port to the name when it is not the protocol's own; a rule may or may not name it. */
function hostTests({ compareType }: L7RuleSpec): string[] {
  const whole = 'req.hdr(host)';
  return compareType === 'STARTS_WITH' || compareType === 'CONTAINS' ? [whole] : [whole, `${whole},host_only`];
}

/**
 * EQUAL_TO compares what comes after the last dot, as Octavia's guide has it. A regex sees either that or, as in
 * Octavia's own haproxy, the whole path.
 */
function fileTypeTests({ compareType }: L7RuleSpec, value: string): Word[][] {
  if (compareType !== 'REGEX') return [[fixed('path -m end --'), quote(value.startsWith('.') ? value : `.${value}`)]];
  return ['path', 'path,field(-1,.)'].map((fetch) => [fixed(`${fetch} -m reg --`), quote(value)]);
}

/** `req.hdr` looks at each of the values that commas part, `req.fhdr` at the whole field. */
function headerFetches(value: string): string[] {
  return value.includes(',') ? ['req.hdr', 'req.fhdr'] : ['req.hdr'];
}

/** A value with blanks comes in double quotes, which are not part of it. */
function comparedValue({ compareType, value }: L7RuleSpec): string {
  return compareType === 'REGEX' ? value : value.replace(/^"(.*)"$/s, '$1');
}
