import type { ResourceStore, StoredBody } from '../clouds/network/store';
import { fromJson, toJson } from '../db/codecs';
import type { Db } from '../db/connect';
import type { EmbeddedResourceRow } from '../db/rows';

/**
 * The embedded clouds' objects in the site's own database, so that a restart finds them as the load balancers expect them.
 * @param scope keeps the kinds of one cloud apart from those of another
 */
export function createResourceStore(db: Db, scope: string): ResourceStore {
  const prefix = `${scope}:`;
  return {
    load: async () => {
      const rows = await db<EmbeddedResourceRow>('embedded_resource').whereLike('kind', `${prefix}%`);
      return rows.map(({ kind, id, body }) => ({
        kind: kind.slice(prefix.length),
        id,
        body: fromJson<StoredBody>(body),
      }));
    },
    put: async (kind, id, body) => {
      await db('embedded_resource')
        .insert({ kind: prefix + kind, id, body: toJson(body) })
        .onConflict(['kind', 'id'])
        .merge(['body']);
    },
    remove: async (kind, id) => {
      await db('embedded_resource')
        .where({ kind: prefix + kind, id })
        .delete();
    },
  };
}
