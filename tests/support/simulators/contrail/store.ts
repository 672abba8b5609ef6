import type { Database, Entity } from './database';
import type { Json } from './json';

/** An object of the configuration, as those see it who do not come through the API. */
export interface ContrailObject {
  readonly type: string;
  readonly uuid: string;
  readonly name: string;
  readonly fqName: readonly string[];
  readonly parentType: string | undefined;
  readonly parentUuid: string | undefined;
  readonly properties: Readonly<Record<string, Json>>;
  /** By the type they point at (`virtual-machine`). */
  readonly refs: Readonly<Record<string, readonly ContrailLink[]>>;
  readonly createdAt: number;
}

/** A reference, with its target if there is one: a dangling one has none. */
export interface ContrailLink {
  readonly uuid: string;
  readonly attr: Json;
}

export interface ContrailChange {
  readonly type: string;
  readonly uuid: string;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
}

/** What is stored, for assertions and for a forwarding plane that is driven by it. */
export interface ContrailStore {
  get(type: string, uuid: string): ContrailObject | undefined;
  named(type: string, fqName: readonly string[]): ContrailObject | undefined;
  list(type: string): readonly ContrailObject[];
  /** Objects of the type that refer to the one with this uuid. */
  referrers(uuid: string, type: string): readonly ContrailObject[];
  children(uuid: string, type: string): readonly ContrailObject[];
  /** Told at once, within the call that changed it. Gives what ends it. */
  onChange(listener: (change: ContrailChange) => void): () => void;
  /** Objects by type; types without any are left out. */
  count(): Record<string, number>;
}

export function createStore(db: Database): ContrailStore {
  const present = (entity: Entity | undefined): ContrailObject[] => (entity ? [toObject(entity)] : []);
  return {
    get: (type, uuid) => present(db.typed(type, uuid))[0],
    named: (type, fqName) => present(db.named(type, fqName))[0],
    list: (type) => [...db.all(type)].map(toObject),
    referrers: (uuid, type) => db.referrers(uuid, type).flatMap((one) => present(db.get(one))),
    children: (uuid, type) => [...(db.childrenOf(uuid).get(type) ?? [])].flatMap((one) => present(db.get(one))),
    onChange: (listener) => db.onChange(listener),
    count: () =>
      Object.fromEntries([...db.types()].filter(([, all]) => all.size > 0).map(([type, all]) => [type, all.size])),
  };
}

function toObject(entity: Entity): ContrailObject {
  const { type, uuid, fqName, parent, properties, refs, createdAt } = entity;
  return {
    ...{ type, uuid, fqName, createdAt, name: fqName.at(-1) ?? '' },
    parentType: parent?.type,
    parentUuid: parent?.uuid,
    properties: Object.fromEntries(properties),
    refs: Object.fromEntries(
      [...refs].map(([refType, links]) => [refType, [...links].map(([target, { attr }]) => ({ uuid: target, attr }))]),
    ),
  };
}
