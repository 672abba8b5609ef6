import type { BigCount, Bit, Json, Time } from './rows';

/** The one place where column values become values of the domain, and back: drivers disagree about all of them. */

/** UTC text with milliseconds, as every time column holds it. */
export function toDbTime(at: Date): Time {
  return at.toISOString().slice(0, 23).replace('T', ' ');
}

/** @throws RangeError for text that is no time */
export function fromDbTime(text: Time): Date {
  const at = new Date(`${text.replace(' ', 'T')}Z`);
  if (Number.isNaN(at.getTime())) throw new RangeError(`no time of the database: ${text}`);
  return at;
}

/** As the API shows times: UTC, whole seconds, no zone. */
export function toApiTime(text: Time): string;
export function toApiTime(text: Time | null): string | null;
export function toApiTime(text: Time | null): string | null {
  return text === null ? null : text.slice(0, 19).replace(' ', 'T');
}

export function toBit(value: boolean): Bit {
  return value ? 1 : 0;
}

/** Also takes what drivers make of computed columns: booleans, "1", 1n. */
export function fromBit(value: Bit | boolean | string | bigint): boolean {
  return Number(value) === 1;
}

export function toJson(value: unknown): Json {
  return JSON.stringify(value);
}

/** The caller vouches for `T`: what is read here was written by `toJson`. Takes values a driver has parsed already. */
export function fromJson<T>(value: Json | T): T {
  return typeof value === 'string' ? (JSON.parse(value) as T) : value;
}

/** Exact beyond 2^53, where drivers hand out strings or bigints. */
export function toBigInt(value: BigCount | bigint): bigint {
  return BigInt(value);
}

/**
 * For counts and sums: MySQL's SUM() is a decimal, that is a string.
 * @throws RangeError beyond 2^53, where a number would lie
 */
export function toNumber(value: BigCount | bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`not an exact number: ${value}`);
  return number;
}

/** What an `idList` column holds: null when there is none. */
export function splitIds(list: string | null): string[] {
  return list ? list.split(',') : [];
}
