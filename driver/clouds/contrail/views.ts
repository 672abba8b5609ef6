import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import type { HostPair } from './port';
import { FqName, type VncObject } from './vnc';

/** Parts of objects as the API shows them. What is absent is null or left out there. */

const Reference = z.looseObject({ uuid: z.string(), to: FqName });
export type Reference = z.infer<typeof Reference>;
const References = z.array(Reference);

/** The references under that name; none when it is absent. */
export function referencesOf(object: VncObject, name: string): Reference[] {
  const parsed = References.safeParse(object[name] ?? []);
  return parsed.success ? parsed.data : [];
}

export function idsOf(object: VncObject, name: string): string[] {
  return referencesOf(object, name).map(({ uuid }) => uuid);
}

const Pair = z.looseObject({
  ip: z.looseObject({ ip_prefix: z.string(), ip_prefix_len: z.number().int() }),
  mac: z.string().nullish(),
  address_mode: z.string().nullish(),
});
/** Kept whole, for what somebody else wrote goes back as it was. */
export type Pair = z.infer<typeof Pair>;
const Pairs = z.looseObject({ allowed_address_pair: z.array(Pair).nullish() });

export const PAIRS = 'virtual_machine_interface_allowed_address_pairs';

export function pairsOf(object: VncObject): readonly Pair[] {
  const parsed = Pairs.safeParse(object[PAIRS] ?? {});
  return parsed.success ? (parsed.data.allowed_address_pair ?? []) : [];
}

export function hostPairOf(address: string, mode: HostPair['mode']): Pair {
  const prefix = address.includes(':') ? 128 : 32;
  return { ip: { ip_prefix: address, ip_prefix_len: prefix }, mac: '', address_mode: mode };
}

/** Undefined for a pair of a range, or with a MAC of its own. */
export function toHostPair({ ip, mac, address_mode: mode }: Pair): HostPair | undefined {
  const whole = ip.ip_prefix.includes(':') ? 128 : 32;
  if (ip.ip_prefix_len !== whole || (mac ?? '') !== '') return undefined;
  // What names no mode is served as Neutron's are.
  return { address: ip.ip_prefix, mode: mode === 'active-active' ? mode : 'active-standby' };
}

/** Whether two texts mean one address. */
export function sameAddress(one: string, other: string): boolean {
  return one === other || canonical(one) === canonical(other);
}

/** Equal for all texts that mean one address: IPv6 is written in many ways. */
export function canonical(address: string): string {
  return address.includes(':') && ipaddr.isValid(address) ? ipaddr.parse(address).toNormalizedString() : address;
}

const Annotations = z.looseObject({
  key_value_pair: z.array(z.looseObject({ key: z.string(), value: z.string() })).nullish(),
});

/** What we mark objects with: the id of what they are for. */
export const MARK = 'slipstream';

export function markOf(object: VncObject): string | null {
  const parsed = Annotations.safeParse(object['annotations'] ?? {});
  const pairs = parsed.success ? (parsed.data.key_value_pair ?? []) : [];
  return pairs.find(({ key }) => key === MARK)?.value ?? null;
}

/** A member that marks an object which is about to be made. */
export function marked(value: string): { annotations: object } {
  return { annotations: { key_value_pair: [{ key: MARK, value }] } };
}

export function textOf(object: VncObject, name: string): string | null {
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

export function numberOf(object: VncObject, name: string): number | null {
  const value = object[name];
  return typeof value === 'number' ? value : null;
}
