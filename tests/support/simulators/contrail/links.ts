import { badRequest, notFound } from './fault';
import { type Json, type Members, memberOf, textOf } from './json';
import { repr } from './python';
import { rulesOf } from './rules/index';
import { TYPES } from './schema/types';
import type { Site } from './site';

/** `POST /ref-update`: one link added or taken away. */
export function updateReference(site: Site, body: Members): Members {
  const { db } = site;
  const parts = ['type', 'uuid', 'ref-type', 'operation'].map((name) => body[name] ?? null);
  if (parts.includes(null)) {
    throw badRequest(`Bad Request: type/uuid/ref-type/operation is null: ${parts.map(plain).join(', ')}.`);
  }
  const [type = '', uuid = '', refType = '', operation = ''] = parts.map(String);
  const from = typeNamed(type);
  const to = typeNamed(refType);
  const adds = operation.toUpperCase() === 'ADD';
  if (!adds && operation.toUpperCase() !== 'DELETE') {
    throw badRequest(`Bad Request: operation should be add or delete: ${operation}`);
  }
  const target = targetOf(site, to, body);
  const entity = db.typed(from, uuid);
  if (!entity) throw notFound(`Unknown id: ${uuid}`);
  if (adds && !db.get(target)) throw notFound(`Unknown id: ${target}`);
  // Whether the schema has such a link is not looked at: one that it has not is kept nowhere.
  if (!TYPES.get(from)?.refs.includes(to)) return { uuid };
  if (adds) {
    rulesOf(from).links?.(site, entity, to, [target]);
    const relaxed = body['relax_ref_for_delete'] === true;
    db.link(entity, to, target, { attr: body['attr'] ?? null, relaxed });
    db.touch(entity);
  } else if (entity.refs.get(to)?.has(target)) {
    db.unlink(entity, to, target);
    db.touch(entity);
  }
  return { uuid };
}

function targetOf({ db }: Site, refType: string, body: Members): string {
  const uuid = textOf(body['ref-uuid']);
  if (uuid !== undefined) return uuid;
  const name = body['ref-fq-name'];
  if (!Array.isArray(name)) throw badRequest('Bad Request: ref-uuid or ref-fq-name must be specified');
  const target = db.named(refType, name.map(String));
  if (!target) throw notFound(`Name ${repr(name)} not found`);
  return target.uuid;
}

function typeNamed(given: string): string {
  const type = given.replaceAll('_', '-');
  if (!TYPES.has(type)) throw notFound(`Resource type ${repr(given)} not found`);
  return type;
}

/** `POST /ref-relax-for-delete`: the target may go although the link is there. */
export function relaxReference({ db }: Site, body: Members): Members {
  const uuid = textOf(body['uuid']);
  const target = textOf(body['ref-uuid']);
  if (uuid === undefined || target === undefined) {
    throw badRequest(
      `Bad Request: Both uuid and ref-uuid should be specified: ${plain(body['uuid'])}, ${plain(body['ref-uuid'])}.`,
    );
  }
  for (const links of db.get(uuid)?.refs.values() ?? []) {
    const link = links.get(target);
    if (link) link.relaxed = true;
  }
  return { uuid };
}

function plain(value: Json | undefined): string {
  return typeof value === 'string' ? value : repr(memberOf({ value: value ?? null }, 'value'));
}
