/** Tells messages that were sent twice by their `_unique_id`. */
export interface Seen {
  /** True from the second time on, as long as it is remembered. */
  has(id: unknown): boolean;
}

/** More than the 16 that oslo.messaging remembers: whole batches may be sent again. */
const REMEMBERED = 1024;

export function createSeen(size = REMEMBERED): Seen {
  const ids = new Set<string>();
  return {
    has(id) {
      if (typeof id !== 'string') return false;
      if (ids.has(id)) return true;
      ids.add(id);
      const [oldest] = ids;
      if (ids.size > size && oldest !== undefined) ids.delete(oldest);
      return false;
    },
  };
}
