import type { Database, Entity } from './database';
import { bigInteger, type Json, listOf, type Members, memberOf } from './json';
import { collectionOf, memberName } from './schema/types';
import { PERMISSIONS } from './site';

/** How an object is shown. */
export interface Shape {
  /** Scheme, host and port for links; undefined: without links. */
  readonly base: string | undefined;
  /** Members asked for besides the ones that always are there; undefined: every property and reference. */
  readonly fields: ReadonlySet<string> | undefined;
  readonly children: boolean;
  readonly backRefs: boolean;
  /** Children and back references shown besides everything else. */
  readonly extra?: ReadonlySet<string>;
}

export function hrefOf(base: string, type: string, uuid: string): string {
  return `${base}/${type}/${uuid}`;
}

/** A single object, as GET answers it. */
export function showEntity(db: Database, entity: Entity, shape: Shape): Members {
  return { ...identity(entity), ...permissions(entity), ...details(db, entity, shape), ...hrefs(entity, shape.base) };
}

/** An object of a list: less, unless fields are asked for. */
export function showListed(db: Database, entity: Entity, shape: Shape): Members {
  const { type, uuid, fqName, parent } = entity;
  const href = shape.base === undefined ? {} : { href: hrefOf(shape.base, type, uuid) };
  const plain = { uuid, fq_name: fqName, ...href };
  if (shape.fields === undefined) return plain;
  const about = parent ? { parent_type: parent.type, parent_uuid: parent.uuid } : {};
  const { fields } = shape;
  const asked = Object.fromEntries(Object.entries(permissions(entity)).filter(([name]) => fields.has(name)));
  const name = fields.has('name') ? { name: nameOf(entity) } : {};
  return { ...plain, ...about, ...name, ...asked, ...details(db, entity, shape) };
}

export function nameOf({ fqName }: Entity): string {
  return fqName.at(-1) ?? '';
}

function identity(entity: Entity): Members {
  const { uuid, fqName, parent } = entity;
  const about = parent ? { parent_type: parent.type, parent_uuid: parent.uuid } : {};
  return { uuid, name: nameOf(entity), fq_name: fqName, ...about };
}

function hrefs({ type, uuid, parent }: Entity, base: string | undefined): Members {
  if (base === undefined) return {};
  const href = hrefOf(base, type, uuid);
  return parent ? { href, parent_href: hrefOf(base, parent.type, parent.uuid) } : { href };
}

function permissions({
  uuid,
  created,
  lastModified,
  description,
  perms2,
  enable = true,
  permissions: made = PERMISSIONS,
}: Entity): Members {
  const hex = uuid.replaceAll('-', '');
  return {
    id_perms: {
      enable,
      description,
      created,
      creator: null,
      uuid: {
        uuid_mslong: bigInteger(BigInt(`0x${hex.slice(0, 16)}`)),
        uuid_lslong: bigInteger(BigInt(`0x${hex.slice(16)}`)),
      },
      user_visible: true,
      last_modified: lastModified,
      permissions: made,
    },
    perms2,
  };
}

function details(db: Database, entity: Entity, shape: Shape): Members {
  const { fields, base } = shape;
  const wanted = (name: string): boolean => fields === undefined || fields.has(name);
  const shown: Record<string, Json> = {};
  for (const [name, value] of entity.properties) {
    if (wanted(name) && !isEmptyCollection(entity.type, name, value)) shown[name] = value;
  }
  for (const [refType, links] of entity.refs) {
    const name = `${memberName(refType)}_refs`;
    if (!wanted(name)) continue;
    shown[name] = [...links].map(([uuid, { attr }]) => ({
      to: db.get(uuid)?.fqName ?? ['ERROR'],
      attr,
      uuid,
      ...(base === undefined ? {} : { href: hrefOf(base, refType, uuid) }),
    }));
  }
  for (const [type, uuids] of db.childrenOf(entity.uuid)) {
    const name = `${memberName(type)}s`;
    if (isShown(shape, name, shape.children)) shown[name] = showOthers(db, uuids, type, base);
  }
  for (const [type, uuids] of db.referrersOf(entity.uuid)) {
    const name = `${memberName(type)}_back_refs`;
    if (!isShown(shape, name, shape.backRefs)) continue;
    shown[name] = showOthers(db, uuids, type, base).map((item) => {
      const attr = db.get(String(item['uuid']))?.refs.get(entity.type)?.get(entity.uuid)?.attr ?? null;
      return { ...item, attr };
    });
  }
  return shown;
}

function isShown({ fields, extra }: Shape, name: string, usually: boolean): boolean {
  return fields === undefined ? usually || (extra?.has(name) ?? false) : fields.has(name);
}

function showOthers(db: Database, uuids: ReadonlySet<string>, type: string, base: string | undefined): Members[] {
  return [...uuids].map((uuid) => ({
    to: db.get(uuid)?.fqName ?? ['ERROR'],
    uuid,
    ...(base === undefined ? {} : { href: hrefOf(base, type, uuid) }),
  }));
}

/** What is kept element by element is not there at all without elements. */
function isEmptyCollection(type: string, property: string, value: Json): boolean {
  const collection = collectionOf(type, property);
  return collection !== undefined && listOf(memberOf(value, collection.member)).length === 0;
}
