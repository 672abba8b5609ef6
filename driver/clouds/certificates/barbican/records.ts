import { z } from 'zod';
import type { ResourceStore, StoredBody } from '../../network/store';

/** What the embedded key manager keeps. Times are ISO texts. */

const AclRecord = z.object({
  /** Ids of users who may read, whatever their project. */
  users: z.array(z.string()),
  /** False: of the project, only the creator and its admins may read. */
  projectAccess: z.boolean(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type AclRecord = z.infer<typeof AclRecord>;

const ConsumerRecord = z.object({ name: z.string(), url: z.string() });

const owned = {
  id: z.string(),
  name: z.string().nullable(),
  projectId: z.string(),
  creatorId: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
  /** Null: nothing was said, the project may read. */
  acl: AclRecord.nullable(),
  consumers: z.array(ConsumerRecord),
};

const SecretRecord = z.object({
  ...owned,
  secretType: z.string(),
  algorithm: z.string().nullable(),
  bitLength: z.number().nullable(),
  mode: z.string().nullable(),
  expiration: z.string().nullable(),
  /** Null until there is a payload. */
  contentType: z.string().nullable(),
  /** The payload, encrypted (`sealing.ts`). */
  sealed: z.string().nullable(),
});
export type SecretRecord = z.infer<typeof SecretRecord>;

const ContainerRecord = z.object({
  ...owned,
  type: z.string(),
  secretRefs: z.array(z.object({ name: z.string(), secretId: z.string() })),
});
export type ContainerRecord = z.infer<typeof ContainerRecord>;

/** The tables, by id and in order of creation. */
export interface Records {
  readonly secret: ReadonlyMap<string, SecretRecord>;
  readonly container: ReadonlyMap<string, ContainerRecord>;
  insert<K extends Kind>(kind: K, record: RecordOf<K>): Promise<RecordOf<K>>;
  /**
   * Replaces a record by what `apply` makes of it. Changes come one after another: none undoes another.
   * @throws whatever `apply` throws, which is given undefined for what is not there
   */
  update<K extends Kind>(
    kind: K,
    id: string,
    apply: (record: RecordOf<K> | undefined) => RecordOf<K>,
  ): Promise<RecordOf<K>>;
  remove(kind: Kind, id: string): Promise<void>;
}

export type Kind = 'secret' | 'container';
export type RecordOf<K extends Kind> = K extends 'secret' ? SecretRecord : ContainerRecord;

/** Opens what the store holds; a change is seen when the store has it. @throws whatever the store throws */
export async function openRecords(store: ResourceStore): Promise<Records> {
  const stored = await store.load();
  const bodies = (kind: Kind) => stored.filter((row) => row.kind === kind).map(({ body }) => body);
  const tables = {
    secret: toTable(bodies('secret').map((body) => SecretRecord.parse(body))),
    container: toTable(bodies('container').map((body) => ContainerRecord.parse(body))),
  };
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn;
    return turn;
  };
  const put = async <K extends Kind>(kind: K, record: RecordOf<K>): Promise<RecordOf<K>> => {
    await store.put(kind, record.id, record as StoredBody);
    (tables[kind] as Map<string, RecordOf<K>>).set(record.id, record);
    return record;
  };
  return {
    ...tables,
    insert: (kind, record) => inTurn(() => put(kind, record)),
    update: (kind, id, apply) =>
      inTurn(async () => put(kind, apply((tables[kind] as Map<string, RecordOf<typeof kind>>).get(id)))),
    remove: (kind, id) =>
      inTurn(async () => {
        await store.remove(kind, id);
        tables[kind].delete(id);
      }),
  };
}

function toTable<T extends { id: string; createdAt: string }>(records: T[]): Map<string, T> {
  const ordered = records.sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  return new Map(ordered.map((record) => [record.id, record]));
}
