import { randomInt } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { referencesOf } from './views';
import type { VncObject } from './vnc';

/** A subnet as the link between a network and its IPAM has it. */
export interface IpamSubnet {
  readonly id: string;
  readonly prefix: string;
  readonly prefixLength: number;
  readonly gateway: string | null;
  /** Chosen by the API where nobody did. */
  readonly dnsServer: string | null;
}

const Attributes = z.looseObject({
  ipam_subnets: z
    .array(
      z.looseObject({
        subnet_uuid: z.string().nullish(),
        subnet: z.looseObject({ ip_prefix: z.string(), ip_prefix_len: z.number().int() }).nullish(),
        default_gateway: z.string().nullish(),
        dns_server_address: z.string().nullish(),
      }),
    )
    .nullish(),
});

/** Of a network that was read with its `network_ipam_refs`. */
export function subnetsOf(network: VncObject): IpamSubnet[] {
  return referencesOf(network, 'network_ipam_refs').flatMap((link) => {
    const attributes = Attributes.safeParse(link['attr'] ?? {});
    const subnets = attributes.success ? (attributes.data.ipam_subnets ?? []) : [];
    return subnets.flatMap(({ subnet_uuid: id, subnet, default_gateway: gateway, dns_server_address: dns }) =>
      id && subnet
        ? [{ id, prefix: subnet.ip_prefix, prefixLength: subnet.ip_prefix_len, ...reached(gateway, dns) }]
        : [],
    );
  });
}

function reached(gateway: string | null | undefined, dns: string | null | undefined) {
  const given = (address: string | null | undefined): string | null =>
    address && ipaddr.isValid(address) && ipaddr.parse(address).range() !== 'unspecified' ? address : null;
  return { gateway: given(gateway), dnsServer: given(dns) };
}

/** Addresses that are tried before a subnet is called full; those of a small one all. */
const TRIES = 64;

/** Addresses of the subnet, in an order that differs from caller to caller, so that they seldom meet. */
export function addressesToTry({ prefix, prefixLength, gateway, dnsServer }: IpamSubnet): string[] {
  if (!ipaddr.isValid(prefix)) return [];
  const bytes = ipaddr.parse(prefix).toByteArray();
  // Of a larger subnet as many as 32 bits can tell.
  const size = 2 ** Math.min(32, bytes.length * 8 - prefixLength);
  const first = bytes.slice(-4).reduce((sum, byte) => sum * 256 + byte, 0);
  const usable = Math.max(0, size - 2);
  const start = usable > 0 ? randomInt(usable) : 0;
  const taken = [gateway, dnsServer].flatMap((address) => (address === null ? [] : ipaddr.parse(address).toString()));
  return Array.from({ length: Math.min(TRIES, usable) }, (_, index) =>
    toText(bytes.slice(0, -4), first + 1 + ((start + index) % usable)),
  ).filter((address) => !taken.includes(address));
}

function toText(front: readonly number[], number: number): string {
  const last = [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256);
  return ipaddr.fromByteArray([...front, ...last]).toString();
}
