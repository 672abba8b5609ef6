import type { Endpoint } from './endpoints';
import { MEMBER_PORT } from './stage';

/** Load balancers as the real Octavia is asked for them: with all that hangs on them, in one request. */

export interface TreeNeeds {
  readonly name: string;
  readonly vipSubnetId: string;
  readonly membersSubnetId: string;
  readonly members: readonly Endpoint[];
}

export interface FullTreeNeeds extends TreeNeeds {
  readonly flavorId: string;
  readonly availabilityZone: string;
  /** Of the VIP's network. */
  readonly otherSubnetId: string;
  /** A container of Barbican's, and a PKCS12 bundle there. */
  readonly certificates: { readonly container: string; readonly bundle: string };
}

const membersOf = ({ members, membersSubnetId }: TreeNeeds) =>
  members.map(({ address }, at) => ({
    ...{ name: `m${at}`, address, protocol_port: MEMBER_PORT, subnet_id: membersSubnetId, tags: ['member'] },
  }));
const monitor = (type: string, more: object = {}) => ({
  ...{ name: type, type, delay: 5, timeout: 3, max_retries: 2, max_retries_down: 2, tags: ['monitor'], ...more },
});
const webPool = (needs: TreeNeeds) => ({
  ...{ name: 'web', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', tags: ['pool'], members: membersOf(needs) },
  healthmonitor: monitor('HTTP', { url_path: '/alive', expected_codes: '200-204', http_method: 'GET' }),
});

/** A listener and its pool. */
export function smallTree(needs: TreeNeeds): object {
  const listeners = [{ name: 'web', protocol: 'HTTP', protocol_port: 80, default_pool: webPool(needs) }];
  return { name: needs.name, vip_subnet_id: needs.vipSubnetId, listeners };
}

/** Every kind of object, and every protocol that an engine serves. */
export function fullTree(needs: FullTreeNeeds): object {
  const pool = (name: string, protocol: string, healthmonitor: object, more: object = {}) => ({
    ...{ name, protocol, lb_algorithm: 'LEAST_CONNECTIONS', members: membersOf(needs), healthmonitor, ...more },
  });
  const listener = (name: string, port: number, more: object) => ({
    ...{ name, protocol: name, protocol_port: port, tags: ['listener'], ...more },
  });
  const { container, bundle } = needs.certificates;
  return {
    ...{ name: needs.name, description: 'of every kind', tags: ['one', 'two'] },
    ...{ vip_subnet_id: needs.vipSubnetId, additional_vips: [{ subnet_id: needs.otherSubnetId }] },
    ...{ flavor_id: needs.flavorId, availability_zone: needs.availabilityZone },
    pools: [
      webPool(needs),
      pool('secure', 'HTTPS', monitor('TLS-HELLO'), { session_persistence: { type: 'SOURCE_IP' } }),
      pool('plain', 'TCP', monitor('TCP'), { lb_algorithm: 'SOURCE_IP' }),
      pool('datagrams', 'UDP', monitor('UDP-CONNECT')),
      pool('proxied', 'PROXY', monitor('PING')),
      pool('sticky', 'HTTP', monitor('HTTP'), {
        session_persistence: { type: 'APP_COOKIE', cookie_name: 'JSESSIONID' },
      }),
    ],
    listeners: [
      listener('HTTP', 80, {
        ...{ default_pool: { name: 'web' }, allowed_cidrs: ['10.0.0.0/8', '172.24.4.0/24'], connection_limit: 200 },
        ...{ insert_headers: { 'X-Forwarded-For': 'true', 'X-Forwarded-Port': 'true' }, timeout_client_data: 12_345 },
        l7policies: POLICIES,
      }),
      listener('TERMINATED_HTTPS', 443, {
        ...{ default_pool: { name: 'web' }, default_tls_container_ref: container, sni_container_refs: [bundle] },
      }),
      listener('HTTPS', 8443, { default_pool: { name: 'secure' } }),
      listener('TCP', 1080, { default_pool: { name: 'plain' } }),
      listener('UDP', 53, { default_pool: { name: 'datagrams' } }),
      listener('PROMETHEUS', 9100, { allowed_cidrs: ['10.0.0.0/8'] }),
    ],
  };
}

/** Of every action, with rules of every type that plain HTTP has. */
const POLICIES = [
  {
    ...{ name: 'pool', action: 'REDIRECT_TO_POOL', redirect_pool: { name: 'sticky' }, tags: ['policy'] },
    rules: [{ type: 'PATH', compare_type: 'STARTS_WITH', value: '/sticky', tags: ['rule'] }],
  },
  {
    ...{ name: 'url', action: 'REDIRECT_TO_URL', redirect_url: 'https://elsewhere.example/', redirect_http_code: 301 },
    rules: [
      { type: 'HOST_NAME', compare_type: 'EQUAL_TO', value: 'old.example' },
      { type: 'HEADER', compare_type: 'EQUAL_TO', key: 'X-Old', value: 'yes', invert: true },
    ],
  },
  {
    ...{ name: 'prefix', action: 'REDIRECT_PREFIX', redirect_prefix: 'https://other.example' },
    rules: [{ type: 'FILE_TYPE', compare_type: 'EQUAL_TO', value: 'jpg' }],
  },
  {
    ...{ name: 'reject', action: 'REJECT' },
    rules: [{ type: 'COOKIE', compare_type: 'CONTAINS', key: 'who', value: 'nobody' }],
  },
];
