import { change, type Db } from './connect';

/** Rows a statement carries: SQLite takes 32,766 bindings, MySQL 65,535. */
const CHUNK = 500;
/** Up to so many rows the statement is one of those that stay prepared. */
const FEW = 3;

/**
 * Inserts rows of one shape, however many. The query builder writes several rows as a UNION for SQLite, whose parser
 * recurses for each of them: a few hundred overflow the stack of its WebAssembly build.
 * @param computed further columns, with the SQL of the value that every row gets
 */
export async function insertRows(
  db: Db,
  table: string,
  rows: readonly object[],
  computed: Readonly<Record<string, string>> = {},
): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const columns = Object.keys(first);
  const names = [...columns, ...Object.keys(computed)].map((name) => `\`${name}\``).join(', ');
  const marks = `(${[...columns.map(() => '?'), ...Object.values(computed)].join(', ')})`;
  for (let from = 0; from < rows.length; from += CHUNK) {
    const chunk = rows.slice(from, from + CHUNK) as Record<string, string | number | null>[];
    const values = chunk.flatMap((row) => columns.map((column) => row[column] ?? null));
    const sql = `insert into \`${table}\` (${names}) values ${chunk.map(() => marks).join(', ')}`;
    if (chunk.length <= FEW) await change(db, sql, values);
    else await db.raw(sql, values);
  }
}
