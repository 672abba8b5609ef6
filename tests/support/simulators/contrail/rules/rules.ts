import type { Entity, Link } from '../database';
import type { Json } from '../json';
import type { Site } from '../site';

/** What a PUT asks for: null removes a property. */
export interface ChangeSet {
  readonly properties: ReadonlyMap<string, Json>;
  readonly refs: ReadonlyMap<string, ReadonlyMap<string, Link>>;
}

/** What the API server does about objects of one type besides keeping them. */
export interface Rules {
  /** Before references are looked up: what the body itself must hold. */
  readonly body?: (members: Readonly<Record<string, Json>>) => void;
  /** Before it is there: fills in, and refuses. */
  readonly check?: (site: Site, draft: Entity) => void;
  /** It is there. */
  readonly made?: (site: Site, entity: Entity) => void;
  readonly change?: (site: Site, entity: Entity, change: ChangeSet) => void;
  /** References are about to be added, by whatever call. */
  readonly links?: (site: Site, entity: Entity, refType: string, uuids: readonly string[]) => void;
  /** It is about to go; nothing holds it any more. */
  readonly leave?: (site: Site, entity: Entity) => void;
  /** Children that do not keep it from going: they go with it. */
  readonly ownsChild?: (child: Entity) => boolean;
}

/** The value a property will have once the change is made. */
export function valueAfter(entity: Entity, change: ChangeSet, property: string): Json {
  if (change.properties.has(property)) return change.properties.get(property) ?? null;
  return entity.properties.get(property) ?? null;
}

/** The uuids that are referred to. */
export function targetsOf(entity: Entity, refType: string): string[] {
  return [...(entity.refs.get(refType)?.keys() ?? [])];
}
