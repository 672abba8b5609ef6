import { type Check, type CheckSource, PolicyError } from './syntax';
import { parseTemplate } from './template';

const ALLOW: Check = { kind: 'constant', allows: true };
const DENY: Check = { kind: 'constant', allows: false };
/** Deeper nesting is a mistake, and must not exhaust the stack. */
const MAX_DEPTH = 200;

/**
 * Reads one rule.
 * @throws PolicyError with what is wrong; oslo.policy would deny everything the rule is for, and only log
 */
export function parseCheck(source: CheckSource): Check {
  if (source === null) return ALLOW;
  return typeof source === 'string' ? parseText(source) : parseLists(source);
}

function parseLists(source: readonly (string | readonly string[])[]): Check {
  if (source.length === 0) return ALLOW;
  const alternatives = source
    .map((inner) => (typeof inner === 'string' ? [inner] : inner))
    .filter((inner) => inner.length > 0)
    .map((inner) => joinChecks('and', inner.map(parseOne)));
  return alternatives.length === 0 ? DENY : joinChecks('or', alternatives);
}

function joinChecks(kind: 'and' | 'or', checks: readonly Check[]): Check {
  const [first] = checks;
  return first && checks.length === 1 ? first : { kind, checks };
}

function parseText(text: string): Check {
  const tokens = tokenize(text);
  if (tokens.length === 0) return ALLOW;
  const cursor: Cursor = { text, tokens, next: 0, depth: 0 };
  const check = parseOr(cursor);
  if (cursor.next < tokens.length) throw refuse(cursor);
  return check;
}

interface Cursor {
  readonly text: string;
  readonly tokens: readonly string[];
  next: number;
  depth: number;
}

/** Words, and parentheses where they stand at the start or the end of a word: those inside belong to a template. */
function tokenize(text: string): string[] {
  return text.split(/\s+/).flatMap((word) => {
    const opening = word.match(/^\(*/)?.[0].length ?? 0;
    const rest = word.slice(opening);
    const closing = rest.match(/(?<!\))\)+$/)?.[0].length ?? 0;
    const core = rest.slice(0, rest.length - closing);
    return [...'('.repeat(opening), ...(core ? [core] : []), ...')'.repeat(closing)];
  });
}

function isWord(cursor: Cursor, word: string): boolean {
  return cursor.tokens[cursor.next]?.toLowerCase() === word;
}

function parseOr(cursor: Cursor): Check {
  return parseChain(cursor, 'or', (at) => parseChain(at, 'and', parseUnary));
}

function parseChain(cursor: Cursor, word: 'and' | 'or', parsePart: (cursor: Cursor) => Check): Check {
  const checks = [parsePart(cursor)];
  while (isWord(cursor, word)) {
    cursor.next += 1;
    checks.push(parsePart(cursor));
  }
  return joinChecks(word, checks);
}

function parseUnary(cursor: Cursor): Check {
  cursor.depth += 1;
  if (cursor.depth > MAX_DEPTH) throw new PolicyError('nested too deeply');
  const check = parsePart(cursor);
  cursor.depth -= 1;
  return check;
}

function parsePart(cursor: Cursor): Check {
  const token = cursor.tokens[cursor.next];
  if (token === undefined || token === ')' || isWord(cursor, 'and') || isWord(cursor, 'or')) throw refuse(cursor);
  cursor.next += 1;
  if (token.toLowerCase() === 'not') return { kind: 'not', check: parseUnary(cursor) };
  if (token !== '(') return parseOne(token);
  const inner = parseOr(cursor);
  if (cursor.tokens[cursor.next] !== ')') throw refuse(cursor);
  cursor.next += 1;
  return inner;
}

function refuse({ text, tokens, next }: Cursor): PolicyError {
  const token = tokens[next];
  return new PolicyError(`"${text}": ${token === undefined ? 'ends too early' : `"${token}" is not expected there`}`);
}

function parseOne(text: string): Check {
  if (text === '@') return ALLOW;
  if (text === '!') return DENY;
  const colon = text.indexOf(':');
  if (colon < 0) throw new PolicyError(`"${text}": expected kind:match`);
  const kind = text.slice(0, colon);
  const match = text.slice(colon + 1);
  if (kind === 'rule') return { kind: 'rule', name: match };
  if (kind === 'is_admin') return { kind: 'admin', expected: match.toLowerCase() === 'true' };
  if (kind === 'http' || kind === 'https') throw new PolicyError(`"${text}": remote checks are not supported`);
  const expected = parseTemplate(match);
  if (kind === 'role') return { kind: 'role', role: expected };
  const literal = readLiteral(kind);
  if (literal !== undefined) return { kind: 'literal', text: literal, expected };
  return { kind: 'credential', path: kind.split('.'), expected };
}

/** The text of a Python literal (quoted text, number, True, False, None); undefined when it is the name of a credential. */
function readLiteral(kind: string): string | undefined {
  const quoted = kind.match(/^'([^']*)'$|^"([^"]*)"$/);
  if (quoted) return quoted[1] ?? quoted[2] ?? '';
  return /^(True|False|None|-?\d+(\.\d+)?)$/.test(kind) ? kind : undefined;
}
