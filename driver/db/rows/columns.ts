/** Types of columns, as drivers hand them out; `codecs.ts` turns them into values. */

/** Booleans. */
export type Bit = 0 | 1;
/** UTC, `YYYY-MM-DD HH:MM:SS.mmm`. */
export type Time = string;
/** JSON text. */
export type Json = string;
/** A 64-bit count; a string once it comes from MySQL. */
export type BigCount = string | number;
