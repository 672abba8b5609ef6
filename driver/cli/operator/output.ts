import type { Shown } from './client';

export const FORMATS = ['table', 'json', 'value'] as const;
export type Format = (typeof FORMATS)[number];

/** Many objects: a table of the columns, JSON with everything, or lines of bare values. */
export function formatMany(items: readonly Shown[], columns: readonly string[], format: Format): string {
  if (format === 'json') return JSON.stringify(items, null, 2);
  const rows = items.map((item) => columns.map((column) => cell(item[column])));
  return format === 'value' ? rows.map((row) => row.join(' ')).join('\n') : table([...columns], rows);
}

/** One object, a line a field. */
export function formatOne(item: Shown, format: Format): string {
  if (format === 'json') return JSON.stringify(item, null, 2);
  const rows = Object.entries(item).map(([field, value]) => [field, cell(value)]);
  return format === 'value' ? rows.map(([, value]) => value).join('\n') : table(['field', 'value'], rows);
}

/** Messages quote what users and daemons have written: nothing of it may steer a terminal. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replace(/\p{C}+/gu, ' ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, index) => Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  const line = (cells: readonly string[]): string =>
    `|${widths.map((width, index) => ` ${(cells[index] ?? '').padEnd(width)} `).join('|')}|`;
  return [rule, line(head), rule, ...rows.map(line), ...(rows.length > 0 ? [rule] : [])].join('\n');
}
