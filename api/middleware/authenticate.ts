import type { RequestHandler } from 'express';
import NodeCache from 'node-cache';
import type { TokenValidator } from '../../driver/clouds/keystone/port';
import type { Identity } from '../../driver/domain/identity';
import { exchangeOf } from '../exchange';
import { UnauthorizedError } from '../faults';

/** Finds out who a request is from. */
export type Authenticate = (headers: Readonly<Record<string, string | string[] | undefined>>) => Promise<Identity>;

export interface TokenCacheSettings {
  /** Seconds an identity is remembered at most; a revoked token works so much longer. */
  readonly ttl: number;
  readonly maxTokens: number;
}

/** Keystone's word on the token of a request, remembered for a bounded time and for a bounded number of tokens. */
export function keystoneIdentity(
  validator: TokenValidator,
  { ttl, maxTokens }: TokenCacheSettings,
  clock: () => Date = () => new Date(),
): Authenticate {
  const known = new NodeCache({ useClones: false, checkperiod: 0, maxKeys: maxTokens });
  const asking = new Map<string, Promise<Identity>>();

  async function ask(token: string): Promise<Identity> {
    const valid = await validator.validate(token);
    if (!valid) throw new UnauthorizedError();
    const lifetime = Math.min(ttl, Math.floor((valid.expiresAt.getTime() - clock().getTime()) / 1000));
    // A full cache starts anew: its size is meant for a flood of tokens, not for everyday use.
    if (known.getStats().keys >= maxTokens) known.flushAll();
    if (lifetime > 0) known.set(token, valid.identity, lifetime);
    return valid.identity;
  }

  return async (headers) => {
    const token = headers['x-auth-token'] ?? headers['x-storage-token'];
    if (typeof token !== 'string' || token === '') throw new UnauthorizedError();
    const identity = known.get<Identity>(token);
    if (identity) return identity;
    const pending = asking.get(token) ?? ask(token).finally(() => asking.delete(token));
    asking.set(token, pending);
    return pending;
  };
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
