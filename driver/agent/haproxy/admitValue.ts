import { isIP } from 'node:net';

const ID = /^[\w-]{1,64}$/;

/** True for what may name a section, a server, a file: letters, digits, `-` and `_`. */
export function isUsableId(id: string): boolean {
  return ID.test(id);
}

/** True for an address without a zone, which other engines could not read. */
export function isAddress(address: string): boolean {
  return isIP(address) !== 0 && !address.includes('%');
}
