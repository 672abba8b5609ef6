import { z } from 'zod';
import type { Identity } from '../../../domain/identity';
import { NeutronError } from '../model/errors';
import type { NetworkModel } from '../model/model';
import type { Table } from '../model/table';
import type { StoredBody } from '../store';

/** An object as the face handles it: JSON with an id and an owner. */
export type Item = StoredBody & { readonly id: string; readonly project_id: string };

/** Who asks, and what for. */
export interface Context {
  readonly model: NetworkModel;
  readonly caller: Identity;
}

/** One kind of object of the API, as data: routes, filters, fields and policy are written once over these. */
export interface Resource {
  /** Key of a list. */
  readonly plural: string;
  /** Key of a single object. */
  readonly singular: string;
  /** Below `/v2.0`. */
  readonly path: string;
  readonly rows: Rows;
  readonly notFound: (id: string) => NeutronError;
  /** What clients see. */
  readonly view: (model: NetworkModel, item: Item) => StoredBody;
  /** Filters of lists beyond the attributes of the view: the values an object has under that name. */
  readonly filters?: Readonly<Record<string, (item: StoredBody) => readonly unknown[]>>;
  /** Whether somebody who neither owns the object nor is an admin sees it. */
  readonly isShared?: (context: Context, item: Item) => boolean;
  /** Attributes that only an admin may give a value other than false or null. */
  readonly adminAttributes?: readonly string[];
  /** Runs before a list is read. */
  readonly prepare?: (context: Context) => Promise<unknown>;
  /** Absent for kinds that cannot be made, changed, removed or tagged. */
  readonly create?: Create;
  readonly update?: Update;
  readonly remove?: (model: NetworkModel, id: string) => Promise<void>;
  readonly setTags?: (model: NetworkModel, id: string, tags: readonly string[]) => Promise<unknown>;
}

/** Where the objects are. */
export interface Rows {
  readonly all: (model: NetworkModel) => Iterable<Item>;
  readonly find: (model: NetworkModel, id: string) => Item | undefined;
  /** The objects with this value of the attribute, where an index knows; else undefined. */
  readonly by?: (model: NetworkModel, attribute: string, value: string) => readonly Item[] | undefined;
}

export type Create = (context: Context, body: StoredBody, projectId: string) => Promise<Item>;
/** `ifRevision`: changes the object only if it is still that one; kinds that do not count revisions ignore it. */
export type Update = (context: Context, id: string, body: StoredBody, ifRevision: number | null) => Promise<Item>;

/** Rows that are one table of the model. */
export function inTable<T extends Item>(tableOf: (model: NetworkModel) => Table<T>): Rows {
  return {
    all: (model) => tableOf(model).all(),
    find: (model, id) => tableOf(model).get(id),
    by: (model, attribute, value) =>
      tableOf(model).isIndexed(attribute) ? tableOf(model).by(attribute, value) : undefined,
  };
}

/** A create whose body has passed the schema. @throws NeutronError 400 before anything is done */
export function creating<S extends z.ZodType>(
  schema: S,
  run: (context: Context, body: z.output<S>, projectId: string) => Promise<Item>,
): Create {
  return async (context, body, projectId) => run(context, parseBody(schema, body), projectId);
}

/** An update whose body has passed the schema. @throws NeutronError 400 before anything is done */
export function updating<S extends z.ZodType>(
  schema: S,
  run: (context: Context, id: string, body: z.output<S>, ifRevision: number | null) => Promise<Item>,
): Update {
  return async (context, id, body, ifRevision) => run(context, id, parseBody(schema, body), ifRevision);
}

/** @throws NeutronError 400 in Neutron's words */
export function parseBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;

  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys') throw badRequest(`Unrecognized attribute(s) '${issue.keys.join(', ')}'`);
  const name = String(issue?.path[0] ?? 'body');
  if (issue?.path.length === 1 && !hasKey(body, name)) {
    throw badRequest(`Failed to parse request. Required attribute '${name}' not specified`);
  }
  throw badRequest(`Invalid input for ${name}. Reason: ${issue?.message ?? 'malformed'}.`);
}

/** 400 of the API layer, before Neutron's own logic. */
export function badRequest(message: string): NeutronError {
  return new NeutronError(400, 'HTTPBadRequest', message);
}

function hasKey(body: unknown, key: string): boolean {
  return z.record(z.string(), z.unknown()).safeParse(body).data?.[key] !== undefined;
}
