import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { type Ask, accepted, readIn } from './answers';

const Availability = z.object({
  network_ip_availability: z.object({
    subnet_ip_availability: z.array(z.object({ subnet_id: z.string(), total_ips: z.number(), used_ips: z.number() })),
  }),
});
const Pools = z.object({
  subnet: z.object({
    network_id: z.string(),
    allocation_pools: z.array(z.object({ start: z.string(), end: z.string() })).nullish(),
  }),
});
const UsedPorts = z.object({
  ports: z.array(
    z.object({ fixed_ips: z.array(z.object({ subnet_id: z.string(), ip_address: z.string() })).nullish() }),
  ),
});

/**
 * Counts a subnet's free addresses by the extension `network-ip-availability`, and where Neutron has not got it (Contrail's
 * has not) by its pools less the addresses of its ports. 0 for an unknown subnet.
 */
export function createFreeAddressCounter(ask: Ask): (subnetId: string) => Promise<number> {
  return async (subnetId) => {
    const found = await ask.any({ method: 'GET', path: `/v2.0/subnets/${encodeURIComponent(subnetId)}` });
    if (found.status === 404) return 0;
    const { network_id: networkId, allocation_pools: pools } = readIn(accepted(found).body, Pools).subnet;
    const path = `/v2.0/network-ip-availabilities/${encodeURIComponent(networkId)}`;
    const answer = await ask.any({ method: 'GET', path });
    if (answer.status < 400) {
      const { subnet_ip_availability: subnets } = readIn(answer.body, Availability).network_ip_availability;
      const mine = subnets.find(({ subnet_id }) => subnet_id === subnetId);
      if (mine) return Math.max(0, mine.total_ips - mine.used_ips);
    }
    const query = `fixed_ips=${encodeURIComponent(`subnet_id=${subnetId}`)}&fields=fixed_ips`;
    const { ports } = readIn(await ask.ok({ method: 'GET', path: `/v2.0/ports?${query}` }), UsedPorts);
    const addresses = ports.flatMap(({ fixed_ips }) => (fixed_ips ?? []).filter((ip) => ip.subnet_id === subnetId));
    return countFree(
      pools ?? [],
      addresses.map((ip) => ip.ip_address),
    );
  };
}

/** Addresses of the pools that none of the used ones is. */
export function countFree(pools: readonly { start: string; end: string }[], used: readonly string[]): number {
  const ranges = pools.map(({ start, end }) => ({ from: toInteger(start), to: toInteger(end) }));
  const inPools = new Set(used.map(toInteger).filter((it) => ranges.some(({ from, to }) => it >= from && it <= to)));
  const total = ranges.reduce((sum, { from, to }) => sum + (to - from + 1n), 0n);
  const free = total - BigInt(inPools.size);
  return free > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(free < 0n ? 0n : free);
}

function toInteger(address: string): bigint {
  return ipaddr
    .parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}
