import { allocateAddresses, countAddresses, freeAddresses, keepUserAgent, nameOfUuid, uuidOfName } from './actions';
import type { Answer, Call, CallDeps } from './call';
import { readCollections, updateCollections } from './collections';
import { crash, Fault, notFound } from './fault';
import { isMembers, type Json, type Members, textOf } from './json';
import { relaxReference, updateReference } from './links';
import { listObjects } from './lists';
import { answerNeutron } from './neutron/backend';
import { syncProject, syncProjectNamed } from './projects';
import { createObject, deleteObject, updateObject } from './resources';
import { TYPES } from './schema/types';
import type { Site } from './site';
import { hrefOf, nameOf, showEntity } from './view';

const EMPTY: Answer = {};

export async function answerCall(deps: CallDeps, call: Call): Promise<Answer> {
  const { method, path } = call;
  const [, first = '', second, third, ...rest] = path.split('/');
  if (path === '/') return { body: rootDocument(call.caller.base) };
  if (first === 'neutron' && second !== undefined && third === undefined) {
    only(method, 'POST');
    return answerNeutron(deps, second, call);
  }
  if (second === undefined && ACTIONS[first]) return ACTIONS[first](deps, call);
  if (rest.length > 0) throw notFound(`Not found: '${path}'`);
  const type = first.endsWith('s') && TYPES.has(first.slice(0, -1)) ? first.slice(0, -1) : undefined;
  if (type !== undefined && second === undefined) return answerCollection(deps, type, call);
  if (!TYPES.has(first) || !second) throw notFound(`Not found: '${path}'`);
  if (third !== undefined) return answerNetworkAction(deps, { first, uuid: second, action: third }, call);
  return answerObject(deps, { type: first, uuid: second }, call);
}

function only(method: string, ...allowed: readonly string[]): void {
  if (!allowed.includes(method)) throw new Fault(405, 'Method not allowed.');
}

function bodyOf({ body }: Call): Members {
  if (!isMembers(body)) throw crash();
  return body;
}

type Action = (deps: CallDeps, call: Call) => Answer | Promise<Answer>;

function post(act: (deps: CallDeps, body: Members, call: Call) => Json | undefined): Action {
  return (deps, call) => {
    only(call.method, 'POST');
    const answer = act(deps, bodyOf(call), call);
    return answer === undefined ? EMPTY : { body: answer };
  };
}

const ACTIONS: Readonly<Record<string, Action>> = {
  'fqname-to-id': async ({ site, keystone }, call) => {
    only(call.method, 'POST');
    const body = bodyOf(call);
    const name = body['fq_name'];
    if (body['type'] === 'project' && Array.isArray(name))
      await syncProjectNamed(site, keystone, { name: String(name.at(-1)), caller: call.caller });
    return { body: uuidOfName(site, body) };
  },
  'id-to-fqname': post(({ site }, body) => nameOfUuid(site, body)),
  'ref-update': post(({ site }, body) => updateReference(site, body)),
  'ref-relax-for-delete': post(({ site }, body) => relaxReference(site, body)),
  'useragent-kv': post(({ site }, body) => keepUserAgent(site, body)),
  'prop-collection-update': post(({ site }, body) => {
    updateCollections(site, body);
    return undefined;
  }),
  'prop-collection-get': ({ site }, { method, query }) => {
    only(method, 'GET');
    return { body: readCollections(site, query) };
  },
  'list-bulk-collection': post(({ site }, body, { caller }) => {
    const type = (textOf(body['type']) ?? '').replaceAll('_', '-');
    if (!TYPES.has(type)) throw notFound(`Resource type '${type}' not found`);
    const ask = (name: string): string | undefined => {
      const value = body[name];
      return value === undefined || value === null ? undefined : String(value);
    };
    return listObjects(site.db, type, ask, caller.base);
  }),
};

function rootDocument(base: string): Json {
  const link = (rel: string, name: string, path: string, method: string | null): Json => ({
    link: { rel, href: `${base}/${path}`, name, method },
  });
  const types = [...TYPES.keys()];
  return {
    href: base,
    links: [
      link('root', 'config-root', '', null),
      ...types.map((type) => link('collection', type, `${type}s`, null)),
      ...types.map((type) => link('resource-base', type, type, null)),
      ...Object.keys(ACTIONS).map((name) =>
        link('action', name, name, name === 'prop-collection-get' ? 'GET' : 'POST'),
      ),
    ],
  };
}

function answerCollection({ site }: CallDeps, type: string, call: Call): Answer {
  const { method, query, caller } = call;
  only(method, 'GET', 'POST');
  if (method === 'GET')
    return { body: listObjects(site.db, type, (name) => query.get(name) ?? undefined, caller.base) };
  const members = bodyOf(call)[type];
  if (!isMembers(members)) throw crash();
  const { uuid, fqName, parent, ...entity } = createObject(site, type, members, caller);
  const name = nameOf({ uuid, fqName, parent, ...entity });
  const made = { name, fq_name: fqName, uuid, href: hrefOf(caller.base, type, uuid) };
  const about = parent && {
    parent_type: parent.type,
    parent_uuid: parent.uuid,
    parent_href: hrefOf(caller.base, parent.type, parent.uuid),
  };
  return { body: { [type]: { ...made, ...about } } };
}

async function answerObject(
  deps: CallDeps,
  { type, uuid }: { type: string; uuid: string },
  call: Call,
): Promise<Answer> {
  const { site } = deps;
  const { db } = site;
  only(call.method, 'GET', 'PUT', 'DELETE');
  if (call.method === 'DELETE') {
    const entity = db.get(uuid);
    if (!entity) throw notFound(`ID ${uuid} does not exist`);
    if (entity.type !== type) throw notFound(`No ${type} object found for id ${uuid}`);
    deleteObject(site, entity, call.caller);
    return EMPTY;
  }
  if (call.method === 'PUT') return changeObject(site, { type, uuid }, call);
  if (type === 'project') await syncProject(site, deps.keystone, { id: uuid, caller: call.caller });
  const entity = db.get(uuid);
  if (!entity) throw notFound(`Unknown id: ${uuid}`);
  if (entity.type !== type) throw notFound(`No ${type} object found for id ${uuid}`);
  const headers = { ETag: `"${entity.lastModified}"` };
  if (call.ifNoneMatch === headers.ETag) return { status: 304, headers };
  return { body: { [type]: showEntity(db, entity, shapeOf(call)) }, headers };
}

function shapeOf({ query, caller }: Call) {
  const fields = query.get('fields');
  const without = (name: string): boolean => query.get(name)?.toLowerCase() === 'true';
  return {
    base: without('exclude_hrefs') ? undefined : caller.base,
    fields: fields === null ? undefined : new Set(fields.split(',')),
    children: !without('exclude_children'),
    backRefs: !without('exclude_back_refs'),
  };
}

function changeObject(site: Site, { type, uuid }: { type: string; uuid: string }, call: Call): Answer {
  const { body = {} } = call;
  if (!isMembers(body)) throw crash();
  if (Object.keys(body).length === 0) return EMPTY;
  const members = body[type];
  if (!isMembers(members)) throw crash();
  if (Object.keys(members).length === 0) return EMPTY;
  const entity = site.db.typed(type, uuid);
  if (!entity) throw notFound(`Unknown id: ${uuid}`);
  updateObject(site, entity, members);
  return { body: { [type]: { uuid, href: hrefOf(call.caller.base, type, uuid) } } };
}

function answerNetworkAction(
  { site }: CallDeps,
  { first, uuid, action }: { first: string; uuid: string; action: string },
  call: Call,
): Answer {
  const known = ['ip-alloc', 'ip-free', 'subnet-ip-count'];
  if (first !== 'virtual-network' || !known.includes(action)) throw notFound(`Not found: '${call.path}'`);
  only(call.method, 'POST');
  const body = bodyOf(call);
  if (action === 'ip-alloc') return { body: allocateAddresses(site, uuid, body) };
  if (action === 'subnet-ip-count') return { body: countAddresses(site, uuid, body) };
  freeAddresses(site, uuid, body);
  return EMPTY;
}
