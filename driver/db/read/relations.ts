import { type Db, idList, jsonArrayOf } from '../connect';

/** The tags of `o`, sorted, as a JSON array. */
export function tagsOf(db: Db): string {
  return `${jsonArrayOf(db, 't.tag', { from: 'tags t', where: 't.resource_id = o.id', orderBy: 't.tag' })} as tags`;
}

/** Ids of the rows of a table that point to `o`, oldest first. */
export function childIds(table: string, column: string, alias: string): string {
  return `${idList('c.id', { from: `${table} c`, where: `c.${column} = o.id`, orderBy: 'c.created_at, c.id' })} as ${alias}`;
}
