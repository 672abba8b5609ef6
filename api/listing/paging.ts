import { RouterFaultError } from '../faults';

export interface Link {
  readonly href: string;
  readonly rel: 'next' | 'previous';
}

/**
 * Most items of a page; null: everything.
 * @param maximum `pagination_max_limit`; null: unbounded
 * @throws RouterFaultError for what is no number
 */
export function parseLimit(text: string | null, maximum: number | null): number | null {
  if (text === null) return maximum;
  if (text === 'infinite') return null;
  if (!/^\s*[+-]?\d{1,15}\s*$/.test(text)) {
    throw new RouterFaultError(400, 'Bad Request', `Supplied pagination limit '${text}' is not valid.`);
  }
  const limit = Number(text);
  if (limit <= 0) return null;
  return maximum === null ? limit : Math.min(limit, maximum);
}

export interface PageEdges {
  /** The list's own URL, without query. */
  readonly url: string;
  readonly query: URLSearchParams;
  readonly limit: number | null;
  /** Keys of the page's items, in order. */
  readonly keys: readonly string[];
}

/**
 * Links to the pages before and behind. Unlike Octavia's they keep the filters, without which clients that follow them
 * would go on through everything.
 */
export function pageLinks({ url, query, limit, keys }: PageEdges): Link[] {
  const first = keys[0];
  const last = keys.at(-1);
  if (limit === null || first === undefined || last === undefined) return [];
  const links: Link[] = [];
  if (query.has('marker')) links.push({ rel: 'previous', href: link(url, query, limit, first, true) });
  if (keys.length === limit) links.push({ rel: 'next', href: link(url, query, limit, last, false) });
  return links.map(({ rel, href }) => ({ href, rel }));
}

function link(url: string, query: URLSearchParams, limit: number, marker: string, reverse: boolean): string {
  const params = new URLSearchParams(query);
  for (const name of ['limit', 'marker', 'page_reverse']) params.delete(name);
  const kept = [...params].map(([name, value]) => `&${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  const page = `limit=${limit}${kept.join('')}&marker=${encodeURIComponent(marker)}`;
  return `${url}?${page}${reverse ? '&page_reverse=True' : ''}`;
}
