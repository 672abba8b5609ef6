import { z } from 'zod';

/** One option: how its text in a file becomes a value, and what the documentation says of it. */
export interface Option<T> {
  /** Takes the text; undefined (the option is not set) gives the default. */
  readonly schema: z.ZodType<T>;
  /** What is taken, as an operator reads it: "an integer from 0 to 65535". */
  readonly expected: string;
  readonly default: T;
  readonly help: string;
  /** Never shown, not even in an error. */
  readonly secret: boolean;
  /** The value as it would stand in a file. */
  show(value: T): string;
}

export type Options = Readonly<Record<string, Option<unknown>>>;

interface Shape<T> {
  readonly expected: string;
  readonly default: T;
  readonly help: string;
  /** Undefined for a text that is refused. */
  read(text: string): T | undefined;
  show?(value: T): string;
  readonly secret?: boolean;
}

function option<T>({ read, show, secret = false, ...rest }: Shape<T>): Option<T> {
  const schema = z.string().transform((text, context): T => {
    const value = read(text.trim());
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message: rest.expected, input: text });
    return z.NEVER;
  });
  return {
    ...rest,
    secret,
    schema: schema.optional().transform((value) => (value === undefined ? rest.default : value)) as z.ZodType<T>,
    show: show ?? ((value) => (value === null ? '' : String(value))),
  };
}

/** Any text, the empty one too. */
export function text(standard: string, help: string): Option<string> {
  return option({ expected: 'a text', default: standard, help, read: (value) => value });
}

/** A text or, if unset or empty, null. */
export function optionalText(help: string): Option<string | null> {
  return option<string | null>({ expected: 'a text', default: null, help, read: (value) => value || null });
}

/** A password, key or token; null if unset or empty. */
export function secret(help: string): Option<string | null> {
  return option<string | null>({
    expected: 'a text',
    default: null,
    help,
    secret: true,
    read: (value) => value || null,
  });
}

/** A URL whose password is hidden when it is shown. */
export function credentialUrl(standard: string, expected: string, accepts: RegExp, help: string): Option<string> {
  return option({
    expected,
    default: standard,
    help,
    read: (value) => (accepts.test(value) ? value : undefined),
    show: hidePassword,
  });
}

/** Replaces what stands between user and host of every `user:password@host` in a URL. */
export function hidePassword(url: string): string {
  return url.replace(/([/,][^:/@,]*):[^@]*(?=@)/g, '$1:***');
}

const TRUE = ['true', '1', 'on', 'yes'];
const FALSE = ['false', '0', 'off', 'no'];

export function bool(standard: boolean, help: string): Option<boolean> {
  return option<boolean>({
    expected: 'true or false',
    default: standard,
    help,
    read: (value) => {
      if (TRUE.includes(value.toLowerCase())) return true;
      return FALSE.includes(value.toLowerCase()) ? false : undefined;
    },
  });
}

/** A whole number within bounds, both included. */
export function integer(standard: number, [min, max]: readonly [number, number], help: string): Option<number> {
  const expected = max === Number.MAX_SAFE_INTEGER ? `an integer from ${min} up` : `an integer from ${min} to ${max}`;
  return option<number>({
    expected,
    default: standard,
    help,
    read: (value) => {
      const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
      return number >= min && number <= max ? number : undefined;
    },
  });
}

/** A TCP port; 0 takes a free one. */
export function port(standard: number, help: string): Option<number> {
  return integer(standard, [0, 65535], help);
}

/** A duration in seconds, fractions allowed, at least `min`. */
export function seconds(standard: number, help: string, min = 0): Option<number> {
  return option<number>({
    expected: `a number of seconds from ${min} up`,
    default: standard,
    help,
    read: (value) => {
      const number = /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
      return number >= min ? number : undefined;
    },
  });
}

/** One of the given words. `aliases` maps other spellings onto them. */
export function choice<const T extends string>(
  standard: T,
  values: readonly T[],
  help: string,
  aliases: Readonly<Record<string, T>> = {},
): Option<T> {
  const also = Object.keys(aliases).length > 0 ? ` (or ${Object.keys(aliases).join(', ')})` : '';
  return option<T>({
    expected: `one of ${values.join(', ')}${also}`,
    default: standard,
    help,
    read: (value) => aliases[value] ?? values.find((known) => known === value),
  });
}

/** A comma list; blanks around the commas and empty elements fall away. */
export function list(standard: readonly string[], help: string): Option<readonly string[]> {
  return option<readonly string[]>({
    expected: 'a comma list',
    default: standard,
    help,
    read: splitList,
    show: (value) => value.join(', '),
  });
}

/** A comma list of the given words, without regard to case. */
export function choices<T extends string>(
  standard: readonly T[],
  values: readonly T[],
  help: string,
): Option<readonly T[]> {
  return option<readonly T[]>({
    expected: `a comma list of ${values.join(', ')}`,
    default: standard,
    help,
    read: (value) => {
      const found = splitList(value).map((word) => values.find((known) => known.toLowerCase() === word.toLowerCase()));
      return found.every((word) => word !== undefined) ? (found as T[]) : undefined;
    },
    show: (value) => value.join(', '),
  });
}

/** A comma list of `key:text` pairs, in their order; the text is what follows the first colon. */
export function pairs(
  standard: Readonly<Record<string, string>>,
  help: string,
): Option<Readonly<Record<string, string>>> {
  return option<Readonly<Record<string, string>>>({
    expected: 'a comma list of key:text pairs',
    default: standard,
    help,
    read: (value) => {
      const entries = splitList(value).map((pair) => /^([^:]+?)\s*:\s*(.*)$/s.exec(pair));
      if (entries.length === 0 || entries.includes(null)) return undefined;
      return Object.fromEntries(entries.map((match) => [match?.[1] ?? '', match?.[2] ?? '']));
    },
    show: (value) =>
      Object.entries(value)
        .map(([key, description]) => `${key}:${description}`)
        .join(', '),
  });
}

function splitList(value: string): string[] {
  return value
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');
}
