import type { Request } from 'express';
import type { Item } from './backend';

type Query = Readonly<Record<string, unknown>>;

const CONTROLS = ['fields', 'limit', 'marker', 'sort_key', 'sort_dir', 'page_reverse'];

/** The filters as the backend takes them; `fixed_ips=ip_address=1.2.3.4` becomes an object of lists. */
export function filtersOf(query: Query): Item {
  const filters = Object.entries(query).filter(([name]) => !CONTROLS.includes(name));
  return Object.fromEntries(
    filters.map(([name, value]) => [name, name === 'fixed_ips' ? pairsOf(valuesOf(value)) : valuesOf(value)]),
  );
}

function pairsOf(values: readonly string[]): Item {
  const pairs: Record<string, string[]> = {};
  for (const value of values) {
    const at = value.indexOf('=');
    const key = value.slice(0, at);
    pairs[key] = [...(pairs[key] ?? []), value.slice(at + 1)];
  }
  return pairs;
}

/** A page and its link to the next, which Neutron makes itself of everything: the backend knows no pages. */
export function pageOf(items: readonly Item[], req: Request, plural: string): { items: readonly Item[]; links: Item } {
  const { query } = req;
  const sorted = sortItems(items, valuesOf(query['sort_key']), valuesOf(query['sort_dir']));
  const start = query['marker'] === undefined ? 0 : sorted.findIndex(({ id }) => id === query['marker']) + 1;
  const limit = Number(query['limit'] ?? 0);
  const page = limit > 0 ? sorted.slice(start, start + limit) : sorted.slice(start);
  if (limit === 0 || start + limit >= sorted.length) return { items: page, links: {} };
  const next = new URL(`http://${req.get('host')}${req.originalUrl}`);
  next.searchParams.set('marker', String(page.at(-1)?.['id']));
  return { items: page, links: { [`${plural}_links`]: [{ rel: 'next', href: next.toString() }] } };
}

function sortItems(items: readonly Item[], keys: readonly string[], directions: readonly string[]): readonly Item[] {
  if (keys.length === 0) return items;
  return items.toSorted((one, other) => {
    for (const [index, key] of keys.entries()) {
      const [left, right] = [String(one[key] ?? ''), String(other[key] ?? '')];
      if (left !== right) return (left < right ? -1 : 1) * (directions[index] === 'desc' ? -1 : 1);
    }
    return 0;
  });
}

export function pruned(item: Item, query: Query): Item {
  const fields = valuesOf(query['fields']);
  if (fields.length === 0) return item;
  return Object.fromEntries(Object.entries(item).filter(([name]) => fields.includes(name)));
}

function valuesOf(value: unknown): readonly string[] {
  return value === undefined ? [] : [value].flat().map(String);
}
