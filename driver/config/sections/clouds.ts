import { bool, choice, integer, list, optionalText, port, seconds, secret, text } from '../options';
import { section } from '../section';

/** How a service is found in the catalogue. */
const endpoint = (what: string) => ({
  region_name: optionalText('Region in the catalogue.'),
  endpoint_type: text('publicURL', 'Interface in the catalogue.'),
  ca_certificates_file: optionalText(`CA certificates that ${what} is checked with.`),
  insecure: bool(false, `Do not check the certificate of ${what}.`),
});

/** How this service proves who it is. */
const credentials = {
  auth_type: text(
    'password',
    'Plug-in of the credentials: `password` (or `v3password`), or `v3applicationcredential`.',
  ),
  auth_url: optionalText('URL of Keystone, with or without its version.'),
  username: optionalText('User of this service.'),
  user_id: optionalText('The same by its id, which needs no domain.'),
  password: secret('Its password.'),
  user_domain_name: text('Default', 'Domain of the user.'),
  user_domain_id: optionalText('The same by its id; goes before the name.'),
  project_name: optionalText('Its project.'),
  project_id: optionalText('The same by its id, which needs no domain.'),
  project_domain_name: text('Default', 'Domain of the project.'),
  project_domain_id: optionalText('The same by its id; goes before the name.'),
  domain_name: optionalText('Domain the token is for, instead of a project.'),
  domain_id: optionalText('The same by its id.'),
  system_scope: choice('', ['', 'all'], '`all` for a token for the system, instead of a project.'),
  trust_id: optionalText('Trust the token is for, instead of a project.'),
  application_credential_id: optionalText('Application credential, for `v3applicationcredential`.'),
  application_credential_name: optionalText('The same by its name, together with the user.'),
  application_credential_secret: secret('Its secret.'),
  region_name: optionalText('Region in the catalogue.'),
  cafile: optionalText('CA certificates that Keystone is checked with. The default is those of Node.'),
  certfile: optionalText('Certificate that this service shows to Keystone.'),
  keyfile: optionalText('Its private key.'),
  insecure: bool(false, 'Do not check the certificate of Keystone.'),
};

export const keystone_authtoken = section(
  'How tokens are checked: by Keystone, asked with the credentials given here. The embedded site has a Keystone of its own ' +
    'and reads nothing but `token_cache_time` and the roles of service tokens. Options about memcached have no meaning: ' +
    'each process remembers tokens by itself.',
  {
    ...credentials,
    www_authenticate_uri: optionalText(
      'URL of Keystone that a caller without token is told. The default is `auth_url`, and the other way round.',
    ),
    token_cache_time: integer(
      300,
      [-1, 86_400],
      'Seconds that the answer about a token is remembered: so much longer a revoked token works, and a change of roles takes to be seen. 0 or -1: not at all.',
    ),
    service_token_roles: list(
      ['service'],
      'Roles, one of which makes the token in `X-Service-Token` a service token: beside it the token of a user may have expired.',
    ),
    service_token_roles_required: bool(
      false,
      'Refuse requests with an `X-Service-Token` that has none of these roles.',
    ),
    interface: text('internal', 'Interface of Keystone in the catalogue that tokens are checked at.'),
    http_connect_timeout: seconds(10, 'How long a call to Keystone may take, its repetitions included.', 0.1),
    http_request_max_retries: integer(3, [0, 10], 'How often a call is repeated when the connection breaks.'),
  },
  'any',
);

export const service_auth = section(
  'Credentials towards other services: Barbican, Neutron, Nova and Glance. Where they name no user, those of `[keystone_authtoken]` do.',
  credentials,
  'any',
);

export const nova = section(
  'The compute service, for `compute_driver = nova`. What engines are made of there, `[controller_worker] amp_*` says.',
  {
    ...endpoint('Nova'),
    service_name: optionalText('Name in the catalogue. Not read: services are found by their type.'),
    endpoint: optionalText('URL to use instead of the catalogue’s, with its version: `http://host:8774/v2.1`.'),
    availability_zone: optionalText('Zone that engines are made in.'),
    enable_anti_affinity: bool(false, 'Keep the engines of a group on different hosts, by a server group of its own.'),
    anti_affinity_policy: choice(
      'anti-affinity',
      ['anti-affinity', 'soft-anti-affinity'],
      'Policy of these server groups: no engine without a host of its own, or one on a shared host if need be.',
    ),
  },
  'any',
);

export const neutron = section(
  'The network service, for `network_driver = neutron`.',
  {
    ...endpoint('Neutron'),
    service_name: optionalText('Name in the catalogue. Not read: services are found by their type.'),
    endpoint: optionalText('URL to use instead of the catalogue’s, without its version.'),
    endpoint_override: optionalText('Newer name of `endpoint`.'),
  },
  'any',
);

export const glance = section(
  'The image service, where `compute_driver = nova` finds the image of engines.',
  {
    ...endpoint('Glance'),
    service_name: optionalText('Name in the catalogue. Not read: services are found by their type.'),
    endpoint: optionalText('URL to use instead of the catalogue’s, without its version.'),
  },
  'any',
);

export const certificates = section(
  'Certificates of users, which the API looks at and the health-manager hands to engines; the CA of engines; and what seals secrets in the database.',
  {
    ...endpoint('Barbican'),
    endpoint: optionalText('URL of Barbican to use instead of the catalogue’s.'),
    cert_manager: choice(
      'barbican_cert_manager',
      ['barbican_cert_manager', 'noop_cert_manager'],
      'Where the certificates of users are. `noop_cert_manager` takes references to them as they are.',
    ),
    cert_refresh_interval: seconds(
      300,
      'How often the certificates of users are looked at again: so long one that changed in the key manager takes to be served. It takes no reload.',
      1,
    ),
    ca_certificate: optionalText(
      'Certificate (PEM file) of the CA of engines: `slipstream ca create` makes one. With it engines and health-managers prove themselves to each other by certificates of it; without it they speak in clear, and over loopback alone.',
    ),
    ca_private_key: optionalText(
      'Its private key (PEM file), of 0600. The health-manager needs it; the worker does not.',
    ),
    ca_private_key_passphrase: secret('Passphrase of that key.'),
    cert_validity_time: integer(
      2_592_000,
      [1, 3_153_600_000],
      'Seconds that the certificates of engines and health-managers are valid. They are renewed when two thirds have passed.',
    ),
    server_certs_key_passphrase: secret(
      'What seals secrets in the database (passwords of BGP, tokens of engines), the same in every process. Several with commas: the first seals, all of them open. Without it such secrets are refused, and tokens of engines are kept as plain hashes.',
    ),
  },
  'any',
);

export const contrail = section(
  'Contrail (Tungsten Fabric), for `network_driver = contrail`: VIPs are wired by its configuration API (docs/contrail.md).',
  {
    api_servers: list(
      ['127.0.0.1:8082'],
      '`host:port` of the configuration API servers; the next one is asked when one fails.',
    ),
    ssl: bool(false, 'Speak TLS to them.'),
    cafile: optionalText('CA certificates that they are checked with.'),
    insecure: bool(false, 'Do not check their certificates.'),
    auth: choice(
      'keystone',
      ['keystone', 'none'],
      'Log in as this service does towards Neutron and Nova, or not at all, where the servers ask nobody who he is.',
    ),
    cloud_admin_role: text('admin', 'The role the servers take for the cloud admin’s: this service needs it.'),
    timeout: seconds(20, 'How long a call may take.', 0.1),
    vip_mode: choice(
      'aap',
      ['aap', 'bgp'],
      'How VIPs are wired whose flavor does not say: `aap` by address pairs on the engines’ ports, `bgp` announced by the engines. What a load balancer was made with stays.',
    ),
    health_check: choice(
      'ping',
      ['ping', 'bfd', 'none'],
      'How the vRouter finds out that an engine is dead, to drop its routes by itself. `bfd` needs a BFD speaker on every engine, so it fits where all VIPs are announced.',
    ),
    health_check_interval: seconds(0.3, 'Between two checks.', 0.05),
    health_check_timeout: seconds(0.3, 'How long an engine may take to answer one.', 0.05),
    health_check_retries: integer(3, [1, 100], 'Checks in a row that fail before an engine is dead.'),
    bgp_local_as: integer(
      65_100,
      [1, 4_294_967_295],
      'AS of the engines. Another one than the cloud’s (autonomous_system of its global-system-config): sessions within one AS are never set up.',
    ),
    bgp_keepalive: integer(3, [0, 3600], 'Seconds between two keepalives of a session.'),
    bgp_hold: integer(9, [0, 7200], 'Seconds of silence after which a session is down; 0 (never) or 3 at least.'),
    bgp_connect_retry: integer(10, [1, 120], 'Seconds between two tries to set up a session.'),
    bgp_bfd: bool(true, 'Watch sessions by BFD.'),
    bgp_bfd_interval: seconds(0.3, 'Between two packets of BFD.', 0.05),
    bgp_bfd_multiplier: integer(3, [1, 255], 'Packets of BFD that may be lost in a row.'),
    introspect: bool(
      true,
      'Traces ask control-nodes, vRouters and schema transformers by their introspect pages, and analytics, as far as they are reached; nothing else does.',
    ),
    introspect_timeout: seconds(2, 'How long one of them may take for an answer.', 0.1),
    introspect_ssl: bool(false, 'Their introspect pages speak TLS.'),
    control_nodes: list(
      [],
      'Addresses of control-nodes for traces, `host` or `host:port`. Empty: those of the bgp-routers in Contrail.',
    ),
    control_node_introspect_port: port(8083, 'Port of the introspect pages of control-nodes.'),
    vrouter_introspect_port: port(8085, 'Port of the introspect pages of vRouter agents.'),
    analytics_servers: list(
      [],
      'Analytics API servers for traces, `host:port`. Empty: port 8081 of the hosts of `api_servers`.',
    ),
    analytics_ssl: bool(false, 'Speak TLS to them.'),
    schema_transformer_introspect_port: port(
      8087,
      'Port of the introspect pages of schema transformers, which run on the hosts of `api_servers`.',
    ),
    bgp_md5_groups: list(
      [],
      'Service engine groups (by name or id) whose sessions have a secret (RFC 2385). The vRouter translates sessions, which few releases do so that a secret still fits: off for all groups.',
    ),
  },
);
