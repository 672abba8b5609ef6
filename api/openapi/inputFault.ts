import { type ApiDocument, resolveSchema, type Schema } from './document';
import { pythonText } from './pythonText';

/** One finding of the validator: `path` is `/body/<root>/...`, `errorCode` `<keyword>.openapi.validation`. */
export interface Finding {
  readonly path: string;
  readonly errorCode?: string;
}

interface Located {
  readonly keyword: string;
  /** Names and indexes from the body's root to the value, as far as it and the schema go. */
  readonly steps: readonly string[];
  /** What the path says beyond that: the name of an attribute that is unknown or missing. */
  readonly rest: string;
  /** Of the value at `steps`. */
  readonly schema: Schema;
  readonly value: unknown;
  /** Orders findings as Octavia meets them: by declaration, unknown attributes before all else of their object. */
  readonly rank: readonly number[];
}

/**
 * The one text a client reads about a refused body: Octavia stops at the first trouble, in the order its types declare.
 * @param body as the client sent it
 */
export function describeFault(
  document: ApiDocument,
  root: Schema,
  body: unknown,
  findings: readonly Finding[],
): string {
  const located = findings.map((finding) => locate(document, root, body, finding)).filter(isTelling);
  located.sort((a, b) => compareRanks(a.rank, b.rank));
  const [first] = located;
  if (!first) return 'Request is not in valid JSON format';
  if (first.keyword === 'additionalProperties') return unknownAttributes(root, first, located);
  const rootMissing = first.keyword === 'required' && first.steps.length === 0;
  if (rootMissing && root['x-null-fault']) return root['x-null-fault'];
  if (first.keyword === 'required') return invalid(first.rest, null, 'Mandatory field missing.');
  if (first.steps.length === 1 && first.value === null && root['x-null-fault']) return root['x-null-fault'];
  return describeValue(root, body, first);
}

function locate(document: ApiDocument, root: Schema, body: unknown, finding: Finding): Located {
  const parts = finding.path
    .replace(/^\/body/, '')
    .split('/')
    .slice(1);
  const rank: number[] = [];
  let schema = resolveSchema(document, root);
  let value = body;
  let depth = 0;
  for (; depth < parts.length; depth += 1) {
    const part = parts[depth] ?? '';
    const next = Array.isArray(value) ? schema.items : ownProperty(schema, part);
    const keyword = keywordOf(finding);
    const last = depth === parts.length - 1;
    if (!next || (last && (keyword === 'required' || keyword === 'additionalProperties'))) break;
    rank.push(Array.isArray(value) ? Number(part) : Object.keys(schema.properties ?? {}).indexOf(part));
    value = (value as Record<string, unknown> | null | undefined)?.[part];
    schema = resolveSchema(document, next);
  }
  const rest = parts.slice(depth).join('/');
  const keyword = keywordOf(finding);
  return {
    keyword,
    steps: parts.slice(0, depth),
    rest,
    schema,
    value,
    rank: [...rank, ownRank(keyword, schema, rest)],
  };
}

function keywordOf(finding: Finding): string {
  return (finding.errorCode ?? '').split('.')[0] ?? '';
}

function ownProperty(schema: Schema, name: string): Schema | undefined {
  if (schema.properties && Object.hasOwn(schema.properties, name)) return schema.properties[name];
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

function ownRank(keyword: string, schema: Schema, rest: string): number {
  if (keyword === 'additionalProperties') return -1;
  return keyword === 'required' ? Object.keys(schema.properties ?? {}).indexOf(rest) : 0;
}

/** `T or null` also reports that an object is not null, and that neither fits: what is wrong inside says more. */
function isTelling({ keyword, schema, value }: Located): boolean {
  if (keyword === 'oneOf') return typeof value !== 'object' || value === null || Array.isArray(value);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return !(keyword === 'type' && isObject && schema.properties !== undefined);
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? -2) - (b[index] ?? -2);
    if (difference !== 0) return difference;
  }
  return 0;
}

function unknownAttributes(root: Schema, first: Located, all: readonly Located[]): string {
  const place = first.steps.join('/');
  const names = all
    .filter(({ keyword, steps }) => keyword === 'additionalProperties' && steps.join('/') === place)
    .map(({ rest }) => rest)
    .sort();
  const argument = [root['x-argument'] ?? 'body', ...first.steps.filter((step) => !/^\d+$/.test(step))].join('.');
  return `Unknown attribute${names.length > 1 ? 's' : ''} for argument ${argument}: ${names.join(', ')}`;
}

function invalid(field: string, value: unknown, reason: string): string {
  return `Invalid input for field/attribute ${field}. Value: '${pythonText(value)}'. ${reason}`;
}

/** A value that cannot be converted is reported with the whole body; one that can and may not be, with its attribute. */
function describeValue(root: Schema, body: unknown, fault: Located): string {
  const argument = root['x-argument'] ?? 'body';
  const conversion = fault.keyword === 'type' ? conversionFault(fault.schema, fault.value) : undefined;
  if (conversion) return invalid(argument, body, conversion);
  const inList = /^\d+$/.test(fault.steps.at(-1) ?? '');
  const field = (inList ? fault.steps.at(-2) : fault.steps.at(-1)) ?? argument;
  const value = inList ? at(body, fault.steps.slice(0, -1)) : fault.value;
  return invalid(field, value, reasonOf(fault));
}

function at(body: unknown, steps: readonly string[]): unknown {
  return steps.reduce((value, step) => (value as Record<string, unknown> | null | undefined)?.[step], body);
}

function typesOf(schema: Schema): readonly string[] {
  return Array.isArray(schema.type) ? schema.type : [String(schema.type)];
}

function conversionFault(schema: Schema, value: unknown): string | undefined {
  if (value === null) return undefined;
  const types = typesOf(schema);
  if (types.includes('boolean')) return `Value not an unambiguous boolean: ${pythonText(value)}`;
  if (types.includes('array')) return `Value not a valid list: ${pythonText(value)}`;
  if (types.includes('integer')) return `invalid literal for int() with base 10: '${pythonText(value)}'`;
  if (types.includes('number')) return `could not convert string to float: '${pythonText(value)}'`;
  return undefined;
}

const FORMAT_REASONS: Readonly<Record<string, string>> = {
  uuid: 'Value should be UUID format',
  ip: 'Value should be IPv4 or IPv6 format',
  cidr: 'Value should be IPv4 or IPv6 CIDR format',
  'absolute-url': 'Value must be a valid URL string',
  'url-path': 'Value must be a valid URL Path string',
  alpn: 'Value should be a valid ALPN protocol ID',
};

function reasonOf({ keyword, schema, value }: Located): string {
  if (schema.format && FORMAT_REASONS[schema.format] && keyword !== 'maxLength')
    return FORMAT_REASONS[schema.format] ?? '';
  if (schema.enum) return `Value should be one of: ${enumText(schema.enum)}`;
  if (keyword === 'maxLength') return `Value should have a maximum character requirement of ${schema.maxLength}`;
  if (keyword === 'minLength') return `Value should have a minimum character requirement of ${schema.minLength}`;
  if (keyword === 'minimum') return `Value should be greater or equal to ${schema.minimum}`;
  if (keyword === 'maximum') return `Value should be lower or equal to ${schema.maximum}`;
  if (keyword === 'pattern') return `Value should match the pattern ${schema.pattern}`;
  if (value === null) return 'Mandatory field missing.';
  return typesOf(schema).includes('string') ? 'Value should be string' : 'Value should be an object';
}

/** As Python lists them, to which 1.0 is no 1 where there are fractions. */
function enumText(values: readonly unknown[]): string {
  const fractions = values.some((one) => typeof one === 'number' && !Number.isInteger(one));
  const textOf = (one: unknown): string => (fractions && typeof one === 'number' ? one.toFixed(1) : String(one));
  return values
    .filter((one) => one !== null)
    .map(textOf)
    .join(', ');
}
