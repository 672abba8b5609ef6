import type { ObjectKind } from '../../protocol/messages';

/**
 * The only way text gets into a haproxy.cfg or onto its runtime socket. A line is made of words, and a word is either
 * fixed (written by us) or a value, which is quoted; there is no way to write an unquoted value.
 */

/** An object of the tree, as refusals name it. */
export interface ObjectRef {
  readonly kind: ObjectKind;
  readonly id: string;
}

/** One word of a configuration line; `raw` is its value before quoting. */
export interface Word {
  readonly text: string;
  readonly raw: string;
}

/** One line of a configuration and the object it was written for, whom haproxy's complaint about it concerns. */
export interface Line {
  readonly text: string;
  readonly owner: ObjectRef | null;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not get in
const UNQUOTABLE = /[\u0000-\u0008\u000a-\u001f\u007f]/;
const CLI_SAFE = /^[\w.:[\]@%/!+=,-]+$/;

/** True if the value can stand between quotes: haproxy has no way to write a control character into a line. */
export function isQuotable(value: string): boolean {
  return !UNQUOTABLE.test(value);
}

/** A value, in strong quotes: haproxy expands nothing between them. Throws RangeError on control characters. */
export function quote(value: string): Word {
  if (!isQuotable(value)) throw new RangeError('control characters cannot be written into a haproxy configuration');
  return { text: `'${value.replaceAll("'", "'\\''")}'`, raw: value };
}

/** Text of our own, taken as it is. Never give it a value that came with a spec. */
export function fixed(text: string): Word {
  return { text, raw: text };
}

/** A whole number. */
export function integer(value: number): Word {
  return fixed(String(Math.trunc(value)));
}

/** A duration; haproxy counts in milliseconds when no unit is given. */
export function milliseconds(value: number): Word {
  return fixed(`${Math.max(0, Math.trunc(value))}ms`);
}

/** A value that a log-format argument will show unchanged: its percent signs are doubled. */
export function quoteForLogFormat(value: string): Word {
  return quote(value.replaceAll('%', '%%'));
}

/** A sample fetch or converter with one value as its argument, e.g. `req.cook('name'),sha1`. */
export function sample(before: string, argument: string, after: string): Word {
  return quote(`${before}(${quote(argument).text})${after}`);
}

export function line(owner: ObjectRef | null, ...words: Word[]): Line {
  return { text: `  ${words.map((word) => word.text).join(' ')}`, owner };
}

/** The head of a section, such as `frontend 'x'`. */
export function heading(owner: ObjectRef | null, ...words: Word[]): Line {
  return { text: words.map((word) => word.text).join(' '), owner };
}

/**
 * A command for the runtime socket, which knows no quotes. Throws RangeError on a word it would misread: what comes here
 * are ids, addresses, numbers, paths of our own and cipher lists.
 */
export function command(...words: Word[]): string {
  for (const { raw } of words) {
    for (const part of raw.split(' ')) {
      if (!CLI_SAFE.test(part)) throw new RangeError(`${JSON.stringify(part)} cannot be sent to the runtime socket`);
    }
  }
  return words.map((word) => word.raw).join(' ');
}
