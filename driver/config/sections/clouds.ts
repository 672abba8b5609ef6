import { bool, choice, integer, list, optionalText, seconds, secret, text } from '../options';
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
  auth_type: text('password', 'Plug-in of the credentials.'),
  auth_url: optionalText('URL of Keystone.'),
  username: optionalText('User of this service.'),
  password: secret('Its password.'),
  project_name: optionalText('Its project.'),
  user_domain_name: text('Default', 'Domain of the user.'),
  project_domain_name: text('Default', 'Domain of the project.'),
  region_name: optionalText('Region in the catalogue.'),
  cafile: optionalText('CA certificates that Keystone is checked with.'),
  insecure: bool(false, 'Do not check the certificate of Keystone.'),
};

export const keystone_authtoken = section(
  'How tokens are checked. Not read yet: the embedded site checks tokens in the process.',
  {
    ...credentials,
    www_authenticate_uri: optionalText('URL of Keystone that a caller without token is told.'),
    token_cache_time: seconds(300, 'How long the answer about a token is remembered.'),
    service_token_roles: list(['service'], 'Roles that make a token a service token.'),
    service_token_roles_required: bool(false, 'Refuse service tokens without such a role.'),
    interface: text('internal', 'Interface of Keystone in the catalogue.'),
  },
  'any',
);

export const service_auth = section('Credentials towards other services. Not read yet.', credentials, 'any');

export const nova = section(
  'The compute service. Not read yet.',
  {
    ...endpoint('Nova'),
    service_name: optionalText('Name in the catalogue.'),
    endpoint: optionalText('URL to use instead of the catalogue’s.'),
    availability_zone: optionalText('Zone that engines are made in.'),
    enable_anti_affinity: bool(false, 'Keep the engines of a group on different hosts.'),
  },
  'any',
);

export const neutron = section(
  'The network service. Not read yet.',
  {
    ...endpoint('Neutron'),
    service_name: optionalText('Name in the catalogue.'),
    endpoint: optionalText('URL to use instead of the catalogue’s.'),
    endpoint_override: optionalText('Newer name of `endpoint`.'),
  },
  'any',
);

export const glance = section(
  'The image service. Not read yet.',
  {
    ...endpoint('Glance'),
    service_name: optionalText('Name in the catalogue.'),
    endpoint: optionalText('URL to use instead of the catalogue’s.'),
  },
  'any',
);

export const certificates = section(
  'Certificates of users and of engines. Not read yet.',
  {
    ...endpoint('Barbican'),
    cert_manager: choice(
      'barbican_cert_manager',
      ['barbican_cert_manager', 'noop_cert_manager'],
      'Where the certificates of users are.',
    ),
    ca_certificate: text('/etc/ssl/certs/ssl-cert-snakeoil.pem', 'Certificate of the CA of the engines.'),
    ca_private_key: text('/etc/ssl/private/ssl-cert-snakeoil.key', 'Its private key.'),
    ca_private_key_passphrase: secret('Passphrase of that key.'),
    cert_validity_time: integer(
      2_592_000,
      [1, Number.MAX_SAFE_INTEGER],
      'Seconds that certificates of engines are valid.',
    ),
  },
  'any',
);

export const contrail = section('Contrail (Tungsten Fabric). Not read yet.', {
  api_servers: list(['127.0.0.1:8082'], '`host:port` of the VNC API servers.'),
  ssl: bool(false, 'Speak TLS to them.'),
  cafile: optionalText('CA certificates that they are checked with.'),
  insecure: bool(false, 'Do not check their certificates.'),
});
