import { isMap, readCloud } from './cloudsFile';

/** Who asks and where, each by the name that the openstack client has for it. */
export type Identity = Partial<Record<IdentityOption, string>>;

/** `--os-<name>`, `OS_<NAME>`, and the key in `clouds.yaml`, there below `auth` or beside it. */
export const IDENTITY_OPTIONS = {
  auth_type: 'how: password (the default), v3applicationcredential, v3token, admin_token or none',
  auth_url: 'the identity service',
  username: 'the user',
  user_id: 'the user, by id',
  password: 'the password',
  user_domain_name: 'domain of the user',
  user_domain_id: 'domain of the user, by id',
  project_name: 'the project',
  project_id: 'the project, by id',
  project_domain_name: 'domain of the project',
  project_domain_id: 'domain of the project, by id',
  system_scope: 'all: a token for the system instead of a project',
  application_credential_id: 'the application credential',
  application_credential_name: 'the application credential, by name with its user',
  application_credential_secret: 'its secret',
  token: 'a token, for v3token and admin_token',
  region_name: 'region of the service',
  interface: 'public (the default), internal or admin',
  endpoint: 'URL of the service, instead of the one in the catalogue',
  cacert: 'file of the CA certificates',
} as const;

export type IdentityOption = keyof typeof IDENTITY_OPTIONS;

/** Other names of some options, in the environment and in files. */
const ALIASES: Readonly<Partial<Record<IdentityOption, readonly string[]>>> = {
  endpoint: ['load_balancer_endpoint_override', 'endpoint_override'],
  interface: ['endpoint_type'],
  project_name: ['tenant_name'],
  project_id: ['tenant_id'],
};

export interface IdentitySources {
  /** Of the command line, by the names of `IDENTITY_OPTIONS`. */
  readonly flags: Identity;
  /** `--os-cloud`. */
  readonly cloud?: string;
  readonly insecure?: boolean;
  readonly env: NodeJS.ProcessEnv;
}

export interface FoundIdentity {
  readonly identity: Identity;
  /** Certificates are not checked. */
  readonly insecure: boolean;
}

/**
 * What the command line says, else the environment, else the cloud that either names.
 * @throws Error when the cloud cannot be found
 */
export function findIdentity({ flags, cloud, insecure, env }: IdentitySources): FoundIdentity {
  const name = cloud ?? nonEmpty(env['OS_CLOUD']);
  const settings = name === undefined ? {} : readCloud(name, env);
  const auth = isMap(settings['auth']) ? settings['auth'] : {};
  const identity: Identity = {};
  for (const option of Object.keys(IDENTITY_OPTIONS) as IdentityOption[]) {
    const names = [option, ...(ALIASES[option] ?? [])];
    const found = [
      flags[option],
      ...names.map((one) => nonEmpty(env[`OS_${one.toUpperCase()}`])),
      ...names.flatMap((one) => [nonEmpty(auth[one]), nonEmpty(settings[one])]),
    ].find((value) => value !== undefined);
    if (found !== undefined) identity[option] = found;
  }
  return { identity, insecure: insecure === true || settings['verify'] === false || isTrue(env['OS_INSECURE']) };
}

function nonEmpty(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && ['1', 'true', 'yes'].includes(value.toLowerCase());
}
