import { type Db, idList } from '../connect';
import { dialectOf } from '../dialects/client';

/**
 * Lists of related rows as one column. Elements are kept short and mostly without order, and are sorted here: where one
 * may be longer than 512 characters (a JSON object, an escaped text), MariaDB makes a temporary table on disk for each
 * aggregate of each statement, ten times the cost of everything else.
 */
export interface Relation {
  /** Table, with alias and joins if need be: `member m`. */
  readonly from: string;
  readonly where: string;
}

/** Any texts up to 500 characters, in no order; read with `splitTexts`. */
export function textList(db: Db, column: string, { from, where }: Relation): string {
  const aggregate = dialectOf(db).dialect === 'sqlite3' ? 'json_group_array' : 'json_arrayagg';
  return `(select ${aggregate}(${column}) from ${from} where ${where})`;
}

/** Short rows whose columns hold neither comma nor bar, the first an integer to sort by; read with `splitRows`. */
export function rowList(columns: readonly string[], { from, where }: Relation): string {
  const values = columns.map((column) => `coalesce(${column}, '')`).join(', ');
  return `(select group_concat(concat_ws('|', ${values})) from ${from} where ${where})`;
}

/** What `textList` holds, sorted; null is none. */
export function splitTexts(list: string | null): string[] {
  return list === null || list === '[]' ? [] : (JSON.parse(list) as string[]).sort();
}

/** What `textList` holds of texts that begin with a number and a bar: by that number, and without it. */
export function splitNumbered(list: string | null): string[] {
  return splitTexts(list)
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((text) => text.slice(text.indexOf('|') + 1));
}

/** What `rowList` holds, in order and less its first column; a NULL comes back as "". */
export function splitRows(list: string | null): string[][] {
  if (list === null) return [];
  return list
    .split(',')
    .map((row) => row.split('|'))
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, ...columns]) => columns);
}

/** The tags of `o`; read with `splitTexts`. */
export function tagsOf(db: Db): string {
  return `${textList(db, 't.tag', { from: 'tags t', where: 't.resource_id = o.id' })} as tags`;
}

/** Ids of the rows of a table that point to `o`, oldest first: ids are short, the database may sort them. */
export function childIds(table: string, column: string, alias: string): string {
  return `${idList('c.id', { from: `${table} c`, where: `c.${column} = o.id`, orderBy: 'c.created_at, c.id' })} as ${alias}`;
}
