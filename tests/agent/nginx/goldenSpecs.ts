import type { LoadBalancerSpec } from '../../../driver/protocol/spec';
import { aListener, aMember, aPool, aSpec } from '../../support/agentSpecs';

const udp = aListener({ protocol: 'UDP', port: 53 });
const member = (index: number, over: Parameters<typeof aMember>[0] = {}) =>
  aMember({ id: `member-${index}`, address: `10.0.0.${index}`, port: 5300 + index, ...over });
const sourceIp = (granularity: string | null) => ({
  type: 'SOURCE_IP' as const,
  cookieName: null,
  timeout: 360,
  granularity,
});

/** One for each thing that is written differently. */
export const NGINX_SPECS: Readonly<Record<string, LoadBalancerSpec>> = {
  'round-robin': aSpec({
    vips: ['203.0.113.5', '2001:db8::5'],
    listeners: [udp],
    pools: [
      aPool({
        protocol: 'UDP',
        members: [
          member(1, { weight: 4 }),
          member(2, { weight: 2, address: '2001:db8::2' }),
          member(3, { weight: 0 }),
          member(4, { enabled: false }),
          member(5, { backup: true }),
        ],
      }),
    ],
  }),
  'limits-and-networks': aSpec({
    listeners: [
      { ...udp, connectionLimit: 100, allowedCidrs: ['198.51.100.0/24', '2001:db8::/32'], timeoutClientData: 5000 },
      { ...udp, id: 'listener-2', port: 514, timeoutClientData: 0, defaultPoolId: 'pool-2' },
      { ...udp, id: 'listener-unserved', port: 69, defaultPoolId: null },
    ],
    pools: [
      aPool({ protocol: 'UDP', algorithm: 'LEAST_CONNECTIONS', members: [member(1), member(2)] }),
      aPool({ id: 'pool-2', protocol: 'UDP', algorithm: 'SOURCE_IP_PORT', members: [member(3)] }),
    ],
  }),
  hashes: aSpec({
    listeners: [udp, { ...udp, id: 'listener-2', port: 54, defaultPoolId: 'pool-2' }],
    pools: [
      aPool({
        protocol: 'UDP',
        algorithm: 'SOURCE_IP',
        members: [member(1, { weight: 10 }), member(2, { weight: 5 })],
      }),
      aPool({ id: 'pool-2', protocol: 'UDP', persistence: sourceIp(null), members: [member(3)] }),
    ],
  }),
  granularity: aSpec({
    listeners: [udp, { ...udp, id: 'listener-2', port: 54, defaultPoolId: 'pool-2' }],
    pools: [
      aPool({ protocol: 'UDP', persistence: sourceIp('255.255.192.0'), members: [member(1), member(2)] }),
      aPool({ id: 'pool-2', protocol: 'UDP', persistence: sourceIp('ffff:ffff:8000::'), members: [member(3)] }),
    ],
  }),
};
