/**
 * Leaves the keys that `fields` asks for, in the object's own order. Unknown names and `tenant_id`, which is only ever
 * a copy, are dropped as Octavia does. Without `fields` the view stays as it is.
 */
export function selectFields<V extends object>(view: V, query: URLSearchParams): Partial<V> {
  if (!query.has('fields')) return view;
  const wanted = new Set(query.getAll('fields'));
  wanted.delete('tenant_id');
  return Object.fromEntries(Object.entries(view).filter(([key]) => wanted.has(key))) as Partial<V>;
}
