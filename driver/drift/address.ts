import ipaddr from 'ipaddr.js';

/** IPv6 is written in many ways: two texts that mean one address give one text. */
export function canonicalAddress(address: string): string {
  return address.includes(':') && ipaddr.isValid(address) ? ipaddr.parse(address).toNormalizedString() : address;
}

/** Of an address in a network. */
export function placeOf(networkId: string | null, address: string): string {
  return `${networkId} ${canonicalAddress(address)}`;
}
