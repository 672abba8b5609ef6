import type { Db } from './connect';
import { insertRows } from './insertRows';
import type { TagRow } from './rows';

/** Tags of a new object. The caller has seen to it that none is given twice. */
export async function insertTags(db: Db, tags: readonly TagRow[]): Promise<void> {
  await insertRows(db, 'tags', tags);
}

/** The whole list is replaced. */
export async function replaceTags(db: Db, resourceId: string, tags: readonly string[]): Promise<void> {
  await db('tags').where({ resource_id: resourceId }).delete();
  await insertTags(db, tagRows(resourceId, tags));
}

export function tagRows(resourceId: string, tags: readonly string[]): TagRow[] {
  return tags.map((tag) => ({ resource_id: resourceId, tag }));
}
