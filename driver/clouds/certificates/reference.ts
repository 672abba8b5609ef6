/** A reference to a secret or a container, taken apart. */
export interface Reference {
  /** Undefined for a bare id, which may be either. */
  readonly kind: 'secret' | 'container' | undefined;
  /** Hyphenated, lower case. */
  readonly id: string;
}

const UUID = /^([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/i;

/**
 * Takes a reference (`http://host:9311/v1/containers/<uuid>`, or the id alone) apart; undefined for anything else. Only
 * kind and id count: a host that a user names is never talked to, least of all with a token.
 */
export function parseReference(ref: string): Reference | undefined {
  const parts = ref.replace(/\/+$/, '').split('/');
  const id = parts.at(-1)?.match(UUID)?.slice(1).join('-').toLowerCase();
  if (id === undefined) return undefined;
  const folder = parts.at(-2);
  if (folder === undefined) return { kind: undefined, id };
  if (folder === 'secrets') return { kind: 'secret', id };
  return folder === 'containers' ? { kind: 'container', id } : undefined;
}
