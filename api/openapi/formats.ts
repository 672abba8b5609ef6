import ipaddr from 'ipaddr.js';

/** The formats of the document that OpenAPI does not know, and Octavia's normal forms of UUIDs and CIDRs. */

/** Python's `ipaddress` takes no leading zeros, no shortened IPv4 and no zone here; neither may we. */
export function isIpAddress(text: string): boolean {
  if (text.includes('%') || text.length > 64) return false;
  return ipaddr.IPv4.isValidFourPartDecimal(text)
    ? !/(?:^|\.)0\d/.test(text)
    : text.includes(':') && ipaddr.IPv6.isValid(text);
}

/** The network in CIDR form with host bits cleared, a lone address as /32 or /128; undefined if it is neither. */
export function normalizeCidr(text: string): string | undefined {
  const [address = '', length, ...rest] = text.split('/');
  if (rest.length > 0 || !isIpAddress(address)) return undefined;
  const parsed = ipaddr.parse(address);
  const bits = parsed.kind() === 'ipv4' ? 32 : 128;
  if (length === undefined) return `${parsed.toString()}/${bits}`;
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) return undefined;
  const network =
    bits === 32
      ? ipaddr.IPv4.networkAddressFromCIDR(`${address}/${Number(length)}`)
      : ipaddr.IPv6.networkAddressFromCIDR(`${address}/${Number(length)}`);
  return `${network.toString()}/${Number(length)}`;
}

/** With room for hyphens, braces and prefixes: what is longer is none, and would take long to search for braces. */
const LONGEST_UUID = 100;

/** Hyphenated lower case, out of any form Python's uuid module takes; undefined if it is none. */
export function normalizeUuid(text: string): string | undefined {
  if (CANONICAL_UUID.test(text)) return text;
  if (text.length > LONGEST_UUID) return undefined;
  const hex = text
    .replace('urn:', '')
    .replace('uuid:', '')
    .replace(/^[{}]+|[{}]+$/g, '')
    .replaceAll('-', '');
  if (!/^[0-9a-fA-F]{32}$/.test(hex)) return undefined;
  return hex.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const CANONICAL_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** http or https, with a host, without blanks and control characters. */
export function isAbsoluteUrl(text: string): boolean {
  return /^https?:\/\/[^\s/?#]/i.test(text) && !hasBlankOrControl(text) && URL.canParse(text);
}

/** A path with optional query: begins with a slash, has no blanks and no control characters. */
export function isUrlPath(text: string): boolean {
  return /^\/(?!\/)/.test(text) && !hasBlankOrControl(text) && !text.includes('#');
}

function hasBlankOrControl(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return /[\s\u0000-\u001f\u007f]/.test(text);
}

const ALPN_PROTOCOLS: readonly string[] = ['h2', 'http/1.1', 'http/1.0'];

export function isAlpnProtocol(text: string): boolean {
  return ALPN_PROTOCOLS.includes(text);
}

/** What the validator knows each custom format by. */
export const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  uuid: (text) => CANONICAL_UUID.test(text),
  ip: isIpAddress,
  cidr: (text) => normalizeCidr(text) !== undefined,
  'absolute-url': isAbsoluteUrl,
  'url-path': isUrlPath,
  alpn: isAlpnProtocol,
};
