/**
 * How a server says whose it is: by tags, for people and their tools, and by metadata, which Nova shows from the first
 * moment on, also of a server that waits to be scheduled.
 */
export interface Ownership {
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

const OWNER_KEY = 'slipstream_owner';
const ENGINE_KEY = 'slipstream_engine';

export function ownershipOf(owner: string, engineId: string): Ownership {
  return { tags: [owner, `${owner}:${engineId}`], metadata: { [OWNER_KEY]: owner, [ENGINE_KEY]: engineId } };
}

/** The engine that a server of this owner says it is for. Either sign is enough: people may remove one. */
export function findEngineId(
  owner: string,
  { tags, metadata }: { readonly tags: readonly string[]; readonly metadata: Readonly<Record<string, string>> },
): string | undefined {
  if (metadata[OWNER_KEY] === owner && metadata[ENGINE_KEY]) return metadata[ENGINE_KEY];
  return tags.find((tag) => tag.startsWith(`${owner}:`))?.slice(owner.length + 1);
}
