import type { StoredBody } from '../store';
import { sees } from './policy';
import { badRequest, type Context, type Item, type Resource } from './resource';

/** A parsed query string. */
export type Query = Readonly<Record<string, unknown>>;

export interface Page {
  readonly items: readonly StoredBody[];
  /** Id to go on after, when the limit cut the list off. */
  readonly next: string | undefined;
}

const CONTROLS = ['fields', 'limit', 'marker', 'sort_key', 'sort_dir', 'page_reverse'];
const TAG_FILTERS: Readonly<Record<string, (have: readonly string[], want: readonly string[]) => boolean>> = {
  tags: (have, want) => want.every((tag) => have.includes(tag)),
  'tags-any': (have, want) => want.some((tag) => have.includes(tag)),
  'not-tags': (have, want) => !want.every((tag) => have.includes(tag)),
  'not-tags-any': (have, want) => !want.some((tag) => have.includes(tag)),
};

/**
 * The objects the caller sees and the query asks for. Filters are repeatable: any of their values will do.
 * @throws NeutronError 400 for a filter that is no attribute, or a marker that is not in the list
 */
export async function listItems(resource: Resource, context: Context, query: Query): Promise<Page> {
  await resource.prepare?.(context);
  const filters = Object.entries(query)
    .filter(([name]) => !CONTROLS.includes(name))
    .map(([name, value]) => ({ name, values: valuesOf(value) }));
  const views = [...startFrom(resource, context, filters)]
    .filter((item) => sees(resource, context, item))
    .map((item) => resource.view(context.model, item));
  refuseUnknown(resource, views, filters);
  const matching = views.filter((view) => filters.every((filter) => matches(resource, view, filter)));
  return cutPage(sortItems(matching, query), query);
}

/** Only the fields asked for; all of them when none is. */
export function selectFields(view: StoredBody, query: Query): StoredBody {
  const fields = valuesOf(query['fields']);
  if (fields.length === 0) return view;
  return Object.fromEntries(Object.entries(view).filter(([name]) => fields.includes(name)));
}

interface Filter {
  readonly name: string;
  readonly values: readonly string[];
}

function startFrom({ rows }: Resource, { model }: Context, filters: readonly Filter[]): Iterable<Item> {
  for (const { name, values } of filters) {
    const indexed = values.map((value) => rows.by?.(model, name, value));
    if (indexed.length > 0 && indexed.every((items) => items !== undefined)) return new Set(indexed.flat());
  }
  return rows.all(model);
}

/** Every object of a kind shows the same attributes, so any of them tells which there are; an empty list cannot. */
function refuseUnknown(resource: Resource, [sample]: readonly StoredBody[], filters: readonly Filter[]): void {
  if (!sample) return;
  const unknown = filters
    .map(({ name }) => name)
    .filter((name) => !(name in sample) && !(name in TAG_FILTERS) && !(name in (resource.filters ?? {})));
  if (unknown.length > 0) throw badRequest(`${JSON.stringify(unknown)} is invalid attribute for filtering`);
}

function matches({ filters = {} }: Resource, view: StoredBody, { name, values }: Filter): boolean {
  const byTags = TAG_FILTERS[name];
  if (byTags)
    return byTags(
      view['tags'] as readonly string[],
      values.flatMap((value) => value.split(',')),
    );
  const have = filters[name]?.(view) ?? [view[name]].flat();
  return values.some((value) => have.some((one) => isSame(one, value)));
}

function isSame(have: unknown, want: string): boolean {
  if (typeof have === 'boolean') return have === ['true', '1', 't', 'yes'].includes(want.toLowerCase());
  if (have === null || have === undefined) return ['', 'none', 'null'].includes(want.toLowerCase());
  return String(have) === want;
}

function sortItems(items: readonly StoredBody[], query: Query): readonly StoredBody[] {
  const keys = valuesOf(query['sort_key']);
  const directions = valuesOf(query['sort_dir']);
  if (keys.length === 0) return items;
  const order = keys.map((key, at) => ({ key, sign: directions[at] === 'desc' ? -1 : 1 }));
  return [...items].sort((a, b) => {
    for (const { key, sign } of order) {
      const [left, right] = [String(a[key] ?? ''), String(b[key] ?? '')];
      if (left !== right) return left < right ? -sign : sign;
    }
    return 0;
  });
}

function cutPage(items: readonly StoredBody[], query: Query): Page {
  const marker = query['marker'];
  const start = marker === undefined ? 0 : items.findIndex(({ id }) => id === marker) + 1;
  if (marker !== undefined && start === 0) throw badRequest(`The marker ${String(marker)} could not be found`);
  const limit = Number(query['limit'] ?? 0);
  if (!Number.isInteger(limit) || limit < 0)
    throw badRequest(`Limit must be an integer 0 or greater and not '${limit}'`);
  const end = limit === 0 ? items.length : start + limit;
  const last = end < items.length ? items[end - 1]?.['id'] : undefined;
  return { items: items.slice(start, end), next: typeof last === 'string' ? last : undefined };
}

function valuesOf(value: unknown): readonly string[] {
  return value === undefined ? [] : [value].flat().map(String);
}
