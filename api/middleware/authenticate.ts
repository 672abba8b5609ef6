import type { IncomingHttpHeaders } from 'node:http';
import type { RequestHandler } from 'express';
import type { TokenValidator } from '../../driver/clouds/keystone/port';
import type { Identity } from '../../driver/domain/identity';
import { exchangeOf } from '../exchange';
import { UnauthorizedError } from '../faults';

/** Finds out who a request is from. */
export type Authenticate = (headers: IncomingHttpHeaders) => Promise<Identity>;

/** `service_token_roles` and `service_token_roles_required`. */
export interface ServiceTokenSettings {
  /** Roles that make a token a service token. */
  readonly roles: readonly string[];
  /** Whether `X-Service-Token` may hold nothing else; otherwise any good token will do there, but allows nothing. */
  readonly required: boolean;
}

/**
 * Identity by Keystone's word on `X-Auth-Token`, or the older `X-Storage-Token`. With a service token beside it, that
 * token may have expired: a service goes on with what a user has begun. A bad service token spoils the request.
 */
export function keystoneIdentity(
  validator: TokenValidator,
  { roles, required }: ServiceTokenSettings = { roles: ['service'], required: false },
): Authenticate {
  const wanted = new Set(roles.map((role) => role.toLowerCase()));

  /** @returns whether the user's token may have expired */
  async function checkService(token: string): Promise<boolean> {
    const service = await validator.validate(token);
    if (!service) throw new UnauthorizedError();
    const fits = service.identity.roles.some((role) => wanted.has(role));
    if (!fits && required) throw new UnauthorizedError();
    return fits;
  }

  return async (headers) => {
    const token = textOf(headers['x-auth-token'] ?? headers['x-storage-token']);
    if (token === '') throw new UnauthorizedError();
    const serviceToken = textOf(headers['x-service-token']);
    const allowExpired = serviceToken !== '' && (await checkService(serviceToken));
    const valid = await validator.validate(token, { allowExpired });
    if (!valid) throw new UnauthorizedError();
    return valid.identity;
  };
}

function textOf(header: string | string[] | undefined): string {
  return typeof header === 'string' ? header.trim() : '';
}

/**
 * For API tests and benchmarks: the caller is whom the headers name, an administrator unless `X-Roles` says otherwise.
 */
export const noauthIdentity: Authenticate = async (headers) => {
  const header = (name: string): string | null => {
    const value = headers[name];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const roles = header('x-roles');
  return {
    userId: header('x-user-id') ?? 'noauth',
    projectId: header('x-project-id'),
    domainId: null,
    systemScope: null,
    roles: (roles ?? 'admin').split(',').map((role) => role.trim().toLowerCase()),
    isAdmin: roles === null,
  };
};

/** Puts the identity into the exchange, and from here on the request id into every answer. */
export function authentication(authenticate: Authenticate): RequestHandler {
  return async (req, res, next) => {
    const exchange = exchangeOf(res);
    exchange.identity = await authenticate(req.headers);
    res.setHeader('x-openstack-request-id', exchange.requestId);
    next();
  };
}
