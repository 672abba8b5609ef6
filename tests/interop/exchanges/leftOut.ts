/** Scenarios that cannot be played, by a pattern of their names, with the reason. */
export const LEFT_OUT: readonly { readonly names: RegExp; readonly why: string }[] = [
  {
    names: /not.authorized|unscoped|no role|bogus role|non admin|by project id|no project id|Authorized member/i,
    why: 'identities and roles are not in the recording',
  },
  {
    names: /^ContentTypes|^HealthCheck|content types/,
    why: 'what differs is in request headers, which are not in the recording, or in the way the check is mounted',
  },
  {
    names: /subnet fail|invalid vip|bad subnet|subnet not found|non exist qos|different networks|network has no subnet/,
    why: 'a network service was patched in that knows nothing, or something else than asked',
  },
  {
    names: /bad ca cert|crl mismatch|unreachable crl|no subject no alt names|bad ca tls|bad tls ref|tls container ref$/,
    why: 'certificates that were patched in',
  },
  { names: /vip vnic type direct|many rules|sriov$/, why: 'a flavor or a limit that was patched in' },
  { names: /incompatible allowed cidrs/, why: 'the texts name a VIP address that a patched driver made up' },
  { names: /hides deleted/, why: 'rows were marked DELETED without a request' },
  {
    names: /^Amphora (config|failover|get)/,
    why: 'amphorae were written into the database without a request',
  },
  {
    names: /^(AvailabilityZoneProfiles|FlavorProfiles|Flavors) get all/,
    why: 'lists in the order of ids, which both sides draw at random',
  },
  {
    names: /^AvailabilityZoneCapabilities (authorized|noop)/,
    why: 'capabilities of a provider that was made up, its descriptions are not ours',
  },
  {
    names: /^Quotas (custom partial|delete custom)/,
    why: 'the defaults were random numbers',
  },
];
