/** What a security group lets in or out; what is null means any. */
export interface SecurityGroupRule {
  readonly direction: 'ingress' | 'egress';
  readonly etherType: 'IPv4' | 'IPv6';
  /** A name (`tcp`, `icmpv6`) or a number, as it was given. */
  readonly protocol: string | null;
  readonly portMin: number | null;
  readonly portMax: number | null;
  readonly remotePrefix: string | null;
  readonly remoteGroupId: string | null;
  /** Addresses kept in a list of their own, which is not read here. */
  readonly remoteAddressGroupId: string | null;
}
