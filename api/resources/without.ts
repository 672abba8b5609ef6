/** A view less some keys, in the same order. */
export function without<V extends object, K extends keyof V>(view: V, ...keys: K[]): Omit<V, K> {
  const left: Partial<V> = { ...view };
  for (const key of keys) delete left[key];
  return left as Omit<V, K>;
}
