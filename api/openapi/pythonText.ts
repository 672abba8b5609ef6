/** Longer texts are cut: an error need not repeat a whole body of 100 kB. */
const MAX_LENGTH = 2_000;
const MAX_DEPTH = 12;

/** `str(value)` of Python: how Octavia's error texts show what a client sent. */
export function pythonText(value: unknown): string {
  return cut(typeof value === 'string' ? value : repr(value, 0));
}

function repr(value: unknown, depth: number): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return quote(cut(value));
  if (typeof value !== 'object') return String(value);
  if (depth >= MAX_DEPTH) return '...';
  if (Array.isArray(value)) return `[${join(value, (item) => repr(item, depth + 1))}]`;
  return `{${join(Object.entries(value), ([key, item]) => `${quote(key)}: ${repr(item, depth + 1)}`)}}`;
}

function join<T>(items: readonly T[], render: (item: T) => string): string {
  const parts: string[] = [];
  let length = 0;
  for (const item of items) {
    if (length > MAX_LENGTH) break;
    const part = render(item);
    length += part.length + 2;
    parts.push(part);
  }
  return parts.join(', ');
}

function quote(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
  return text.includes("'") && !text.includes('"') ? `"${escaped}"` : `'${escaped.replaceAll("'", "\\'")}'`;
}

function cut(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}...` : text;
}
