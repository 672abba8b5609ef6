/** Halves of surrogate pairs, which are no Unicode text, and NUL, which ends a text wherever C reads it. */
const BROKEN = /[\0\p{Surrogate}]/u;
const ESCAPED = /\\u(?:0000|d[89a-f])/i;

/** Whether it is worth looking: JSON can say such characters by an escape only. */
export function mayHoldBrokenText(json: Buffer): boolean {
  return json.includes('\\u') && ESCAPED.test(json.toString('latin1'));
}

/** Whether a key or a value anywhere in a parsed body cannot be stored and passed on as text. */
export function holdsBrokenText(body: unknown): boolean {
  // No recursion: a body of nothing but brackets would exhaust the stack.
  const waiting = [body];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value === 'string' && BROKEN.test(value)) return true;
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) for (const item of value) waiting.push(item);
    else for (const [key, item] of Object.entries(value)) waiting.push(key, item);
  }
  return false;
}
