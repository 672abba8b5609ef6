import type { Json, Members } from './json';

/** A reference to another object, with what the link itself says. */
export interface Link {
  attr: Json;
  /** The target may be deleted although the link is there; the link goes with it. */
  relaxed: boolean;
}

/** An object of the configuration database. */
export interface Entity {
  readonly type: string;
  readonly uuid: string;
  readonly fqName: readonly string[];
  readonly parent: { readonly type: string; readonly uuid: string } | null;
  readonly properties: Map<string, Json>;
  /** By the type they point at, then by the uuid of the target. */
  readonly refs: Map<string, Map<string, Link>>;
  perms2: Members;
  /** The part of `id_perms` that says who made it; absent: the cloud's administrator. */
  permissions?: Members;
  description: Json;
  /** Neutron's admin state; absent: up. */
  enable?: boolean;
  /** Milliseconds since 1970, for those who compare ages. */
  readonly createdAt: number;
  readonly created: string;
  lastModified: string;
}

export interface Change {
  readonly type: string;
  readonly uuid: string;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
}

/** A copy of everything that is stored. */
export interface Snapshot {
  readonly entities: readonly Entity[];
  readonly userAgents: readonly (readonly [string, Json])[];
  readonly addresses: readonly (readonly [string, readonly (readonly [string, string])[]])[];
}

/** The objects, with an index for every question that is asked of them. */
export class Database {
  readonly #byUuid = new Map<string, Entity>();
  readonly #byName = new Map<string, string>();
  readonly #byType = new Map<string, Map<string, Entity>>();
  /** Parent, type of the children, their uuids. */
  readonly #children = new Map<string, Map<string, Set<string>>>();
  /** Target, type of those who refer to it, their uuids. */
  readonly #referrers = new Map<string, Map<string, Set<string>>>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly userAgents = new Map<string, Json>();
  /** By network: who has the address. */
  readonly addresses = new Map<string, Map<string, string>>();
  #clock = 0;

  get(uuid: string): Entity | undefined {
    return this.#byUuid.get(uuid);
  }

  typed(type: string, uuid: string): Entity | undefined {
    const entity = this.#byUuid.get(uuid);
    return entity?.type === type ? entity : undefined;
  }

  named(type: string, fqName: readonly string[]): Entity | undefined {
    const uuid = this.#byName.get(nameKey(type, fqName));
    return uuid === undefined ? undefined : this.#byUuid.get(uuid);
  }

  all(type: string): IterableIterator<Entity> {
    return (this.#byType.get(type) ?? new Map<string, Entity>()).values();
  }

  types(): IterableIterator<[string, Map<string, Entity>]> {
    return this.#byType.entries();
  }

  childrenOf(uuid: string): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#children.get(uuid) ?? new Map();
  }

  referrersOf(uuid: string): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#referrers.get(uuid) ?? new Map();
  }

  /** The uuids of objects of that type that refer to the target. */
  referrers(uuid: string, type: string): readonly string[] {
    return [...(this.referrersOf(uuid).get(type) ?? [])];
  }

  /** A time stamp later than every one before it. */
  stamp(): string {
    this.#clock = Math.max(this.#clock + 1, Date.now() * 1_000);
    const micro = String(this.#clock % 1_000_000).padStart(6, '0');
    return `${new Date(Math.floor(this.#clock / 1_000)).toISOString().slice(0, 19)}.${micro}`;
  }

  insert(entity: Entity): void {
    this.#index(entity);
    this.#tell(entity, 'CREATE');
  }

  touch(entity: Entity): void {
    entity.lastModified = this.stamp();
    this.#tell(entity, 'UPDATE');
  }

  link(entity: Entity, refType: string, uuid: string, link: Link): void {
    const links = entity.refs.get(refType) ?? new Map<string, Link>();
    links.set(uuid, link);
    entity.refs.set(refType, links);
    addTo(this.#referrers, uuid, entity);
  }

  unlink(entity: Entity, refType: string, uuid: string): void {
    const links = entity.refs.get(refType);
    if (!links?.delete(uuid)) return;
    if (links.size === 0) entity.refs.delete(refType);
    const stillThere = [...entity.refs.values()].some((others) => others.has(uuid));
    if (!stillThere) removeFrom(this.#referrers, uuid, entity);
  }

  /** Takes the object, its own links, and the relaxed links of others to it. */
  remove(entity: Entity): void {
    for (const [refType, links] of [...entity.refs]) {
      for (const uuid of [...links.keys()]) this.unlink(entity, refType, uuid);
    }
    const holders = [...this.referrersOf(entity.uuid).values()].flatMap((uuids) => [...uuids]);
    for (const uuid of holders) {
      const holder = this.#byUuid.get(uuid);
      if (holder) this.unlink(holder, entity.type, entity.uuid);
    }
    this.#byUuid.delete(entity.uuid);
    this.#byName.delete(nameKey(entity.type, entity.fqName));
    this.#byType.get(entity.type)?.delete(entity.uuid);
    if (entity.parent) removeFrom(this.#children, entity.parent.uuid, entity);
    this.#tell(entity, 'DELETE');
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  snapshot(): Snapshot {
    return structuredClone({
      entities: [...this.#byUuid.values()],
      userAgents: [...this.userAgents],
      addresses: [...this.addresses].map(([network, book]) => [network, [...book]] as const),
    });
  }

  /** Everything is as it was when the snapshot was taken; listeners are told object by object. */
  restore(snapshot: Snapshot): void {
    const { entities, userAgents, addresses } = structuredClone(snapshot);
    const before = [...this.#byUuid.values()];
    for (const index of [this.#byUuid, this.#byName, this.#byType, this.#children, this.#referrers]) index.clear();
    this.userAgents.clear();
    this.addresses.clear();
    for (const [key, value] of userAgents) this.userAgents.set(key, value);
    for (const [network, book] of addresses) this.addresses.set(network, new Map(book));
    for (const entity of entities) this.#index(entity);
    const known = new Set(before.map(({ uuid }) => uuid));
    for (const entity of before) if (!this.#byUuid.has(entity.uuid)) this.#tell(entity, 'DELETE');
    for (const entity of entities) this.#tell(entity, known.has(entity.uuid) ? 'UPDATE' : 'CREATE');
  }

  #index(entity: Entity): void {
    this.#byUuid.set(entity.uuid, entity);
    this.#byName.set(nameKey(entity.type, entity.fqName), entity.uuid);
    const ofType = this.#byType.get(entity.type) ?? new Map<string, Entity>();
    ofType.set(entity.uuid, entity);
    this.#byType.set(entity.type, ofType);
    if (entity.parent) addTo(this.#children, entity.parent.uuid, entity);
    for (const links of entity.refs.values()) {
      for (const uuid of links.keys()) addTo(this.#referrers, uuid, entity);
    }
  }

  #tell({ type, uuid }: Entity, operation: Change['operation']): void {
    for (const listener of [...this.#listeners]) listener({ type, uuid, operation });
  }
}

type Index = Map<string, Map<string, Set<string>>>;

function addTo(index: Index, key: string, { type, uuid }: Entity): void {
  const byType = index.get(key) ?? new Map<string, Set<string>>();
  const uuids = byType.get(type) ?? new Set<string>();
  uuids.add(uuid);
  byType.set(type, uuids);
  index.set(key, byType);
}

function removeFrom(index: Index, key: string, { type, uuid }: Entity): void {
  const byType = index.get(key);
  const uuids = byType?.get(type);
  uuids?.delete(uuid);
  if (uuids?.size === 0) byType?.delete(type);
  if (byType?.size === 0) index.delete(key);
}

function nameKey(type: string, fqName: readonly string[]): string {
  return `${type} ${fqName.join(':')}`;
}
