import { pino } from 'pino';
import { connectKeystone } from '../../clouds/keystone/http/connection';
import { buildLogin, type Credentials } from '../../clouds/keystone/http/credentials';
import { type KeystoneSession, openKeystoneSession } from '../../clouds/keystone/http/session';
import { configFromText } from '../../config/config';
import { UnavailableError } from '../../domain/errors';
import type { FoundIdentity, Identity } from './identity';

/** What calls of the API are made with. */
export interface Access {
  /** Of the API, without a slash at its end. */
  readonly url: string;
  /** Absent for an API that asks for none. */
  readonly token?: string;
}

const SERVICE = 'load-balancer';

/**
 * Logs in and looks the API up in the catalogue.
 * @throws Error that says what is missing, or what the identity service says
 */
export async function logIn(found: FoundIdentity): Promise<Access> {
  const { identity } = found;
  const { auth_type: type, endpoint, token } = identity;
  if (type === 'none' || type === 'admin_token') {
    if (endpoint === undefined) throw new Error(`authentication by ${type} needs --os-endpoint`);
    if (type === 'none') return { url: trimmed(endpoint) };
    if (token === undefined) throw new Error('authentication by admin_token needs --os-token');
    return { url: trimmed(endpoint), token };
  }
  if (identity.auth_url === undefined) {
    throw new Error('there is nobody to log in at: name a cloud by --os-cloud, or set OS_AUTH_URL and the like');
  }
  return askKeystone(found, identity.auth_url);
}

async function askKeystone(found: FoundIdentity, authUrl: string): Promise<Access> {
  const { identity } = found;
  const { session, close } = openSession(found, authUrl);
  try {
    const token = await session.token();
    const region = identity.region_name ?? null;
    const face = identity.interface ?? 'public';
    const url = identity.endpoint ?? (await session.endpoint({ type: SERVICE, interface: face, region }));
    if (url === undefined) throw new Error(`the catalogue has no ${face} endpoint of type ${SERVICE}`);
    return { url: trimmed(url), token };
  } catch (error) {
    throw explained(error);
  } finally {
    await close();
  }
}

/** What users see of trouble with a cloud elsewhere says nothing; its cause does. */
export function explained(error: unknown): unknown {
  const { cause } = error as Error;
  return error instanceof UnavailableError && cause instanceof Error
    ? new Error(cause.message, { cause: error })
    : error;
}

/** A login that is made when it is first used, and the connection that it needs. */
export interface OpenSession {
  readonly session: KeystoneSession;
  close(): Promise<void>;
}

/** @throws Error that says what is missing */
export function openSession({ identity, insecure }: FoundIdentity, authUrl: string): OpenSession {
  const log = pino({ level: 'silent' });
  const connection = connectKeystone(
    {
      cafile: identity.cacert ?? null,
      certfile: null,
      keyfile: null,
      insecure,
      http_connect_timeout: TIMEOUT,
      http_request_max_retries: RETRIES,
    },
    log,
  );
  const session = openKeystoneSession({ connection, authUrl, login: loginOf(identity), log, now: () => new Date() });
  return { session, close: () => connection.close() };
}

/** Seconds. */
const TIMEOUT = 30;
const RETRIES = 2;

function loginOf(identity: Identity): object {
  const type = identity.auth_type ?? defaultType(identity);
  const given = Object.fromEntries(
    Object.entries(identity).filter(([name]) => name !== 'auth_type' && name in DEFAULTS),
  );
  const credentials = { ...DEFAULTS, ...given, auth_type: type } as Credentials;
  if (type !== 'v3token' && type !== 'token') return buildLogin(credentials, 'identity');
  if (identity.token === undefined) throw new Error('authentication by token needs --os-token');
  // The scope is the same as with a password.
  const { auth } = buildLogin({ ...credentials, auth_type: 'password', user_id: 'x', password: 'x' }, 'identity') as {
    auth: object;
  };
  return { auth: { ...auth, identity: { methods: ['token'], token: { id: identity.token } } } };
}

function defaultType(identity: Identity): string {
  const { application_credential_id: id, application_credential_name: name, token, password } = identity;
  if (id !== undefined || name !== undefined) return 'v3applicationcredential';
  return token !== undefined && password === undefined ? 'v3token' : 'password';
}

const DEFAULTS: Credentials = configFromText('').service_auth;

function trimmed(url: string): string {
  return url.replace(/\/+$/, '').replace(/\/v2(\.0)?$/, '');
}
