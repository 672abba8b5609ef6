import type { ObjectRef } from '../haproxy/words';

/**
 * The only way text gets into an nginx.conf. nginx has no way to write a dollar sign that is not a variable, so a value is
 * checked before it is quoted: what comes here are ids, addresses, networks and numbers.
 */

export type { ObjectRef } from '../haproxy/words';

/** One word of a directive, quoted where need be. */
export interface Word {
  readonly text: string;
}

/** One line of a configuration and the object it was written for. */
export interface Line {
  readonly text: string;
  readonly owner: ObjectRef | null;
}

const PLAIN = /^[\w.:/[\]-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not get in
const UNUSABLE_IN_PATH = /[$\u0000-\u001f\u007f]/;

/** A value that came with a spec. Throws RangeError on one that is no id, address, network or number. */
export function value(text: string): Word {
  if (!PLAIN.test(text)) throw new RangeError(`${JSON.stringify(text)} cannot be written into an nginx configuration`);
  return { text: `'${text}'` };
}

/** A path of the engine. Throws RangeError on control characters and on `$`. */
export function path(text: string): Word {
  if (UNUSABLE_IN_PATH.test(text)) {
    throw new RangeError(`the path ${JSON.stringify(text)} cannot be written into an nginx configuration`);
  }
  return { text: `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'` };
}

/** Text of our own, taken as it is. Never give it a value that came with a spec. */
export function fixed(text: string): Word {
  return { text };
}

export function directive(owner: ObjectRef | null, ...words: Word[]): Line {
  return { text: `${words.map(({ text }) => text).join(' ')};`, owner };
}

/** A block with its content, which is indented. */
export function block(owner: ObjectRef | null, words: readonly Word[], content: readonly Line[]): Line[] {
  return [
    { text: `${words.map(({ text }) => text).join(' ')} {`, owner },
    ...content.map((line) => ({ ...line, text: `  ${line.text}` })),
    { text: '}', owner },
  ];
}
