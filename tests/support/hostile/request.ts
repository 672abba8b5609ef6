import type { At } from './values';

/** A fully populated create with a text in every place that reaches an engine. */
export function treeOf(at: At): object {
  return {
    name: at('name', 'x'),
    description: at('description', ''),
    vip_subnet_id: 'b6a6f4f4-3f4e-4c39-8d8c-5a8d8a1f2b11',
    listeners: [
      {
        name: at('listener name', 'x'),
        protocol: 'HTTP',
        protocol_port: 80,
        allowed_cidrs: [at('cidr', '10.0.0.0/8')],
        insert_headers: { [at('header', 'X-Real-IP')]: at('header value', 'true') },
        default_pool: pool(at),
        l7policies: policies(at),
      },
      {
        protocol: 'TERMINATED_HTTPS',
        protocol_port: 443,
        default_tls_container_ref: at('certificate', 'http://keys/v1/secrets/1'),
        tls_ciphers: at('listener ciphers', 'ECDHE+AESGCM'),
        alpn_protocols: [at('alpn', 'h2')],
        tls_versions: [at('TLS version', 'TLSv1.2')],
        default_pool: tlsPool(at),
      },
    ],
  };
}

function pool(at: At) {
  return {
    name: at('pool name', 'web'),
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
    session_persistence: { type: 'APP_COOKIE', cookie_name: at('cookie name', 'session') },
    members: [
      { name: at('member name', 'x'), address: at('member address', '10.0.0.1'), protocol_port: 80 },
      { address: '10.0.0.2', protocol_port: 80, monitor_address: at('monitor address', '10.0.0.3') },
    ],
    healthmonitor: {
      name: at('monitor name', 'x'),
      type: 'HTTP',
      delay: 5,
      timeout: 3,
      max_retries: 3,
      http_method: at('method', 'GET'),
      url_path: at('url path', '/'),
      expected_codes: at('codes', '200'),
      http_version: 1.1,
      domain_name: at('domain', 'www.example.org'),
    },
  };
}

function tlsPool(at: At) {
  return {
    name: 'tls',
    protocol: 'HTTP',
    lb_algorithm: 'LEAST_CONNECTIONS',
    tls_enabled: true,
    tls_ciphers: at('pool ciphers', 'ECDHE+AESGCM'),
    members: [{ address: '10.0.0.1', protocol_port: 443 }],
  };
}

function policies(at: At) {
  const rule = (type: string, compare_type: string, plain: string) => ({
    type,
    compare_type,
    ...(type === 'HEADER' || type === 'COOKIE' ? { key: at(`${type} key`, 'X-Kind') } : {}),
    value: at(`${type} ${compare_type}`, plain),
  });
  return [
    {
      name: at('policy name', 'x'),
      action: 'REDIRECT_TO_URL',
      redirect_url: at('redirect URL', 'http://a/'),
      rules: [rule('HOST_NAME', 'EQUAL_TO', 'a'), rule('HOST_NAME', 'REGEX', 'a'), rule('PATH', 'STARTS_WITH', '/')],
    },
    {
      action: 'REDIRECT_PREFIX',
      redirect_prefix: at('redirect prefix', 'http://a'),
      rules: [rule('PATH', 'REGEX', 'a'), rule('FILE_TYPE', 'EQUAL_TO', 'a'), rule('FILE_TYPE', 'REGEX', 'a')],
    },
    {
      action: 'REDIRECT_TO_POOL',
      redirect_pool: { name: 'web' },
      rules: [rule('HEADER', 'EQUAL_TO', 'a'), rule('HEADER', 'REGEX', 'a'), rule('COOKIE', 'ENDS_WITH', 'a')],
    },
    {
      action: 'REJECT',
      rules: [
        rule('SSL_CONN_HAS_CERT', 'EQUAL_TO', 'True'),
        { ...rule('SSL_DN_FIELD', 'CONTAINS', 'a'), key: at('SSL_DN_FIELD key', 'CN') },
        rule('SSL_VERIFY_RESULT', 'EQUAL_TO', '0'),
      ],
    },
  ];
}
