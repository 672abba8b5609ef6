import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';

/** Whether a key of a profile may have a value; said in words beside the key, in what users are shown. */
export type Takes = (value: unknown) => boolean;

/** A key of a profile: what users are shown, and what it takes. */
export interface Capability {
  readonly description: string;
  readonly takes: Takes;
}

export const isFlag: Takes = (value) => typeof value === 'boolean';

/** A name or an id. */
export const isName: Takes = (value) => typeof value === 'string' && value !== '';

export const isNames: Takes = (value) => Array.isArray(value) && value.every(isName);

export const isCount: Takes = (value) => Number.isSafeInteger(value) && Number(value) >= 1;

export function oneOf(...values: readonly string[]): Takes {
  return (value) => typeof value === 'string' && values.includes(value);
}

/** `address:port`, an absolute path, or the empty string: what engines can write lines to. */
export const isLogTarget: Takes = (value) => {
  if (typeof value !== 'string') return false;
  if (value === '' || isAbsolute(value)) return true;
  const [, six, four, port] = /^(?:\[([^\]%]+)\]|([^:]+)):(\d{1,5})$/.exec(value) ?? [];
  return isIP(six ?? four ?? '') !== 0 && Number(port) >= 1 && Number(port) <= 65_535;
};
