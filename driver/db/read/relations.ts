import { idList } from '../connect';
import type { Aggregate } from '../sql';

/**
 * Lists of related rows as one column of text. JSON would say the same, but MariaDB takes three times as long to put it
 * together: ids are joined by comma, any other text travels as hexadecimal UTF-8.
 */

/** Any texts; read with `splitTexts`. */
export function textList(column: string, over: Aggregate): string {
  return idList(`hex(${column})`, over);
}

/** Rows of several columns, which hold neither comma nor bar; read with `splitRows`. */
export function rowList(columns: readonly string[], over: Aggregate): string {
  return idList(`concat_ws('|', ${columns.map((column) => `coalesce(${column}, '')`).join(', ')})`, over);
}

/** What `textList` holds: null when there is none. An empty text among them is an empty element. */
export function splitTexts(list: string | null): string[] {
  return list === null ? [] : list.split(',').map(decodeText);
}

/** What `rowList` holds; a NULL comes back as "". */
export function splitRows(list: string | null): string[][] {
  return list === null ? [] : list.split(',').map((row) => row.split('|'));
}

/** One text out of its hexadecimal UTF-8. */
export function decodeText(hex: string): string {
  return hex === '' ? '' : Buffer.from(hex, 'hex').toString('utf8');
}

/** The tags of `o`, sorted; read with `splitTexts`. */
export const TAGS = `${textList('t.tag', { from: 'tags t', where: 't.resource_id = o.id', orderBy: 't.tag' })} as tags`;

/** Ids of the rows of a table that point to `o`, oldest first. */
export function childIds(table: string, column: string, alias: string): string {
  return `${idList('c.id', { from: `${table} c`, where: `c.${column} = o.id`, orderBy: 'c.created_at, c.id' })} as ${alias}`;
}
