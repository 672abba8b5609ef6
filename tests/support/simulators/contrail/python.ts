import type { Json } from './json';

/** How Python prints a value: many texts of the API server hold one. */
export function repr(value: Json | undefined): string {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  const members = Object.entries(value as Record<string, Json>);
  return `{${members.map(([key, member]) => `${quote(key)}: ${repr(member)}`).join(', ')}}`;
}

function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text.replaceAll('\\', '\\\\').replaceAll(mark, `\\${mark}`);
  return mark + inner.replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r') + mark;
}

/** Longest line of a pretty-printed value. */
const WIDTH = 80;

/** A list as `pprint` prints it: one line while it fits, else an element a line. */
export function pretty(values: readonly string[]): string {
  const line = repr(values);
  return line.length <= WIDTH ? line : `[${values.map(repr).join(',\n ')}]`;
}
