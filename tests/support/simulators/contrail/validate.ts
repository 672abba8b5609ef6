import ipaddr from 'ipaddr.js';
import { crash } from './fault';
import { isMembers, type Json, listOf, memberOf } from './json';
import { repr } from './python';
import type { Kind } from './schema/properties';
import { NETWORK_SUBNETS } from './schema/structs';

const CLASS = (name: string): string => `<class 'vnc_api.gen.resource_xsd.${name}'>`;

/** What is wrong with a value, in the server's words. */
class Invalid extends Error {}

/** The property's value as it is stored: numbers in strings are numbers. @throws Error with the text of the refusal */
export function readProperty(property: string, kind: Kind, value: Json): Json {
  if (value === null) return null;
  if (kind.is === 'struct' && !isMembers(value)) {
    throw new Error(`Error in property ${property} type ${CLASS(kind.name)} value of ${repr(value)} `);
  }
  try {
    return read(kind, value, '');
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    const shown = kind.is === 'struct' || kind.is === 'subnet' ? ` value ${repr(value)} ` : ': ';
    throw new Error(`Error validating property ${property}${shown}${error.message}`);
  }
}

/** The attribute of a reference. @throws Error with the text of the refusal */
export function readAttribute(refType: string, reference: Json, attr: Json): Json {
  if (refType !== 'network-ipam' || attr === null) return attr;
  try {
    return read(NETWORK_SUBNETS, attr, '');
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    throw new Error(`Error validating reference network_ipam_refs value ${repr(reference)} ${error.message}`);
  }
}

function read(kind: Kind, value: Json, field: string): Json {
  if (value === null) return null;
  const named = field === '' ? '' : `${field}: `;
  switch (kind.is) {
    case 'any':
      return value;
    case 'text':
      return typeof value === 'object' ? repr(value) : value;
    case 'boolean':
      if (typeof value !== 'boolean') throw new Invalid(`${named}true/false expected instead of ${plain(value)}`);
      return value;
    case 'integer':
      return readInteger(kind, value, named);
    case 'choice':
      if (kind.of.includes(String(value))) return value;
      throw new Invalid(`${named}value must be one of ${repr(kind.of)}`);
    case 'list':
      return listOf(value).map((element) => read(kind.of, element, field));
    case 'subnet':
      return readSubnet(value);
    case 'struct':
      return readStruct(kind, value);
  }
}

function readInteger(kind: Extract<Kind, { is: 'integer' }>, value: Json, named: string): Json {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number') throw new Invalid(`${named}integer value expected instead of ${plain(value)}`);
  const { from, to } = kind;
  // The real check looks only at values that are true to Python: 0 passes everywhere.
  if (number !== 0 && from !== undefined && to !== undefined && (number < from || number > to)) {
    throw new Invalid(`${named}value must be between ${from} and ${to}`);
  }
  return number;
}

function readStruct(kind: Extract<Kind, { is: 'struct' }>, value: Json): Json {
  if (!isMembers(value)) throw new Invalid(`${CLASS(kind.name)} expected instead of ${plain(value)}`);
  const entries = Object.entries(value);
  for (const [field] of entries) {
    if (!(field in kind.fields)) throw new Invalid(`class ${CLASS(kind.name)} does not have field ${field}`);
  }
  if (kind.name === 'AllowedAddressPair') checkAddressPair(value);
  return Object.fromEntries(entries.map(([field, member]) => [field, readField(kind, field, member)]));
}

function readField(kind: Extract<Kind, { is: 'struct' }>, field: string, member: Json): Json {
  const of = kind.fields[field];
  return of === undefined ? member : read(of, member, field);
}

function readSubnet(value: Json): Json {
  if (!isMembers(value)) throw new Invalid('Subnet type is invalid');
  if (!('ip_prefix' in value)) throw new Invalid("'ip_prefix'");
  if (!('ip_prefix_len' in value)) throw new Invalid("'ip_prefix_len'");
  const { ip_prefix: prefix = null, ip_prefix_len: length = null } = value;
  const bits = Number(length);
  if (typeof prefix !== 'string' || !isPrefix(prefix, bits)) {
    throw new Invalid(`Subnet type '${plain(prefix)}/${plain(length)}' is invalid`);
  }
  return { ...value, ip_prefix_len: bits };
}

function isPrefix(address: string, bits: number): boolean {
  if (!ipaddr.isValid(address) || !Number.isInteger(bits) || bits < 0) return false;
  return bits <= (ipaddr.parse(address).kind() === 'ipv4' ? 32 : 128);
}

/** Shortest prefix that one standby pair may hold. */
const STANDBY_BITS = { 4: 24, 6: 120 } as const;

function checkAddressPair(pair: Json): void {
  const ip = memberOf(pair, 'ip');
  if (ip === null) throw crash("AttributeError: 'NoneType' object has no attribute 'get'");
  const length = Number(memberOf(readSubnet(ip), 'ip_prefix_len'));
  if (isMembers(pair) && !('address_mode' in pair)) throw new Invalid("'address_mode'");
  if (memberOf(pair, 'address_mode') !== 'active-standby') return;
  const version = String(memberOf(ip, 'ip_prefix')).includes(':') ? 6 : 4;
  const least = STANDBY_BITS[version];
  if (length < least) {
    throw new Invalid(`IPv${version} Prefix length lesser than ${least}:it is ${length} - is not acceptable`);
  }
}

function plain(value: Json): string {
  return typeof value === 'string' ? value : repr(value);
}
