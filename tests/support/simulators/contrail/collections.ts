import type { Entity } from './database';
import { badRequest, notFound } from './fault';
import { type Json, listOf, type Members, memberOf, textOf } from './json';
import type { Collection } from './schema/properties';
import { collectionOf } from './schema/types';
import type { Site } from './site';

/** `POST /prop-collection-update`: elements of list and map properties. */
export function updateCollections({ db }: Site, body: Members): void {
  const entity = entityOf({ db }, textOf(body['uuid']) ?? '');
  for (const update of listOf(body['updates'])) {
    const field = textOf(memberOf(update, 'field')) ?? '';
    const collection = requireCollection(entity, field);
    const elements = [...elementsOf(entity, field, collection)];
    const position = textOf(memberOf(update, 'position'));
    const value = memberOf(update, 'value');
    const operation = textOf(memberOf(update, 'operation')) ?? '';
    const changed =
      collection.is === 'map'
        ? changeMap(elements, operation, { position, value })
        : changeList(elements, operation, { position, value });
    entity.properties.set(field, { [collection.member]: changed });
  }
  db.touch(entity);
}

interface Element {
  readonly position: string | undefined;
  readonly value: Json;
}

function changeMap(elements: readonly Json[], operation: string, { position, value }: Element): Json[] {
  const key = position ?? textOf(memberOf(value, 'key')) ?? '';
  const others = elements.filter((element) => memberOf(element, 'key') !== key);
  if (operation === 'delete') return others;
  if (operation !== 'set') throw badRequest(`Unsupported operation ${operation}`);
  const at = elements.findIndex((element) => memberOf(element, 'key') === key);
  return at < 0 ? [...elements, value] : elements.with(at, value);
}

function changeList(elements: readonly Json[], operation: string, { position, value }: Element): Json[] {
  const at = position === undefined ? -1 : Number(position);
  if (operation === 'add') return [...elements, value];
  if (operation === 'modify' && at in elements) return elements.with(at, value);
  if (operation === 'delete') return elements.filter((_, index) => index !== at);
  throw badRequest(`Unsupported operation ${operation}`);
}

/** `GET /prop-collection-get`: the elements with their positions. */
export function readCollections({ db }: Site, query: URLSearchParams): Members {
  const entity = entityOf({ db }, query.get('uuid') ?? '');
  const wanted = query.get('position');
  const fields = (query.get('fields') ?? '').split(',').filter((field) => field !== '');
  return Object.fromEntries(
    fields.map((field) => {
      const collection = requireCollection(entity, field);
      const all = elementsOf(entity, field, collection).map((element, index) => {
        return [element, collection.is === 'map' ? String(memberOf(element, 'key')) : String(index)];
      });
      return [field, all.filter(([, position]) => wanted === null || position === wanted)];
    }),
  );
}

function entityOf({ db }: Pick<Site, 'db'>, uuid: string): Entity {
  const entity = db.get(uuid);
  if (!entity) throw notFound(`Unknown id: ${uuid}`);
  return entity;
}

function requireCollection({ type }: Entity, field: string): Collection {
  const collection = collectionOf(type, field);
  if (collection) return collection;
  throw badRequest(`Unknown/invalid field ${field}: it is neither "ListProperty" nor "MapProperty"`);
}

function elementsOf(entity: Entity, field: string, { member }: Collection): readonly Json[] {
  return listOf(memberOf(entity.properties.get(field), member));
}
