import type { Attribute, Condition, ReadModel } from '../../driver/db/read/model';
import { BadRequestError } from '../../driver/domain/errors';

/** The query arguments that are no filters. */
const RESERVED = new Set(['fields', 'limit', 'marker', 'page_reverse', 'sort', 'sort_key', 'sort_dir']);
/** Filters by tags: may be repeated. */
const TAGS = new Set(['tags', 'tags-any', 'not-tags', 'not-tags-any']);

const INVALID = 'One or more arguments are either duplicate or invalid';

/**
 * The conditions a list's query puts: exact matches on attributes, ANDed, and tags.
 * @throws BadRequestError for an unknown name, and for one given twice
 */
export function parseFilters(model: ReadModel, query: URLSearchParams): Condition[] {
  const conditions: Condition[] = [];
  const seen = new Set<string>();
  for (const [name, value] of query) {
    if (RESERVED.has(name) || (model.tagged && TAGS.has(name))) continue;
    const attribute = Object.hasOwn(model.attributes, name) ? model.attributes[name] : undefined;
    if (!attribute || seen.has(name)) throw new BadRequestError(INVALID);
    seen.add(name);
    conditions.push(matches(attribute, value));
  }
  return model.tagged ? [...conditions, ...tagConditions(query)] : conditions;
}

const NOTHING: Condition = { sql: '1 = 0', bindings: [] };

/** What cannot be a value of the column matches nothing. */
function matches({ column, type }: Attribute, value: string): Condition {
  switch (type) {
    case 'text':
      return { sql: `${column} = ?`, bindings: [value] };
    case 'boolean':
      return { sql: `${column} = ?`, bindings: [isTrue(value) ? 1 : 0] };
    case 'integer':
      return /^[+-]?\d{1,15}$/.test(value.trim()) ? { sql: `${column} = ?`, bindings: [Number(value)] } : NOTHING;
    case 'number':
      return Number.isFinite(Number(value)) && value.trim() !== ''
        ? { sql: `${column} = ?`, bindings: [Number(value)] }
        : NOTHING;
    case 'time':
      return matchesSecond(column, value);
    case 'since':
    case 'until':
      return matchesBound(column, value, type);
  }
}

/** Lenient as Octavia is: anything that is no word for true is false. */
export function isTrue(value: string): boolean {
  return ['true', 't', 'yes', 'y', 'on', '1'].includes(value.trim().toLowerCase());
}

/** Times are stored with milliseconds and shown without: the second that is asked for is a range. */
function matchesSecond(column: string, value: string): Condition {
  const second = secondOf(value);
  if (second === undefined) return NOTHING;
  return { sql: `(${column} >= ? and ${column} <= ?)`, bindings: [`${second}.000`, `${second}.999`] };
}

/** Both bounds belong to what is asked for. */
function matchesBound(column: string, value: string, bound: 'since' | 'until'): Condition {
  const second = secondOf(value);
  if (second === undefined) return NOTHING;
  return bound === 'since'
    ? { sql: `${column} >= ?`, bindings: [`${second}.000`] }
    : { sql: `${column} <= ?`, bindings: [`${second}.999`] };
}

function secondOf(value: string): string | undefined {
  const found = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)/.exec(value);
  return found ? `${found[1]} ${found[2]}` : undefined;
}

function tagConditions(query: URLSearchParams): Condition[] {
  const conditions: Condition[] = [];
  const add = (name: string, build: (tags: readonly string[]) => Condition): void => {
    const tags = [...new Set(query.getAll(name).flatMap((value) => value.split(',')))];
    if (tags.length > 0) conditions.push(build(tags));
  };
  add('tags', hasAll);
  add('tags-any', hasAny);
  add('not-tags', (tags) => not(hasAll(tags)));
  add('not-tags-any', (tags) => not(hasAny(tags)));
  return conditions;
}

function hasAll(tags: readonly string[]): Condition {
  return {
    sql: `(select count(*) from tags t where t.resource_id = o.id and t.tag in (${marks(tags)})) = ${tags.length}`,
    bindings: tags,
  };
}

function hasAny(tags: readonly string[]): Condition {
  return {
    sql: `exists (select 1 from tags t where t.resource_id = o.id and t.tag in (${marks(tags)}))`,
    bindings: tags,
  };
}

function not({ sql, bindings }: Condition): Condition {
  return { sql: `not (${sql})`, bindings };
}

function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}
