import type { Option, Options } from './options';

/** A section of the file: its options under their names there. */
export interface Section<O extends Options = Options> {
  readonly about: string;
  readonly options: O;
  /**
   * What else may stand in it without a warning: options of an octavia.conf that have no meaning here. "any" for
   * sections whose other options are many.
   */
  readonly tolerates: readonly string[] | 'any';
}

/** The typed values of a section. */
export type ValuesOf<S> =
  S extends Section<infer O> ? { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never } : never;

export function section<O extends Options>(
  about: string,
  options: O,
  tolerates: readonly string[] | 'any' = [],
): Section<O> {
  return { about, options, tolerates };
}
