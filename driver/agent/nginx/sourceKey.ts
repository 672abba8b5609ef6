import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { block, directive, fixed, type Line, type ObjectRef } from './words';

/** What a hash by source address is taken of: text for a `hash` directive, and the maps that its variables need. */
export interface SourceKey {
  readonly text: string;
  readonly maps: readonly Line[];
}

/** A client's whole address. */
export const WHOLE_ADDRESS: SourceKey = { text: '$binary_remote_addr', maps: [] };

/**
 * The key under which clients of one network are the same. `granularity` is a netmask in the form of an address; clients
 * of the other family count with their whole address. nginx knows no masks, so the bytes of the address are matched: whole
 * ones are taken by a capture, the bits of a partial one by a case each. `name` makes the variables its own.
 */
export function sourceKey(owner: ObjectRef, name: string, granularity: string): SourceKey {
  const mask = ipaddr.parse(granularity).toByteArray();
  if (mask.every((byte) => byte === 255)) return WHOLE_ADDRESS;
  const parts = mask.flatMap((byte, index) => (byte === 0 ? [] : [{ byte, index }]));
  const map = (variable: string, lines: Line[]) =>
    block(owner, [fixed('map $binary_remote_addr'), fixed(variable)], lines);
  const other = mask.length === 4 ? 16 : 4;
  const maps = [
    // What tells the family: a network of one must not be the address of the other.
    map(`$${name}_of`, [
      directive(owner, fixed(`"~(?s)^.{${other}}$"`), fixed('$binary_remote_addr')),
      directive(owner, fixed('default'), fixed('""')),
    ]),
    ...parts.map(({ byte, index }) => map(`$${name}_${index}`, byteLines(owner, byte, index, mask.length))),
  ].flat();
  return { text: [`$${name}_of`, ...parts.map(({ index }) => `$${name}_${index}`)].join(''), maps };
}

/** True for what `sourceKey` can read. */
export function isGranularity(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

function byteLines(owner: ObjectRef, mask: number, index: number, length: number): Line[] {
  const rest = length - index - 1;
  const pattern = (byte: string) => fixed(`"~(?s)^.{${index}}${byte}.{${rest}}$"`);
  if (mask === 255) {
    return [directive(owner, pattern('(.)'), fixed('$1')), directive(owner, fixed('default'), fixed('""'))];
  }
  const classes = new Map<number, number[]>();
  for (let byte = 0; byte < 256; byte += 1) classes.set(byte & mask, [...(classes.get(byte & mask) ?? []), byte]);
  return [
    ...[...classes].map(([network, bytes]) => directive(owner, pattern(`[${ranges(bytes)}]`), fixed(`n${network}`))),
    directive(owner, fixed('default'), fixed('""')),
  ];
}

/** Ascending bytes as the inside of a character class. */
function ranges(bytes: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const byte of bytes) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === byte - 1) last[1] = byte;
    else runs.push([byte, byte]);
  }
  return runs.map(([first, last]) => (first === last ? hex(first) : `${hex(first)}-${hex(last)}`)).join('');
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
