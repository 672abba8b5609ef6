import type { Db } from './connect';

/** Rows a statement carries: SQLite takes 32,766 bindings, MySQL 65,535. */
const CHUNK = 500;

/**
 * Inserts rows of one shape, however many. The query builder writes several rows as a UNION for SQLite, whose parser
 * recurses for each of them: a few hundred overflow the stack of its WebAssembly build.
 */
export async function insertRows(db: Db, table: string, rows: readonly object[]): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const columns = Object.keys(first);
  const marks = `(${columns.map(() => '?').join(', ')})`;
  for (let from = 0; from < rows.length; from += CHUNK) {
    const chunk = rows.slice(from, from + CHUNK) as Record<string, string | number | null>[];
    const values = chunk.flatMap((row) => columns.map((column) => row[column] ?? null));
    const sql = `insert into ?? (${columns.map(() => '??').join(', ')}) values ${chunk.map(() => marks).join(', ')}`;
    await db.raw(sql, [table, ...columns, ...values]);
  }
}
