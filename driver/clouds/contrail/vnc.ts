import { z } from 'zod';
import { PassedThroughError, UnavailableError } from '../../domain/errors';
import { clip, type VncAnswer, type VncCall } from './send';
import type { VncService } from './service';

/** What the configuration API refuses, with its status and text. */
export class VncRefusal extends PassedThroughError {
  constructor(status: number, message: string) {
    super(status, `Contrail: ${message}`);
  }
}

/** The service's user may not do what it has to. */
export class MissingRoleError extends VncRefusal {
  constructor(role: string, said: string) {
    const words = said === '' ? '' : ` (${said})`;
    super(
      403,
      `it refuses this service with 403${words}: its user needs the role of cloud admins, ` +
        `"${role}" ([contrail] cloud_admin_role), in its project`,
    );
  }
}

export type FqName = readonly string[];
export const FqName = z.array(z.string());

/** An object as the API reads: references and properties under their names there. */
export const VncObject = z.looseObject({ uuid: z.string(), fq_name: FqName });
export type VncObject = z.infer<typeof VncObject>;

/** What an object is asked for. Nothing is read that is not named: back references and children may be thousands. */
export interface Fields {
  readonly fields: readonly string[];
}

/** One link of an object; `type` is the one whose `<ref>_refs` it is in. */
export interface Link {
  readonly type: string;
  readonly id: string;
  readonly refType: string;
  readonly refId: string;
}

/** The calls of the API with their conventions; names of types have dashes. */
export interface Vnc {
  /** Undefined for one that is not there. */
  read(type: string, id: string, wanted: Fields): Promise<VncObject | undefined>;
  /** By ids, or by what they refer to. Unknown ones are left out. */
  list(type: string, by: ListBy, wanted: Fields): Promise<VncObject[]>;
  /** Gives the id: of the one that is there already if its name is taken. */
  create(type: string, object: NewObject): Promise<{ readonly id: string; readonly made: boolean }>;
  /** Changes the given members alone. False: it is not there. */
  update(type: string, id: string, members: Readonly<Record<string, unknown>>): Promise<boolean>;
  /** What is not there counts as deleted. @throws VncRefusal with 409 while it is referred to */
  remove(type: string, id: string): Promise<void>;
  /** Sets one link, whatever others are there. False: one of the two objects is not there. */
  link(link: Link): Promise<boolean>;
  /** What is not linked, or not there, counts as unlinked. */
  unlink(link: Link): Promise<void>;
  /** Sets one annotation and keeps the others. */
  annotate(id: string, key: string, value: string): Promise<void>;
}

export type ListBy = { readonly ids: readonly string[] } | { readonly refersTo: readonly string[] } | 'all';

/** To be made: always with its parent's type, which the API does not do without. */
export interface NewObject {
  readonly id: string;
  readonly fqName: FqName;
  readonly parentType: string;
  readonly members: Readonly<Record<string, unknown>>;
}

/** Ids that still fit in a query. */
const IDS_OF_QUERY = 40;

/** @param role named where it is lacking */
export function createVnc(service: VncService, role: string): Vnc {
  const ask = async (call: VncCall): Promise<VncAnswer> => {
    const answer = await service.call(call);
    if (answer.status === 403) throw new MissingRoleError(role, clip(answer.text));
    return answer;
  };
  const ok = async (call: VncCall): Promise<unknown> => accepted(await ask(call)).body;
  return {
    async read(type, id, wanted) {
      const answer = await ask({ method: 'GET', path: `/${type}/${segment(id)}?${query(wanted)}` });
      return answer.status === 404 ? undefined : readObject(accepted(answer).body, type);
    },
    async list(type, by, wanted) {
      if (by !== 'all' && idsOf(by).length === 0) return [];
      return readList(await ok(listCall(type, by, wanted)), type);
    },
    create: (type, object) => create(ask, type, object),
    async update(type, id, members) {
      const answer = await ask({ method: 'PUT', path: `/${type}/${segment(id)}`, body: { [type]: members } });
      if (answer.status === 404) return false;
      accepted(answer);
      return true;
    },
    async remove(type, id) {
      const answer = await ask({ method: 'DELETE', path: `/${type}/${segment(id)}` });
      if (answer.status !== 404) accepted(answer);
    },
    async link(link) {
      const answer = await ask(refUpdate(link, 'ADD'));
      if (answer.status === 404) return false;
      accepted(answer);
      return true;
    },
    async unlink(link) {
      const answer = await ask(refUpdate(link, 'DELETE'));
      if (answer.status !== 404) accepted(answer);
    },
    async annotate(id, key, value) {
      const updates = [{ field: 'annotations', operation: 'set', position: key, value: { key, value } }];
      await ok({ method: 'POST', path: '/prop-collection-update', body: { uuid: id, updates }, harmless: true });
    },
  };
}

function refUpdate({ type, id, refType, refId }: Link, operation: 'ADD' | 'DELETE'): VncCall {
  const body = { type, uuid: id, 'ref-type': refType, 'ref-uuid': refId, operation, attr: null };
  return { method: 'POST', path: '/ref-update', body, harmless: true };
}

/** Of a name that is taken the text says the id. An id that is taken is of a call of ours that seemed lost, or a clash. */
async function create(
  ask: (call: VncCall) => Promise<VncAnswer>,
  type: string,
  { id, fqName, parentType, members }: NewObject,
): Promise<{ id: string; made: boolean }> {
  const body = { [type]: { uuid: id, fq_name: fqName, parent_type: parentType, ...members } };
  // Made twice is refused the second time.
  const answer = await ask({ method: 'POST', path: `/${type}s`, body, harmless: true });
  if (answer.status === 409) {
    const taken = TAKEN_NAME.exec(answer.text)?.[1];
    if (taken !== undefined) return { id: taken, made: false };
    if (answer.text.startsWith(`${id} already exists`) && answer.text.includes(`'${fqName.at(-1)}'`)) {
      return { id, made: false };
    }
  }
  return { id: readObject(accepted(answer).body, type).uuid, made: true };
}

/** `['default-domain', 'p', 'name'] already exists with uuid: <uuid>`, on several lines where it is long. */
const TAKEN_NAME = /already exists with uuid:\s*([0-9a-f-]{36})/;

function listCall(type: string, by: ListBy, wanted: Fields): VncCall {
  if (by === 'all') return { method: 'GET', path: `/${type}s?${query(wanted)}` };
  const [key, ids] = 'ids' in by ? ['obj_uuids', by.ids] : ['back_ref_id', by.refersTo];
  const list = ids.join(',');
  if (ids.length <= IDS_OF_QUERY) return { method: 'GET', path: `/${type}s?${key}=${list}&${query(wanted)}` };
  const body = { type, [key]: list, fields: wanted.fields.join(','), exclude_hrefs: true };
  return { method: 'POST', path: '/list-bulk-collection', body, harmless: true };
}

function idsOf(by: Exclude<ListBy, 'all'>): readonly string[] {
  return 'ids' in by ? by.ids : by.refersTo;
}

function query({ fields }: Fields): string {
  return `fields=${fields.join(',')}&exclude_hrefs=true`;
}

function segment(id: string): string {
  return encodeURIComponent(id);
}

function accepted(answer: VncAnswer): VncAnswer {
  if (answer.status < 400) return answer;
  const text = answer.text === '' ? JSON.stringify(answer.body ?? '') : answer.text;
  throw new VncRefusal(statusOf(answer.status, text), `${clip(withoutTags(text))} (${answer.status})`);
}

/** That a subnet is full is told as an error of the server. */
function statusOf(status: number, text: string): number {
  return status === 500 && text.includes('has exhausted subnet') ? 409 : status;
}

/** Some refusals are pages. */
function withoutTags(text: string): string {
  return /<pre>([\s\S]*?)<\/pre>/i.exec(text)?.[1] ?? text;
}

function readObject(body: unknown, type: string): VncObject {
  const wrapped = z.record(z.string(), z.unknown()).safeParse(body);
  const object = VncObject.safeParse(wrapped.success ? wrapped.data[type] : undefined);
  if (!object.success) throw new UnavailableError(`Contrail's answer about a ${type} makes no sense.`);
  return object.data;
}

/** An empty list reads as `{}` in one place. */
function readList(body: unknown, type: string): VncObject[] {
  const list = z.record(z.string(), z.unknown()).safeParse(body);
  const objects = z.array(VncObject).safeParse(list.success ? list.data[`${type}s`] : undefined);
  if (!objects.success) throw new UnavailableError(`Contrail's list of ${type}s makes no sense.`);
  return objects.data;
}
