import { bool, choice, choices, integer, list, optionalText, pairs, port, seconds, text } from '../options';
import { section } from '../section';

const CIPHERS =
  'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-SHA256:DHE-RSA-AES256-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384';
const TLS_VERSIONS = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
const MODERN_TLS = ['TLSv1.2', 'TLSv1.3'] as const;
const ALPN = ['h2', 'http/1.1', 'http/1.0'] as const;

const PROVIDERS = {
  slipstream: 'The Slipstream driver.',
  octavia: 'Another name of the Slipstream driver.',
  amphora: 'Another name of the Slipstream driver.',
};

export const api_settings = section(
  'The REST API.',
  {
    bind_host: text('127.0.0.1', 'Address to listen on.'),
    bind_port: port(9876, 'Port to listen on.'),
    auth_strategy: choice(
      'keystone',
      ['keystone', 'noauth'],
      'Who says who a caller is. `noauth` believes the headers `X-Project-Id`, `X-User-Id` and `X-Roles`: for tests and benchmarks.',
    ),
    noauth_allow_remote: bool(false, 'Let `noauth` listen on other addresses than loopback.'),
    api_base_uri: optionalText('URL that links in answers begin with. The default is taken from each request.'),
    allow_pagination: bool(true, 'Take `limit` and `marker` in lists.'),
    allow_sorting: bool(true, 'Take `sort`, `sort_key` and `sort_dir` in lists.'),
    allow_filtering: bool(true, 'Take filters in lists.'),
    allow_field_selection: bool(true, 'Take `fields`.'),
    pagination_max_limit: integer(1000, [1, 1_000_000], 'Longest page of a list.'),
    immutable_wait: seconds(
      5,
      'How long a write waits for a load balancer in PENDING_CREATE or PENDING_UPDATE before it answers 409. 0: not at all, as Octavia does.',
    ),
    enabled_provider_drivers: pairs(
      PROVIDERS,
      'Names under which this driver answers, with the descriptions users are shown.',
    ),
    default_provider_driver: text(
      'slipstream',
      'The provider of a load balancer that names none; one of the names above.',
    ),
    allow_tls_terminated_listeners: bool(true, 'Take listeners with protocol TERMINATED_HTTPS.'),
    allow_prometheus_listeners: bool(true, 'Take listeners with protocol PROMETHEUS.'),
    allow_ping_health_monitors: bool(true, 'Take health monitors of type PING.'),
    udp_connect_min_interval_health_monitor: integer(
      3,
      [0, 3600],
      'Smallest `delay` of UDP-CONNECT monitors, in seconds.',
    ),
    default_listener_ciphers: text(CIPHERS, 'Ciphers of listeners that name none.'),
    default_pool_ciphers: text(CIPHERS, 'Ciphers of TLS pools that name none.'),
    tls_cipher_prohibit_list: text('', 'Ciphers nobody may name, joined by colons.'),
    default_listener_tls_versions: choices(MODERN_TLS, TLS_VERSIONS, 'TLS versions of listeners that name none.'),
    default_pool_tls_versions: choices(MODERN_TLS, TLS_VERSIONS, 'TLS versions of TLS pools that name none.'),
    minimum_tls_version: choice('', ['', ...TLS_VERSIONS], 'Older versions are refused. Empty: none is.'),
    default_listener_alpn_protocols: choices(ALPN, ALPN, 'ALPN protocols of listeners that name none.'),
    default_pool_alpn_protocols: choices(ALPN, ALPN, 'ALPN protocols of TLS pools that name none.'),
    healthcheck_enabled: bool(true, 'Serve `/healthcheck`.'),
    healthcheck_refresh_interval: seconds(5, 'How long a result of the health check is remembered.'),
  },
  ['api_handler', 'api_v1_enabled', 'api_v2_enabled', 'auth_version'],
);

export const cors = section(
  'Browsers that may call the API.',
  {
    allowed_origin: list([], 'Origins that may read answers, `*` for all. Empty: none.'),
  },
  ['allow_credentials', 'expose_headers', 'max_age', 'allow_methods', 'allow_headers'],
);

export const oslo_policy = section(
  'Who may do what.',
  {
    policy_file: text(
      'policy.yaml',
      'Rules that override the built-in ones, relative to the configuration file. It need not exist; it is read again when it changes.',
    ),
    policy_dirs: list(['policy.d'], 'Directories of further such files, read in the order of their names.'),
    policy_default_rule: text('default', 'The rule for what no rule names. Where there is none, it is denied.'),
    role_model: choice(
      'default',
      ['default', 'advanced', 'admin_or_owner', 'keystone_default_roles', 'keystone_default_roles_scoped'],
      'Whom the built-in rules let do what: `default` as `enforce_new_defaults` says, `advanced` by the `load-balancer_` roles alone, the others as the policy files of those names that come with Octavia.',
    ),
    enforce_new_defaults: bool(
      false,
      'Decide by the roles reader, member and admin of Keystone alone. Otherwise the `load-balancer_` roles grant as well.',
    ),
    enforce_scope: bool(false, 'Refuse tokens that are not of a project.'),
  },
  ['remote_content_type', 'remote_ssl_verify_server_crt', 'remote_timeout'],
);

const NETWORK_IDS = 'Take `vip_network_id` at create.';

export const networking = section(
  'Networks VIPs and members may be in.',
  {
    allow_vip_network_id: bool(true, NETWORK_IDS),
    allow_vip_subnet_id: bool(true, 'Take `vip_subnet_id` at create.'),
    allow_vip_port_id: bool(true, 'Take `vip_port_id` at create.'),
    valid_vip_networks: list([], 'The only networks VIPs may be in. Empty: any.'),
    denylist_vip_networks: list([], 'Networks VIPs may not be in.'),
    reserved_ips: list(['169.254.169.254'], 'Addresses no member may have.'),
    allow_invisible_resource_usage: bool(
      false,
      'Let users name networks, subnets and ports they cannot see themselves.',
    ),
  },
  ['max_retries', 'retry_interval', 'retry_backoff', 'retry_max', 'port_detach_timeout'],
);

const quota = (what: string) => integer(-1, [-1, 2_147_483_647], `${what} a project may have. -1: any number.`);

export const quotas = section('Limits of projects that have none of their own.', {
  default_load_balancer_quota: quota('Load balancers'),
  default_listener_quota: quota('Listeners'),
  default_pool_quota: quota('Pools'),
  default_member_quota: quota('Members'),
  default_health_monitor_quota: quota('Health monitors'),
  default_l7policy_quota: quota('L7 policies'),
  default_l7rule_quota: quota('L7 rules'),
});

const timeout = (standard: number, what: string) =>
  integer(standard, [0, 31_536_000_000], `${what}, in milliseconds, of listeners that name none.`);

export const haproxy_amphora = section(
  'Defaults of listeners. Other options of this section of an octavia.conf have no meaning here.',
  {
    timeout_client_data: timeout(50_000, 'Inactivity time-out towards clients'),
    timeout_member_connect: timeout(5_000, 'Connect time-out towards members'),
    timeout_member_data: timeout(50_000, 'Inactivity time-out towards members'),
    timeout_tcp_inspect: timeout(0, 'Wait for content to inspect'),
  },
  'any',
);
