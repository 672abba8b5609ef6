/**
 * Where the embedded Neutron keeps its objects over restarts. `body` is a JSON object that only the embedded Neutron
 * reads. Calls come one after another, never two at a time.
 */
export interface ResourceStore {
  /** Everything that was put and not removed, in any order. */
  load(): Promise<readonly StoredResource[]>;
  /** Creates or replaces. Resolves when the object would survive a crash. */
  put(kind: string, id: string, body: StoredBody): Promise<void>;
  /** Something that is not there counts as removed. */
  remove(kind: string, id: string): Promise<void>;
}

export type StoredBody = Readonly<Record<string, unknown>>;

export interface StoredResource {
  /** "network", "subnet", "port", "security_group", "floatingip", "policy". */
  readonly kind: string;
  readonly id: string;
  readonly body: StoredBody;
}

/** A store that forgets everything with the process: for tests, and for a site without a file. */
export function createMemoryStore(initial: readonly StoredResource[] = []): ResourceStore {
  const rows = new Map(initial.map((row) => [`${row.kind} ${row.id}`, row]));
  return {
    load: async () => [...rows.values()],
    put: async (kind, id, body) => void rows.set(`${kind} ${id}`, { kind, id, body: structuredClone(body) }),
    remove: async (kind, id) => void rows.delete(`${kind} ${id}`),
  };
}
