import type { Db } from '../../driver/db/connect';
import { type Condition, type ReadModel, readMarker, readPage } from '../../driver/db/read/model';
import { BadRequestError } from '../../driver/domain/errors';
import { selectFields } from './fields';
import { parseFilters } from './filters';
import { type Link, pageLinks, parseLimit } from './paging';
import { parseOrder } from './sorting';

export interface ListSettings {
  /** `pagination_max_limit`; null: unbounded. */
  readonly maxLimit: number | null;
  readonly allowFiltering: boolean;
  readonly allowSorting: boolean;
  readonly allowPagination: boolean;
  readonly allowFieldSelection: boolean;
}

export interface ListRequest<R, V> {
  readonly model: ReadModel;
  readonly view: (row: R) => V;
  /** Beyond what the query asks for: whose objects, below which parent. */
  readonly conditions: readonly Condition[];
  readonly query: URLSearchParams;
  readonly url: string;
}

export interface Page<V> {
  readonly items: Partial<V>[];
  readonly links: Link[];
}

/** One page of a collection: one statement, and one more for a marker. */
export async function listPage<R extends object, V extends object>(
  db: Db,
  settings: ListSettings,
  request: ListRequest<R, V>,
): Promise<Page<V>> {
  const { model, view, url } = request;
  const query = allowedPart(request.query, settings);
  const conditions = [...request.conditions, ...parseFilters(model, query)];
  const limit = parseLimit(query.get('limit'), settings.allowPagination ? settings.maxLimit : null);
  const backwards = query.get('page_reverse') === 'True';
  const forwards = parseOrder(model, query);
  const order = backwards ? forwards.map((key) => ({ ...key, descending: !key.descending })) : forwards;
  const marker = query.get('marker');
  const after = marker === null ? undefined : await readMarker(db, model, order, marker);
  if (marker !== null && !after) throw new BadRequestError(`Supplied pagination marker '${marker}' is not valid.`);

  const rows = await readPage<R>(db, model, { conditions, order, limit, ...(after ? { after } : {}) });
  if (backwards) rows.reverse();
  const keys = rows.map((row) => String((row as Record<string, unknown>)[model.key ?? 'id']));
  return {
    items: rows.map((row) => selectFields(view(row), query)),
    links: pageLinks({ url, query, limit, keys }),
  };
}

const SORTING = ['sort', 'sort_key', 'sort_dir'];
const PAGING = ['limit', 'marker', 'page_reverse'];

/** What the configuration forbids is passed over, as Octavia does. */
function allowedPart(query: URLSearchParams, settings: ListSettings): URLSearchParams {
  const { allowFiltering, allowSorting, allowPagination, allowFieldSelection } = settings;
  if (allowFiltering && allowSorting && allowPagination && allowFieldSelection) return query;
  const isAllowed = (name: string): boolean => {
    if (SORTING.includes(name)) return allowSorting;
    if (PAGING.includes(name)) return allowPagination;
    return name === 'fields' ? allowFieldSelection : allowFiltering;
  };
  return new URLSearchParams([...query].filter(([name]) => isAllowed(name)));
}
