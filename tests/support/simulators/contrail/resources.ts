import type { Entity, Link } from './database';
import { badRequest, conflict, crash, Fault, notFound, page } from './fault';
import { isMembers, type Json, listOf, type Members, memberOf, textOf } from './json';
import { pretty, repr } from './python';
import { rulesOf } from './rules/index';
import type { ChangeSet } from './rules/rules';
import { collectionOf, kindOf, memberName, type ObjectType, TYPES } from './schema/types';
import { PERMISSIONS, permissionsOf, type Site } from './site';
import { readAttribute, readProperty } from './validate';
import { hrefOf } from './view';

/** Who asks, and how links are written for them. */
export interface Caller {
  /** Owner of what has no parent. */
  readonly owner: string;
  /** What `id_perms` says of them; absent: the cloud's administrator. */
  readonly permissions?: Members;
  readonly base: string;
}

type Given = Readonly<Record<string, Json>>;

/** Makes an object of the members of a body. */
export function createObject(site: Site, type: string, members: Given, caller: Caller): Entity {
  const { db } = site;
  const about = typeOf(type);
  const uuid = readUuid(site, members['uuid']);
  const fqName = readName(members);
  const properties = readProperties(type, members, 'create');
  checkAttributes(about, members, 'create');
  const parent = findParent(site, about, fqName, members);
  const rules = rulesOf(type);
  rules.body?.(members);
  refuseDoubles(site, type, uuid, fqName);
  if (parent) refuseOverQuota(site, type, parent);
  const owner = parent ? String(parent.perms2['owner']) : caller.owner;
  const perms2 = { ...permissionsOf(owner), ...(isMembers(members['perms2']) ? members['perms2'] : {}) };
  const displayName = textOf(members['display_name']) ?? fqName.at(-1) ?? '';
  const at = db.stamp();
  const draft: Entity = {
    ...{ type, uuid, fqName, perms2 },
    parent: parent ? { type: parent.type, uuid: parent.uuid } : null,
    properties: new Map([...properties, ['display_name', displayName]]),
    refs: newRefs(site, about, { members, perms2, displayName, parent }),
    description: memberOf(members['id_perms'], 'description'),
    ...(caller.permissions && { permissions: caller.permissions }),
    ...{ createdAt: site.now(), created: at, lastModified: at },
  };
  for (const [refType, links] of draft.refs) rules.links?.(site, draft, refType, [...links.keys()]);
  rules.check?.(site, draft);
  db.insert(draft);
  rules.made?.(site, draft);
  return draft;
}

/** Changes an object; false if the body held nothing to change. */
export function updateObject(site: Site, entity: Entity, members: Given): void {
  const { db } = site;
  const about = typeOf(entity.type);
  const properties = readProperties(entity.type, members, 'http_put');
  checkAttributes(about, members, 'http_put');
  const change: ChangeSet = { properties, refs: changedRefs(site, entity, about, members) };
  const rules = rulesOf(entity.type);
  for (const [refType, links] of change.refs) rules.links?.(site, entity, refType, [...links.keys()]);
  rules.change?.(site, entity, change);
  if (isMembers(members['perms2'])) entity.perms2 = { ...entity.perms2, ...members['perms2'] };
  const description = memberOf(members['id_perms'], 'description');
  if (description !== null) entity.description = description;
  let emptied = false;
  for (const [name, value] of properties) {
    if (value !== null) entity.properties.set(name, value);
    else entity.properties.delete(name);
    emptied ||= value === null && collectionOf(entity.type, name) !== undefined;
  }
  for (const [refType, links] of change.refs) replaceLinks(site, entity, refType, links);
  db.touch(entity);
  // The real server removes the property first, and fails when it turns to the elements.
  if (emptied) throw crash("TypeError: 'NoneType' object is not iterable");
}

export function deleteObject(site: Site, entity: Entity, { base }: Pick<Caller, 'base'>): void {
  const { db } = site;
  const rules = rulesOf(entity.type);
  for (const [type, uuids] of db.childrenOf(entity.uuid)) {
    const holding = [...uuids].filter((uuid) => !rules.ownsChild?.(db.get(uuid) ?? entity));
    if (holding.length > 0) throw held('Delete when children still present', type, holding, base);
  }
  for (const [type, uuids] of db.referrersOf(entity.uuid)) {
    const holding = [...uuids].filter((uuid) => !db.get(uuid)?.refs.get(entity.type)?.get(entity.uuid)?.relaxed);
    if (holding.length > 0) throw held('Delete when resource still referred', type, holding, base);
  }
  rules.leave?.(site, entity);
  db.remove(entity);
}

function held(what: string, type: string, uuids: readonly string[], base: string): Fault {
  return conflict(`${what}: ${repr(uuids.map((uuid) => hrefOf(base, type, uuid)))}`);
}

function typeOf(type: string): ObjectType {
  const about = TYPES.get(type);
  if (!about) throw notFound(`Resource type ${repr(type)} not found`);
  return about;
}

function readUuid({ newUuid }: Site, given: Json | undefined): string {
  if (given === undefined || given === null) return newUuid();
  const text = String(given);
  if (!/^[0-9a-f]{32}$/i.test(text.replaceAll('-', ''))) throw crash();
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) throw badRequest(`Invalid UUID format: ${text}`);
  return text;
}

function readName(members: Given): string[] {
  const given = members['fq_name'];
  if (given === undefined || given === null || listLength(given) === 0) {
    throw badRequest('Bad Request, no fq_name in POST body');
  }
  if (!Array.isArray(given)) {
    const parent = textOf(members['parent_type']) ?? 'None';
    throw badRequest(`Invalid fq-name for object with parent_type ${parent}: ${String(given)}`);
  }
  const name = given.map(String);
  if (name.at(-1)?.includes(':')) throw badRequest("Bad Request, name has one of invalid chars {':'}");
  return name;
}

function listLength(value: Json): number {
  return Array.isArray(value) || typeof value === 'string' ? value.length : 1;
}

function readProperties(type: string, members: Given, phase: string): Map<string, Json> {
  const read = new Map<string, Json>();
  for (const [name, value] of Object.entries(members)) {
    const kind = kindOf(type, name);
    if (!kind) continue;
    try {
      const property = readProperty(name, kind, value);
      if (property !== null || phase !== 'create') read.set(name, property);
    } catch (error) {
      throw error instanceof Fault ? error : badRequest(`Bad property in ${phase}: ${(error as Error).message}`);
    }
  }
  return read;
}

function checkAttributes({ refs }: ObjectType, members: Given, phase: string): void {
  for (const refType of refs) {
    for (const reference of listOf(members[`${memberName(refType)}_refs`])) {
      try {
        readAttribute(refType, reference, memberOf(reference, 'attr'));
      } catch (error) {
        throw badRequest(`Bad reference in ${phase}: ${(error as Error).message}`);
      }
    }
  }
}

function findParent(
  { db }: Site,
  { parents }: ObjectType,
  fqName: readonly string[],
  members: Given,
): Entity | undefined {
  const parentType = textOf(members['parent_type']);
  if (parents.length === 0 || parents[0] === 'config-root') {
    if (parentType === undefined || parents.length > 0) return undefined;
  }
  if (parentType === undefined) {
    if (parents.length === 1) throw crash("KeyError: 'parent_uuid'");
    throw badRequest(`Missing parent type: None. Allowed types: ${repr(parents)}`);
  }
  if (!parents.includes(parentType)) {
    throw badRequest(`Invalid parent type: ${parentType}. Allowed types: ${repr(parents)}`);
  }
  const parent = db.named(parentType, fqName.slice(0, -1));
  if (!parent) throw notFound(`Name${repr(fqName.slice(0, -1))} not found`);
  return parent;
}

function refuseDoubles({ db }: Site, type: string, uuid: string, fqName: readonly string[]): void {
  const named = db.named(type, fqName);
  if (named) throw conflict(`${pretty(fqName)} already exists with uuid: ${named.uuid}`);
  const same = db.get(uuid);
  if (same) throw conflict(`${uuid} already exists with fq_name: ${pretty(same.fqName)}`);
}

function refuseOverQuota({ db }: Site, type: string, parent: Entity): void {
  const limit = memberOf(parent.properties.get('quota'), memberName(type));
  if (typeof limit !== 'number' || limit < 0) return;
  const there = db.childrenOf(parent.uuid).get(type)?.size ?? 0;
  if (there < limit) return;
  throw page(412, `${repr(parent.fqName)} : quota limit (${limit}) exceeded for resource ${memberName(type)}`);
}

interface Unfinished {
  readonly members: Given;
  readonly perms2: Members;
  readonly displayName: string;
  readonly parent: Entity | undefined;
}

/** The references of a new object: their names are what counts. */
function newRefs({ db }: Site, { refs }: ObjectType, unfinished: Unfinished): Map<string, Map<string, Link>> {
  const { members } = unfinished;
  const found = new Map<string, Map<string, Link>>();
  for (const refType of refs) {
    const links = new Map<string, Link>();
    for (const reference of listOf(members[`${memberName(refType)}_refs`])) {
      const to = memberOf(reference, 'to');
      if (!Array.isArray(to)) throw crash("KeyError: 'to'");
      const target = db.named(refType, to.map(String));
      if (!target) throw badRequest(`Unknown reference in resource create ${repr(asChecked(unfinished))}.`);
      links.set(target.uuid, toLink(refType, reference));
    }
    if (links.size > 0) found.set(refType, links);
  }
  return found;
}

/** The body as the server has completed it by the time it looks references up: the refusal shows it. */
function asChecked({ members, perms2, displayName, parent }: Unfinished): Members {
  const idPerms: Members = {
    ...{ permissions: PERMISSIONS, uuid: null, enable: true, created: null, last_modified: null, description: null },
    ...{ user_visible: true, creator: null },
  };
  const uuid = parent ? { parent_uuid: parent.uuid } : {};
  return { ...members, id_perms: idPerms, perms2, display_name: displayName, ...uuid };
}

/** References of a change: a uuid wins over a name, and is not even looked up. */
function changedRefs(
  { db }: Site,
  entity: Entity,
  { refs }: ObjectType,
  members: Given,
): Map<string, Map<string, Link>> {
  const changed = new Map<string, Map<string, Link>>();
  for (const refType of refs) {
    const given = members[`${memberName(refType)}_refs`];
    if (given === undefined) continue;
    const links = new Map<string, Link>();
    for (const reference of listOf(given)) {
      const to = listOf(memberOf(reference, 'to')).map(String);
      const uuid = textOf(memberOf(reference, 'uuid')) ?? db.named(refType, to)?.uuid;
      if (uuid === undefined) {
        throw badRequest(`Unknown reference in resource update ${memberName(entity.type)} ${repr(members)}.`);
      }
      const relaxed = entity.refs.get(refType)?.get(uuid)?.relaxed ?? false;
      links.set(uuid, { ...toLink(refType, reference), relaxed });
    }
    changed.set(refType, links);
  }
  return changed;
}

function toLink(refType: string, reference: Json): Link {
  return { attr: readAttribute(refType, reference, memberOf(reference, 'attr')), relaxed: false };
}

function replaceLinks({ db }: Site, entity: Entity, refType: string, links: ReadonlyMap<string, Link>): void {
  for (const uuid of [...(entity.refs.get(refType)?.keys() ?? [])]) {
    if (!links.has(uuid)) db.unlink(entity, refType, uuid);
  }
  for (const [uuid, link] of links) db.link(entity, refType, uuid, link);
}
