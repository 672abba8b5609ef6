import type { ChangeSettings } from '../../../api/changes/settings';

/** The provider of the recorded Octavia. */
const PROVIDERS = ['noop_driver', 'octavia', 'amphora', 'noop_driver-alt'];

const UNLIMITED = {
  load_balancer: -1,
  listener: -1,
  pool: -1,
  member: -1,
  health_monitor: -1,
  l7policy: -1,
  l7rule: -1,
};

/** Octavia's default when the recording was made. */
const CIPHERS =
  'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305';

/** Configuration that the recording's tests set, where a scenario's name tells. */
const BY_NAME: readonly { readonly names: RegExp; readonly settings: Partial<ChangeSettings> }[] = [
  { names: /ping when ping disabled/, settings: { allowPingHealthMonitors: false } },
  { names: /disallowed network id/, settings: { validVipNetworks: ['none'] } },
  {
    names: /disallowed vip objects/,
    settings: { allowVipNetworkId: false, allowVipSubnetId: false, allowVipPortId: false },
  },
  {
    names: /Listener create with default timeouts|Graph with one listener with default timeouts/,
    settings: {
      timeoutClientData: 20,
      timeoutMemberConnect: 21,
      timeoutMemberData: 0,
      timeoutTcpInspect: 2_073_600_000,
    },
  },
  {
    names: /Listener update unset defaults/,
    settings: {
      timeoutClientData: 20,
      timeoutMemberConnect: 21,
      timeoutMemberData: 22,
      timeoutTcpInspect: 23,
      defaultListenerAlpnProtocols: ['http/1.1'],
    },
  },
  { names: /over quota listeners/, settings: { defaultQuotas: { ...UNLIMITED, listener: 0 } } },
  { names: /LoadBalancer create over quota/, settings: { defaultQuotas: { ...UNLIMITED, load_balancer: 0 } } },
  { names: /L7Policy create over quota/, settings: { defaultQuotas: { ...UNLIMITED, l7policy: 0 } } },
];

export function settingsFor(scenario: string): Partial<ChangeSettings> {
  const common: Partial<ChangeSettings> = {
    providers: PROVIDERS,
    defaultProvider: 'noop_driver',
    sctp: true,
    defaultListenerCiphers: CIPHERS,
    defaultPoolCiphers: CIPHERS,
  };
  return Object.assign(
    {},
    common,
    ...BY_NAME.filter(({ names }) => names.test(scenario)).map(({ settings }) => settings),
  );
}
