import type { StoredBody } from '../store';

/** One kind of object, in memory, with its indexes; every change is stored before it counts as made. */
export interface Table<T extends { readonly id: string }> {
  get(id: string): T | undefined;
  all(): Iterable<T>;
  /** The objects that bear the value under the index. */
  by(index: string, value: string): readonly T[];
  /** True if the values under this name can be asked for by `by`. */
  isIndexed(index: string): boolean;
  /** Visible at once; undone when the store refuses. @throws whatever the store throws */
  put(record: T): Promise<void>;
  remove(id: string): Promise<void>;
  /** Takes in an object that is stored already. */
  admit(record: T): void;
}

/** The writes of one kind; `createWriter` makes them. */
export interface KindWriter {
  put(id: string, body: StoredBody): Promise<void>;
  remove(id: string): Promise<void>;
}

/** Names of indexes, each with the values under which an object is found. */
export type Indexes<T> = Readonly<Record<string, (record: T) => readonly string[]>>;

export function createTable<T extends { readonly id: string } & StoredBody>(
  writer: KindWriter,
  indexes: Indexes<T>,
): Table<T> {
  const rows = new Map<string, T>();
  const index = new Map(Object.keys(indexes).map((name) => [name, new Map<string, Set<string>>()]));

  const place = (id: string, next: T | undefined): void => {
    const previous = rows.get(id);
    for (const [name, valuesOf] of Object.entries(indexes)) {
      const entries = index.get(name) ?? new Map<string, Set<string>>();
      for (const value of previous ? valuesOf(previous) : []) leave(entries, value, id);
      for (const value of next ? valuesOf(next) : []) enter(entries, value, id);
    }
    if (next) rows.set(id, next);
    else rows.delete(id);
  };
  const change = async (id: string, next: T | undefined, write: () => Promise<void>): Promise<void> => {
    const previous = rows.get(id);
    place(id, next);
    try {
      await write();
    } catch (err) {
      if (rows.get(id) === next) place(id, previous);
      throw err;
    }
  };

  return {
    get: (id) => rows.get(id),
    all: () => rows.values(),
    by: (name, value) => [...(index.get(name)?.get(value) ?? [])].flatMap((id) => rows.get(id) ?? []),
    isIndexed: (name) => index.has(name),
    put: (record) => change(record.id, record, () => writer.put(record.id, record)),
    remove: (id) => change(id, undefined, () => writer.remove(id)),
    admit: (record) => place(record.id, record),
  };
}

function enter(entries: Map<string, Set<string>>, value: string, id: string): void {
  const ids = entries.get(value);
  if (ids) ids.add(id);
  else entries.set(value, new Set([id]));
}

function leave(entries: Map<string, Set<string>>, value: string, id: string): void {
  const ids = entries.get(value);
  ids?.delete(id);
  if (ids?.size === 0) entries.delete(value);
}
