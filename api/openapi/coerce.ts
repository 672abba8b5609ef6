import { BadRequestError } from '../../driver/domain/errors';
import { type ApiDocument, resolveSchema, type Schema } from './document';
import { normalizeCidr, normalizeUuid } from './formats';

/**
 * Octavia's leniency: turns what a client may write into what the schema says (numeric strings, words for booleans,
 * spellings of UUIDs and CIDRs). What fits no rule is left as it is, for the validator to refuse.
 * @throws BadRequestError for a list or map beyond its bound: before anything looks at each of its items
 */
export function coerce(document: ApiDocument, schema: Schema, value: unknown): unknown {
  const resolved = resolveSchema(document, schema);
  if (Array.isArray(value)) return coerceItems(document, resolved, value);
  if (typeof value === 'object' && value !== null) return coerceProperties(document, resolved, value);
  if (value === null || value === undefined) return value;
  return coerceScalar(resolved, value as string | number | boolean);
}

function coerceItems(document: ApiDocument, schema: Schema, items: unknown[]): unknown[] {
  const { items: itemSchema, maxItems } = schema;
  if (!itemSchema) return items;
  if (maxItems !== undefined && items.length > maxItems) {
    throw new BadRequestError(`A list of ${items.length} items is too long: ${maxItems} are allowed.`);
  }
  return items.map((item) => coerce(document, itemSchema, item));
}

function coerceProperties(document: ApiDocument, schema: Schema, value: object): object {
  const { properties, maxProperties } = schema;
  const entries = Object.entries(value);
  if (maxProperties !== undefined && entries.length > maxProperties) {
    throw new BadRequestError(`${entries.length} entries are too many: ${maxProperties} are allowed.`);
  }
  if (!properties) return value;
  return Object.fromEntries(
    entries.map(([key, item]) => {
      const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
      return [key, known ? coerce(document, known, item) : item];
    }),
  );
}

function coerceScalar(schema: Schema, value: string | number | boolean): unknown {
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  if (types.includes('integer')) return toInteger(value);
  if (types.includes('number')) return toNumber(value);
  if (types.includes('boolean')) return toBoolean(value);
  if (typeof value !== 'string') return value;
  if (schema.format === 'uuid') return normalizeUuid(value) ?? value;
  if (schema.format === 'cidr') return normalizeCidr(value) ?? value;
  return value;
}

function toInteger(value: string | number | boolean): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number') return Math.trunc(value);
  return /^\s*[+-]?\d{1,15}\s*$/.test(value) ? Number(value) : value;
}

function toNumber(value: string | number | boolean): unknown {
  if (typeof value !== 'string') return value;
  return /^\s*\d{1,3}(?:\.\d{1,3})?\s*$/.test(value) ? Number(value) : value;
}

const TRUE_WORDS = ['true', 't', 'yes', 'y', 'on', '1'];
const FALSE_WORDS = ['false', 'f', 'no', 'n', 'off', '0'];

function toBoolean(value: string | number | boolean): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? value !== 0 : value;
  if (typeof value !== 'string') return value;
  const word = value.trim().toLowerCase();
  if (TRUE_WORDS.includes(word)) return true;
  return FALSE_WORDS.includes(word) ? false : value;
}
