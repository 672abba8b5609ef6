/** Bodies as the configuration API has them. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Members = { readonly [key: string]: Json };

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member of an object, or null: what is not there and what is null are the same to most rules. */
export function memberOf(value: Json | undefined, key: string): Json {
  return isMembers(value) ? (value[key] ?? null) : null;
}

export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Marks an integer too large for a JavaScript number; `writeJson` writes it as the number it is. */
export function bigInteger(value: bigint): string {
  return `\u0001int:${value}`;
}

export function writeJson(value: Json): string {
  return JSON.stringify(value).replace(/"\\u0001int:(\d+)"/g, '$1');
}
