import type { Json } from '../exchanges/recording';
import type { ContrailBindings } from './bindings';
import type { ContrailExchange } from './recording';

type Match = ContrailExchange['match'];

/** Lists whose order means something. */
const ORDERED = new Set(['to', 'fq_name', 'allowed_address_pair', 'allowed_address_pairs', 'ip_addr', 'mac_address']);

/** Differences between a recorded body and an answered one, as lines; binds placeholders on the way. */
export function compareContrail(
  expected: Json,
  actual: Json,
  { bindings, match, path = '' }: { bindings: ContrailBindings; match: Match; path?: string },
): string[] {
  const inner = (key: string) => ({ bindings, match, path: `${path}.${key}` });
  if (expected === '<int>') return typeof actual === 'number' ? [] : [differ(path, expected, actual)];
  if (typeof expected === 'string') return compareText(expected, actual, { bindings, match, path });
  if (Array.isArray(expected)) return compareLists(expected, actual, { bindings, match, path });
  if (expected === null || typeof expected !== 'object') {
    return expected === actual ? [] : [differ(path, expected, actual)];
  }
  if (actual === null || typeof actual !== 'object' || Array.isArray(actual)) return [differ(path, expected, actual)];
  const missing = Object.keys(expected).flatMap((key) =>
    key in actual ? compareContrail(expected[key], actual[key], inner(key)) : [`${path}.${key}: missing`],
  );
  if (match === 'contains') return missing;
  const surplus = Object.keys(actual).filter((key) => !(key in expected));
  return [...missing, ...surplus.map((key) => `${path}.${key}: not in the recording: ${show(actual[key])}`)];
}

interface Context {
  readonly bindings: ContrailBindings;
  readonly match: Match;
  readonly path: string;
}

function compareText(expected: string, actual: Json, { bindings, match, path }: Context): string[] {
  if (typeof actual !== 'string') return [differ(path, expected, actual)];
  if (match === 'contains' && actual.includes(expected)) return [];
  // Of its error pages only this was recorded.
  if (expected === '</pre>' && actual.includes('</pre>')) return [];
  if (match === 'any-holder' && samePattern(expected, actual)) return [];
  if (bindings.matches(expected, actual)) return [];
  if (bindings.matches(sorted(expected), sorted(actual))) return [];
  return [differ(path, expected, actual)];
}

/** Several types hold the object: the server names those of any one of them. */
function samePattern(expected: string, actual: string): boolean {
  const start = /^Delete when (?:children still present|resource still referred): \[/;
  return start.test(expected) && start.test(actual);
}

/** Texts that enumerate links or words come in no fixed order. */
function sorted(text: string): string {
  return text.replace(/\[([^[\]]*)\]/g, (_, words: string) => `[${words.split(', ').sort().join(', ')}]`);
}

function compareLists(expected: readonly Json[], actual: Json, context: Context): string[] {
  const { bindings, match, path } = context;
  if (!Array.isArray(actual)) return [differ(path, expected, actual)];
  if (match !== 'contains' && actual.length !== expected.length) return [differ(path, expected, actual)];
  const key = path.slice(path.lastIndexOf('.') + 1);
  if (ORDERED.has(key)) {
    return expected.flatMap((item, index) => {
      return compareContrail(item, actual[index], { ...context, path: `${path}[${index}]` });
    });
  }
  const left = [...actual];
  return expected.flatMap((item, index) => {
    for (const [at, candidate] of left.entries()) {
      const trial = bindings.fork();
      if (compareContrail(item, candidate, { bindings: trial, match, path }).length > 0) continue;
      bindings.take(trial);
      left.splice(at, 1);
      return [];
    }
    return compareContrail(item, left.shift(), { ...context, path: `${path}[${index}]` });
  });
}

function differ(path: string, expected: Json, actual: Json): string {
  return `${path}: ${show(expected)} expected, not ${show(actual)}`;
}

function show(value: Json): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 400 ? `${text.slice(0, 400)}...` : text;
}
