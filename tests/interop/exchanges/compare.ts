import type { Bindings, Json } from './recording';

/** Addresses that the recorded Octavia's test drivers made up. */
const MADE_UP = ['198.0.2.5', '198.51.100.1'];

/** `updated_at` of rows whose statuses were moved without a request. */
const MOVED_AT = '2026-01-01T00:00:00';

/** Keys whose lists come in no fixed order from Octavia. */
const SETS = new Set([
  'sni_container_refs',
  'tls_versions',
  'listeners',
  'pools',
  'members',
  'l7policies',
  'rules',
  'loadbalancers',
]);

/** Differences between what Octavia answered and what we did, as lines of text; binds placeholders on the way. */
export function compareBodies(expected: Json, actual: Json, bindings: Bindings, path = ''): string[] {
  if (path.endsWith('.vip_network_id') && madeUpNetwork(expected, actual, bindings)) return [];
  if (typeof expected === 'string') return compareText(expected, actual, bindings, path);
  if (Array.isArray(expected)) return compareLists(expected, actual, bindings, path);
  if (expected !== null && typeof expected === 'object') return compareObjects(expected, actual, bindings, path);
  if (expected === null && path.endsWith('.updated_at') && actual === MOVED_AT) return [];
  return expected === actual ? [] : [`${path}: ${show(expected)} expected, not ${show(actual)}`];
}

/** The recording's network driver knew of no network, or made up one for each answer. */
function madeUpNetwork(expected: Json, actual: Json, bindings: Bindings): boolean {
  return typeof actual === 'string' && (expected === null || !bindings.isOfRequest(expected));
}

function compareObjects(expected: Json, actual: Json, bindings: Bindings, path: string): string[] {
  if (actual === null || typeof actual !== 'object' || Array.isArray(actual)) {
    return [`${path}: an object expected, not ${show(actual)}`];
  }
  const keys = Object.keys(expected);
  const found = Object.keys(actual);
  const differences = keys.flatMap((key) =>
    key in actual ? compareBodies(expected[key], actual[key], bindings, `${path}.${key}`) : [`${path}.${key}: missing`],
  );
  const surplus = found.filter((key) => !(key in expected)).map((key) => `${path}.${key}: not in Octavia's answer`);
  const sameKeys = surplus.length === 0 && keys.length === found.length;
  if (sameKeys && !path.endsWith('.insert_headers') && keys.join() !== found.join()) {
    differences.push(`${path}: order of keys ${found.join()} instead of ${keys.join()}`);
  }
  return [...differences, ...surplus];
}

function compareLists(expected: Json[], actual: Json, bindings: Bindings, path: string): string[] {
  if (!Array.isArray(actual) || actual.length !== expected.length) {
    return [`${path}: ${show(expected)} expected, not ${show(actual)}`];
  }
  const key = path.slice(path.lastIndexOf('.') + 1);
  const ordered = SETS.has(key) ? arrange(expected, actual, bindings) : actual;
  return expected.flatMap((item, index) => compareBodies(item, ordered[index], bindings, `${path}[${index}]`));
}

/** Our elements in the order of Octavia's, as far as known ids and refs tell which is which. */
function arrange(expected: Json[], actual: Json[], bindings: Bindings): Json[] {
  const left = [...actual];
  const idOf = (item: Json): unknown => (item !== null && typeof item === 'object' ? item.id : item);
  return expected.map((item) => {
    const id = idOf(item);
    const known = typeof id === 'string' ? (bindings.valueOf(id) ?? id) : undefined;
    const index = Math.max(
      left.findIndex((candidate) => idOf(candidate) === known),
      0,
    );
    return left.splice(index, 1)[0];
  });
}

function compareText(expected: string, actual: Json, bindings: Bindings, path: string): string[] {
  if (typeof actual !== 'string') return [`${path}: ${show(expected)} expected, not ${show(actual)}`];
  if (path.endsWith('.href')) return sameLink(expected, actual) ? [] : [`${path}: ${expected} expected, not ${actual}`];
  if (expected === '<time>') return /^\d{4}-\d\d-\d\dT/.test(actual) ? [] : [`${path}: a time expected, not ${actual}`];
  if (MADE_UP.includes(expected)) return [];
  if (/^<uuid:\d+>$/.test(expected) && !bindings.valueOf(expected)) {
    bindings.bind(expected, actual);
    return [];
  }
  const filled = expected.replace(/<uuid:\d+>/g, (placeholder) => bindings.valueOf(placeholder) ?? placeholder);
  if (normalize(filled) === normalize(actual)) return [];
  return [`${path}: ${show(filled)} expected, not ${show(actual)}`];
}

/** Each server has its own address. */
function sameLink(expected: string, actual: string): boolean {
  const pathOf = (link: string): string =>
    link.replace(/^http:\/\/[^/]*/, '').replace(/<uuid:\d+>|[0-9a-f-]{36}/g, 'id');
  return pathOf(expected) === pathOf(actual);
}

/** Python prints sets in any order. */
function normalize(text: string): string {
  return text
    .replace(/(should be one of: )(.*)$/, (_, lead: string, names: string) => lead + names.split(', ').sort())
    .replace(/(Unable to parse regular expression: ).*$/, '$1');
}

function show(value: Json): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}
