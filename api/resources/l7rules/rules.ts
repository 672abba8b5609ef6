import { BadRequestError, InvalidOptionError } from '../../../driver/domain/errors';
import { COOKIE_VALUE, HEADER_NAME, HEADER_VALUE } from '../../../driver/domain/httpText';

/** A rule as it is to be: a POST's, or the stored one with a PUT's fields over it. */
export interface RuleData {
  readonly type: string | null;
  readonly compare_type: string | null;
  readonly key: string | null;
  readonly value: string | null;
}

/** Octavia's bound on the rules of one policy. */
export const MAX_RULES_PER_POLICY = 50;

const DN_FIELD = /^[a-zA-Z][A-Za-z0-9-]*$/;

function parseError(detail: string): BadRequestError {
  return new BadRequestError(`Error parsing L7Rule: ${detail}`);
}

function invalid(detail: string): BadRequestError {
  return parseError(`Invalid L7 Rule: ${detail}`);
}

/** What each type of rule asks for. */
const CHECKS: Readonly<Record<string, (rule: RuleData, value: string) => void>> = {
  HEADER: (rule, value) => checkKeyed(rule, () => requireMatch(HEADER_VALUE, value, 'header value')),
  COOKIE: (rule, value) => checkKeyed(rule, () => requireMatch(COOKIE_VALUE, value, 'cookie value')),
  HOST_NAME: checkPlain,
  PATH: checkPlain,
  FILE_TYPE: (rule, value) => {
    if (rule.compare_type !== 'REGEX' && rule.compare_type !== 'EQUAL_TO') {
      throw invalid('invalid comparison type for rule type');
    }
    checkPlain(rule, value);
  },
  SSL_CONN_HAS_CERT: (rule, value) => {
    refuseKey(rule);
    if (value.toLowerCase() !== 'true') throw invalid(`L7rule value ${value} is not a boolean True string.`);
    requireEqualTo(rule);
  },
  SSL_VERIFY_RESULT: (rule, value) => {
    refuseKey(rule);
    if (!/^\d+$/.test(value)) throw invalid(`L7rule type ${rule.type} needs a int value, which is >= 0`);
    requireEqualTo(rule);
  },
  SSL_DN_FIELD: (rule, value) => {
    if (rule.compare_type === 'REGEX') checkRegex(value);
    if (!rule.key) throw invalid(`L7rule type ${rule.type} needs to specify a key and a value.`);
    if (!DN_FIELD.test(rule.key)) throw invalid('Invalid L7rule distinguished name field.');
  },
};

/**
 * Checks a whole rule; the texts are Octavia's.
 * @throws BadRequestError
 */
export function checkRule(rule: RuleData): void {
  if (!rule.value) throw invalid('L7 rule type requires a value');
  const check = CHECKS[rule.type ?? ''];
  if (!check) throw new InvalidOptionError(rule.type ?? 'None', 'type');
  check(rule, rule.value);
}

function checkPlain(rule: RuleData, value: string): void {
  checkComparison(rule, () => requireMatch(HEADER_VALUE, value, 'comparison value'));
}

function checkKeyed(rule: RuleData, checkValue: () => void): void {
  if (!rule.key) throw invalid('L7 rule type requires a key');
  requireMatch(HEADER_NAME, rule.key, 'key');
  checkComparison(rule, checkValue);
}

function checkComparison({ compare_type, value }: RuleData, checkValue: () => void): void {
  if (!compare_type) throw invalid('invalid comparison type for rule type');
  if (compare_type === 'REGEX') checkRegex(value ?? '');
  else checkValue();
}

function requireMatch(pattern: RegExp, text: string, what: string): void {
  if (!pattern.test(text)) throw parseError(`Invalid characters in ${what}`);
}

/** Compiled, never run; haproxy has the last word on what it takes. */
function checkRegex(text: string): void {
  try {
    new RegExp(withoutDialect(text));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw parseError(`Unable to parse regular expression: ${reason}`);
  }
}

/**
 * What Python's and haproxy's regexes (PCRE2) have and JavaScript's have not, in words of the latter: flags such as
 * `(?i)`, comments, conditions, atomic groups, possessive quantifiers, and named groups as Python writes them.
 */
function withoutDialect(regex: string): string {
  return regex
    .replace(/\(\?#[^)]*\)|\(\?[a-zA-Z]+\)/g, '')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replace(/\(\?P</g, '(?<')
    .replace(/\(\?(?:[a-zA-Z]*(?:-[a-zA-Z]+)?:|>|\(\w+\))/g, '(?:')
    .replace(/([*+?}])\+/g, '$1');
}

function refuseKey({ type, key }: RuleData): void {
  if (key) throw invalid(`L7rule type ${type} does not use the "key" field.`);
}

function requireEqualTo({ type, compare_type }: RuleData): void {
  if (compare_type !== 'EQUAL_TO') throw invalid(`L7rule type ${type} only supports the EQUAL_TO compare type.`);
}
