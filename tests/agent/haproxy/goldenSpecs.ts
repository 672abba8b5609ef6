import type { LoadBalancerSpec } from '../../../driver/protocol/spec';
import { aListener, aMember, aMonitor, aPolicy, aPool, aRule, aSpec } from '../../support/agentSpecs';

const web = aMember({ id: 'member-web', address: '10.0.0.11', port: 80, weight: 5 });
const spare = aMember({ id: 'member-spare', address: '10.0.0.12', port: 80, backup: true });
const drained = aMember({ id: 'member-drained', address: '10.0.0.13', port: 80, weight: 0 });
const disabled = aMember({ id: 'member-disabled', address: '10.0.0.14', port: 80, enabled: false });
const six = aMember({ id: 'member-six', address: 'fd00::15', port: 8443, monitorAddress: 'fd00::16', monitorPort: 99 });

/** One spec a file of tests/golden/haproxy. */
export const GOLDEN_SPECS: Readonly<Record<string, LoadBalancerSpec>> = {
  http: aSpec({
    listeners: [
      aListener({
        connectionLimit: 100,
        insertHeaders: {
          'X-Forwarded-For': 'true',
          'X-Forwarded-Port': 'True',
          'X-Forwarded-Proto': 'true',
          'X-Real-IP': 'false',
        },
      }),
    ],
    pools: [
      aPool({
        members: [web, spare, drained, disabled],
        monitor: aMonitor({
          delay: 5,
          timeout: 3,
          fallThreshold: 3,
          riseThreshold: 2,
          httpMethod: 'HEAD',
          urlPath: "/it's#ok?a=%20$HOME",
          expectedCodes: '200,204,301-308',
          httpVersion: 1.1,
          domainName: 'www.example.org',
        }),
      }),
    ],
  }),
  'tcp-dual-stack': aSpec({
    vips: ['127.80.200.1', 'fd00::1'],
    listeners: [
      aListener({ protocol: 'TCP', timeoutTcpInspect: 1500, allowedCidrs: ['10.0.0.0/8', 'fd00::/64'] }),
      aListener({ id: 'listener-nobody', protocol: 'TCP', port: 8081, defaultPoolId: null }),
    ],
    pools: [
      aPool({
        protocol: 'TCP',
        algorithm: 'LEAST_CONNECTIONS',
        members: [web, six],
        monitor: aMonitor({ type: 'TCP', urlPath: null, httpMethod: null, expectedCodes: null }),
      }),
    ],
  }),
  'https-pass-through': aSpec({
    listeners: [aListener({ protocol: 'HTTPS', port: 8443 })],
    pools: [
      aPool({
        protocol: 'HTTPS',
        algorithm: 'SOURCE_IP',
        members: [six],
        monitor: aMonitor({ type: 'HTTPS', httpVersion: 1.1, domainName: 'www.example.org' }),
      }),
    ],
  }),
  'tls-hello-proxy': aSpec({
    listeners: [aListener({ protocol: 'TCP' })],
    pools: [aPool({ protocol: 'PROXYV2', members: [web], monitor: aMonitor({ type: 'TLS-HELLO' }) })],
  }),
  'source-ip-port': aSpec({
    listeners: [aListener(), aListener({ id: 'listener-tcp', protocol: 'TCP', port: 8081, defaultPoolId: 'pool-tcp' })],
    pools: [
      aPool({ algorithm: 'SOURCE_IP_PORT', members: [web] }),
      aPool({ id: 'pool-tcp', protocol: 'PROXY', algorithm: 'SOURCE_IP_PORT', members: [web] }),
    ],
  }),
  persistence: aSpec({
    listeners: [
      aListener(),
      aListener({ id: 'listener-app', port: 8081, defaultPoolId: 'pool-app' }),
      aListener({ id: 'listener-source', port: 8082, defaultPoolId: 'pool-source' }),
    ],
    pools: [
      aPool({
        members: [web],
        persistence: { type: 'HTTP_COOKIE', cookieName: null, timeout: null, granularity: null },
      }),
      aPool({
        id: 'pool-app',
        members: [web],
        persistence: { type: 'APP_COOKIE', cookieName: "JSESSION'ID", timeout: null, granularity: null },
      }),
      aPool({
        id: 'pool-source',
        members: [web],
        persistence: { type: 'SOURCE_IP', cookieName: null, timeout: null, granularity: null },
      }),
    ],
  }),
  peers: aSpec({
    peers: {
      ...{ name: 'engine-b', address: 'fd00::5', port: 12_345 },
      others: [
        { name: 'engine-a', address: 'fd00::4' },
        { name: 'engine-c', address: 'fd00::6' },
      ],
    },
    listeners: [aListener()],
    pools: [
      aPool({
        members: [web],
        persistence: { type: 'APP_COOKIE', cookieName: 'session', timeout: null, granularity: null },
      }),
    ],
  }),
  'shared-pool': aSpec({
    listeners: [
      aListener(),
      aListener({ id: 'listener-same', port: 8081 }),
      aListener({ id: 'listener-slow', port: 8082, timeoutMemberData: 600_000 }),
      aListener({ id: 'listener-off', port: 8083, defaultPoolId: 'pool-off' }),
    ],
    pools: [aPool({ members: [web] }), aPool({ id: 'pool-off', enabled: false, members: [web] })],
  }),
  l7: aSpec({
    listeners: [
      aListener({
        insertHeaders: { 'X-Real-IP': 'true' },
        l7Policies: [
          aPolicy({
            id: 'policy-pool',
            action: 'REDIRECT_TO_POOL',
            redirectPoolId: 'pool-api',
            rules: [
              aRule({ id: 'rule-host', type: 'HOST_NAME', compareType: 'EQUAL_TO', value: 'api.example.org' }),
              aRule({ id: 'rule-path' }),
              aRule({ id: 'rule-type', type: 'FILE_TYPE', compareType: 'EQUAL_TO', value: 'jpg', invert: true }),
            ],
          }),
          aPolicy({
            id: 'policy-pool-off',
            action: 'REDIRECT_TO_POOL',
            redirectPoolId: 'pool-off',
            rules: [aRule({ id: 'rule-unused' })],
          }),
          aPolicy({
            id: 'policy-pool-broken',
            action: 'REDIRECT_TO_POOL',
            redirectPoolId: 'pool-broken',
            rules: [aRule({ id: 'rule-type-regex', type: 'FILE_TYPE', compareType: 'REGEX', value: '^jpe?g$' })],
          }),
          aPolicy({
            id: 'policy-prefix',
            action: 'REDIRECT_PREFIX',
            redirectPrefix: 'https://new.example.org/100%',
            redirectHttpCode: 308,
            rules: [aRule({ id: 'rule-cookie', type: 'COOKIE', compareType: 'CONTAINS', key: "it's", value: 'a b' })],
          }),
          aPolicy({
            id: 'policy-url',
            action: 'REDIRECT_TO_URL',
            redirectUrl: "https://www.example.org/?q='%[src]'",
            rules: [
              aRule({ id: 'rule-header', type: 'HEADER', key: 'X-Kind', compareType: 'EQUAL_TO', value: '"a, b"' }),
              aRule({ id: 'rule-host-start', type: 'HOST_NAME', value: '-f' }),
            ],
          }),
          aPolicy({
            id: 'policy-reject',
            rules: [
              aRule({
                id: 'rule-cert',
                type: 'SSL_CONN_HAS_CERT',
                compareType: 'EQUAL_TO',
                value: 'True',
                invert: true,
              }),
              aRule({ id: 'rule-verify', type: 'SSL_VERIFY_RESULT', compareType: 'EQUAL_TO', value: '0' }),
              aRule({
                id: 'rule-dn',
                type: 'SSL_DN_FIELD',
                compareType: 'ENDS_WITH',
                key: 'CN',
                value: '.example.org',
              }),
              aRule({ id: 'rule-path-regex', compareType: 'REGEX', value: '^/(a|b)\\d+"x"$' }),
            ],
          }),
        ],
      }),
    ],
    pools: [
      aPool({ members: [web] }),
      aPool({ id: 'pool-api', protocol: 'PROXY', members: [spare] }),
      aPool({ id: 'pool-off', enabled: false, members: [web] }),
    ],
  }),
  logged: aSpec({
    listeners: [
      aListener({ log: { target: '/var/log/slipstream/web.log' } }),
      aListener({
        id: 'listener-tcp',
        protocol: 'TCP',
        port: 8081,
        defaultPoolId: 'pool-tcp',
        log: { target: '[fd00::9]:514' },
      }),
    ],
    pools: [aPool({ members: [web] }), aPool({ id: 'pool-tcp', protocol: 'TCP', members: [web] })],
  }),
  prometheus: aSpec({
    listeners: [
      aListener({
        protocol: 'PROMETHEUS',
        port: 9100,
        defaultPoolId: null,
        allowedCidrs: ['10.0.0.0/8'],
        connectionLimit: 5,
      }),
    ],
    pools: [],
  }),
  'tcp-to-http': aSpec({
    listeners: [aListener({ protocol: 'TCP' })],
    pools: [aPool({ members: [web] })],
  }),
  'ping-monitor': aSpec({
    pools: [aPool({ members: [web], monitor: aMonitor({ type: 'PING' }) })],
  }),
};
