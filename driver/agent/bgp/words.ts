import ipaddr from 'ipaddr.js';
import { kernelText } from '../network/wanted';

/**
 * The only way text gets into a bird.conf. A statement is made of words, and a word is text of our own, a number, an
 * address or a quoted string; whatever else came with a spec is refused. BIRD's strings know no escapes.
 */

export interface Word {
  readonly text: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not get in
const UNQUOTABLE = /["\u0000-\u001f\u007f]/;
const LARGEST_NUMBER = 4_294_967_295;

/** Text of our own, taken as it is. Never give it a value that came with a spec. */
export function fixed(text: string): Word {
  return { text };
}

/** A whole number of 32 bits. Throws RangeError on any other. */
export function integer(value: number): Word {
  if (!Number.isInteger(value) || value < 0 || value > LARGEST_NUMBER) throw new RangeError(`${value} is no number`);
  return { text: String(value) };
}

/** An IP address, as the kernel writes it. Throws RangeError on what is none. */
export function address(text: string): Word {
  return { text: kernelText(parseAddress(text)) };
}

/** The address alone, with its full prefix length. Throws RangeError on what is no address. */
export function hostPrefix(text: string): Word {
  const parsed = parseAddress(text);
  return { text: `${kernelText(parsed)}/${parsed.kind() === 'ipv6' ? 128 : 32}` };
}

function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 {
  // Zones and shortened IPv4 addresses are none that a peer or a VIP has.
  if (text.includes('%') || !ipaddr.isValid(text)) throw new RangeError(`${JSON.stringify(text)} is no IP address`);
  const parsed = ipaddr.parse(text);
  if (parsed.kind() === 'ipv4' && !ipaddr.IPv4.isValidFourPartDecimal(text)) {
    throw new RangeError(`${JSON.stringify(text)} is no IP address`);
  }
  return parsed;
}

/** True if the text can stand between quotes. */
export function isQuotable(text: string): boolean {
  return !UNQUOTABLE.test(text);
}

/** A string. Throws RangeError on quotes and control characters, which BIRD has no way to write. */
export function quote(text: string): Word {
  if (!isQuotable(text)) throw new RangeError('quotes and control characters cannot be written into a bird.conf');
  return { text: `"${text}"` };
}

/** `64512:55` as BIRD writes it, `1:2:3` as a large one. Throws RangeError on what is no community. */
export function community(text: string): { readonly attribute: Word; readonly value: Word } {
  const parts = text.split(':').map((part) => (/^\d+$/.test(part) ? Number(part) : Number.NaN));
  const largest = parts.length === 2 ? 65_535 : LARGEST_NUMBER;
  if ((parts.length !== 2 && parts.length !== 3) || !parts.every((part) => part <= largest)) {
    throw new RangeError(`${JSON.stringify(text)} is no BGP community`);
  }
  const attribute = fixed(parts.length === 2 ? 'bgp_community' : 'bgp_large_community');
  return { attribute, value: fixed(`(${parts.join(',')})`) };
}

export function statement(...words: readonly Word[]): string {
  return `${words.map(({ text }) => text).join(' ')};`;
}

/** A block with its content, which is indented. */
export function block(words: readonly Word[], content: readonly string[]): string[] {
  return [`${words.map(({ text }) => text).join(' ')} {`, ...content.map((line) => `  ${line}`), '}'];
}

/** A block within another one. */
export function innerBlock(words: readonly Word[], content: readonly string[]): string[] {
  return block(words, content).map((line) => (line === '}' ? '};' : line));
}
