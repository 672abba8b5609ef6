import type { L7RuleSpec, LoadBalancerSpec } from '../../../driver/protocol/spec';
import { aListener, aMember, aMonitor, aPolicy, aPool, aRule, aSpec } from '../agentSpecs';
import { aListenerTls, aPoolTls } from '../agentTls';
import type { At } from './values';

/** A spec with a text in every place where a spec can have one. */
export function specOf(at: At): LoadBalancerSpec {
  return aSpec({
    vips: [at('vip', '127.80.200.1')],
    listeners: [
      aListener({
        allowedCidrs: [at('cidr', '10.0.0.0/8')],
        insertHeaders: { [at('header', 'X-Real-IP')]: at('header value', 'true') },
        l7Policies: policies(at),
        log: { target: at('log target', '127.0.0.1:514') },
      }),
      aListener({ id: at('listener id', 'listener-2'), port: 8081, defaultPoolId: at('pool id', 'pool-2') }),
      aListener({ id: 'listener-log', protocol: 'TCP', port: 8082, log: { target: at('log file', '/var/log/x') } }),
      aListener({ id: at('metrics id', 'listener-metrics'), protocol: 'PROMETHEUS', port: 8083, defaultPoolId: null }),
      aListener({ id: 'listener-tls', protocol: 'TERMINATED_HTTPS', port: 8443, tls: listenerTls(at) }),
    ],
    pools: [
      aPool({
        persistence: {
          type: 'APP_COOKIE',
          cookieName: at('cookie name', 'session'),
          timeout: null,
          granularity: at('granularity', '255.255.255.0'),
        },
        members: [
          aMember({ address: at('member address', '10.0.0.1') }),
          aMember({ id: at('member id', 'member-2'), monitorAddress: at('monitor address', '10.0.0.1') }),
        ],
        monitor: aMonitor({
          id: at('monitor id', 'monitor-1'),
          httpMethod: at('method', 'GET'),
          urlPath: at('url path', '/'),
          expectedCodes: at('codes', '200'),
          httpVersion: 1.1,
          domainName: at('domain', 'www.example.org'),
        }),
      }),
      aPool({
        id: at('pool id', 'pool-2'),
        members: [aMember({ id: 'member-tls' })],
        tls: aPoolTls({ ciphers: at('pool ciphers', 'ECDHE+AESGCM'), ca: aMaterial('ca-1') }),
      }),
    ],
  });
}

function listenerTls(at: At) {
  return aListenerTls({
    certificate: aMaterial('certificate-1'),
    sni: [aMaterial('certificate-2')],
    ciphers: at('listener ciphers', 'ECDHE+AESGCM'),
    alpn: ['h2', 'http/1.1'],
    hsts: { maxAge: 1, includeSubdomains: true, preload: true },
    clientAuthentication: 'OPTIONAL',
    clientCa: aMaterial('ca-2'),
  });
}

function aMaterial(name: string) {
  return { name, digest: '0'.repeat(64), problem: null };
}

function policies(at: At) {
  const rule = (type: L7RuleSpec['type'], compareType: L7RuleSpec['compareType'], plain: string) =>
    aRule({
      id: `${type}-${compareType}`,
      type,
      compareType,
      key: type === 'HEADER' || type === 'COOKIE' ? at(`${type} key`, 'X-Kind') : null,
      value: at(`${type} ${compareType}`, plain),
    });
  const dn = { ...rule('SSL_DN_FIELD', 'CONTAINS', 'a'), key: at('SSL_DN_FIELD key', 'CN') };
  return [
    aPolicy({ id: at('policy id', 'policy-1'), rules: [aRule({ id: at('rule id', 'rule-1') })] }),
    aPolicy({
      id: 'policy-2',
      action: 'REDIRECT_TO_URL',
      redirectUrl: at('redirect URL', 'http://a/'),
      rules: [rule('HOST_NAME', 'EQUAL_TO', 'a'), rule('HOST_NAME', 'REGEX', 'a'), rule('PATH', 'STARTS_WITH', '/')],
    }),
    aPolicy({
      id: 'policy-3',
      action: 'REDIRECT_PREFIX',
      redirectPrefix: at('redirect prefix', 'http://a'),
      rules: [rule('PATH', 'REGEX', 'a'), rule('FILE_TYPE', 'EQUAL_TO', 'a'), rule('FILE_TYPE', 'REGEX', 'a')],
    }),
    aPolicy({
      id: 'policy-4',
      action: 'REDIRECT_TO_POOL',
      redirectPoolId: at('pool id', 'pool-2'),
      rules: [rule('HEADER', 'EQUAL_TO', 'a'), rule('HEADER', 'REGEX', 'a'), rule('COOKIE', 'ENDS_WITH', 'a')],
    }),
    aPolicy({ id: 'policy-5', rules: [rule('SSL_CONN_HAS_CERT', 'EQUAL_TO', 'True'), dn] }),
    aPolicy({ id: 'policy-6', rules: [rule('SSL_VERIFY_RESULT', 'EQUAL_TO', '0')] }),
  ];
}
