import { toJson } from '../../driver/db/codecs';
import type { Json } from '../../driver/db/rows';
import type { Given } from './bodies';

/** How fields of a body become columns. */

/**
 * One function a field of a PUT's body: what the field, null included, writes. A field that is absent is kept.
 */
export type Writers<Body, Row> = {
  readonly [K in keyof Body]?: (value: Exclude<Body[K], undefined>) => Partial<Row>;
};

/** The columns a PUT writes; fields without a writer are stored elsewhere. */
export function writeColumns<Body extends object, Row>(body: Body, writers: Writers<Body, Row>): Partial<Row> {
  const columns: Partial<Row> = {};
  for (const key of Object.keys(writers) as (keyof Body)[]) {
    const value = body[key];
    const write = writers[key];
    if (value !== undefined && write) Object.assign(columns, write(value as Exclude<Body[keyof Body], undefined>));
  }
  return columns;
}

/** Null for no list; an empty one is stored as none. */
export function listColumn(values: Given<readonly string[]>): Json | null {
  return values && values.length > 0 ? toJson(values) : null;
}

/** Null for no or an empty map. */
export function mapColumn(map: Given<Readonly<Record<string, string>>>): Json | null {
  return map && Object.keys(map).length > 0 ? toJson(map) : null;
}

/** The list without repetitions, in the order given; null and absent are empty. */
export function unique(values: Given<readonly string[]>): readonly string[] {
  return [...new Set(values ?? [])];
}
