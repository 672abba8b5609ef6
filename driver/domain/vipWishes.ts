/** What a flavor says of how VIPs are wired. Names and ids are the network service's. */
export interface VipWishes {
  /** Null: as the configuration says. */
  readonly mode: 'aap' | 'bgp' | null;
  /** Where a floating IP is allocated; null: none is. */
  readonly floatingNetwork: string | null;
  /** Null: any subnet of that network. */
  readonly floatingSubnet: string | null;
}

/** Reads the data of a flavor's profile. */
export function readVipWishes(flavor: Readonly<Record<string, unknown>>): VipWishes {
  const mode = flavor['vip_mode'];
  const idIn = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
  return {
    mode: mode === 'aap' || mode === 'bgp' ? mode : null,
    floatingNetwork: idIn(flavor['floating_network']),
    floatingSubnet: idIn(flavor['floating_subnet']),
  };
}
