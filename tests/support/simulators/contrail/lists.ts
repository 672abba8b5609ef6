import type { Database, Entity } from './database';
import { badRequest } from './fault';
import type { Json, Members } from './json';
import { type Shape, showEntity, showListed } from './view';

/** The questions of a list, from a query or from the body of a bulk list. */
export type Question = (name: string) => string | undefined;

/** Objects of a type, as GET of the collection and `list-bulk-collection` answer them. */
export function listObjects(db: Database, type: string, ask: Question, base: string): Members {
  const found = [...candidates(db, type, ask)].filter(filterOf(ask('filters')));
  const collection = `${type}s`;
  if (ask('count') === 'true') return { [collection]: { count: found.length } };
  const { page, marker } = paged(found, ask);
  const fields = ask('fields')?.split(',');
  const linked = ask('exclude_hrefs') === 'true' ? undefined : base;
  const shape: Shape = { base: linked, fields: fields && new Set(fields), children: false, backRefs: false };
  const detailed: Shape = { ...shape, fields: undefined, extra: new Set(fields ?? []) };
  const items: Json[] =
    ask('detail') === 'true'
      ? page.map((entity) => ({ [type]: showEntity(db, entity, detailed) }))
      : page.map((entity) => showListed(db, entity, shape));
  return { [collection]: items, ...(marker === undefined ? {} : { marker }) };
}

/** Those that the question can mean, by the index that fits it. */
function* candidates(db: Database, type: string, ask: Question): Iterable<Entity> {
  const uuids = ask('obj_uuids')?.split(',');
  const names = ask('fq_names')?.split(',');
  const parents = parentsOf(db, ask);
  const targets = ask('back_ref_id')?.split(',');
  const fits = (entity: Entity | undefined): entity is Entity =>
    entity?.type === type &&
    (!uuids || uuids.includes(entity.uuid)) &&
    (!names || names.includes(entity.fqName.join(':'))) &&
    (!parents || parents.includes(entity.parent?.uuid ?? '')) &&
    (!targets || targets.some((uuid) => refersTo(entity, uuid)));
  for (const entity of pool(db, type, { uuids, names, parents, targets })) if (fits(entity)) yield entity;
}

interface Given {
  readonly uuids: readonly string[] | undefined;
  readonly names: readonly string[] | undefined;
  readonly parents: readonly string[] | undefined;
  readonly targets: readonly string[] | undefined;
}

function* pool(db: Database, type: string, given: Given): Iterable<Entity | undefined> {
  const { uuids, names, parents, targets } = given;
  if (uuids) for (const uuid of new Set(uuids)) yield db.get(uuid);
  else if (names) for (const name of new Set(names)) yield db.named(type, name.split(':'));
  else if (targets) {
    const holders = new Set(targets.flatMap((uuid) => db.referrers(uuid, type)));
    for (const uuid of holders) yield db.get(uuid);
  } else if (parents) {
    for (const parent of new Set(parents)) {
      for (const uuid of db.childrenOf(parent).get(type) ?? []) yield db.get(uuid);
    }
  } else yield* db.all(type);
}

function refersTo(entity: Entity, uuid: string): boolean {
  return [...entity.refs.values()].some((links) => links.has(uuid));
}

function parentsOf(db: Database, ask: Question): string[] | undefined {
  const ids = ask('parent_id');
  if (ids !== undefined) return ids.split(',');
  const name = ask('parent_fq_name_str');
  if (name === undefined) return undefined;
  const types = ask('parent_type') === undefined ? [...db.types()].map(([type]) => type) : [ask('parent_type') ?? ''];
  return types.flatMap((type) => db.named(type, name.split(':'))?.uuid ?? []);
}

/** `property==value` with commas between; the same property twice means either. */
function filterOf(text: string | undefined): (entity: Entity) => boolean {
  if (text === undefined) return () => true;
  const wanted = new Map<string, Json[]>();
  for (const part of text.split(',')) {
    const at = part.indexOf('==');
    if (at < 0) throw badRequest(`Invalid filter ${part}`);
    const property = part.slice(0, at);
    wanted.set(property, [...(wanted.get(property) ?? []), readValue(part.slice(at + 2))]);
  }
  return ({ properties }) =>
    [...wanted].every(([property, values]) => {
      const value = properties.get(property);
      return value === undefined ? !KNOWN.has(property) : values.some((one) => equal(one, value));
    });
}

/** Properties that an object without them does not match; others nobody knows are not looked at. */
const KNOWN = new Set([
  'port_security_enabled',
  'virtual_machine_interface_device_owner',
  'router_external',
  'is_shared',
  'floating_ip_address',
  'instance_ip_address',
  'display_name',
]);

function readValue(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function equal(one: Json, other: Json): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function paged(found: readonly Entity[], ask: Question): { page: readonly Entity[]; marker?: string | null } {
  const from = ask('page_marker');
  const limit = ask('page_limit');
  if (limit === undefined || from === undefined) return { page: found };
  if (!/^\d+$/.test(limit)) {
    throw badRequest(`Invalid page_limit ${limit}: invalid literal for int() with base 10: '${limit}'`);
  }
  const ordered = found.toSorted((one, other) => (one.uuid < other.uuid ? -1 : 1));
  const rest = from === 'None' ? ordered : ordered.filter(({ uuid }) => uuid > from);
  const page = rest.slice(0, Number(limit));
  return { page, marker: page.length === Number(limit) ? (page.at(-1)?.uuid ?? null) : null };
}
