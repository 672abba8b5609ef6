import { createHash } from 'node:crypto';
import NodeCache from 'node-cache';
import type { TokenValidator, ValidToken } from '../../driver/clouds/keystone/port';

export interface TokenCacheSettings {
  /** Seconds an answer is remembered at most: so much longer a revoked token works. 0 or less: not at all. */
  readonly ttl: number;
  readonly maxTokens: number;
}

/** Seconds for which an unknown token stays unknown: it takes the weight off Keystone of clients that go on with a bad one. */
const UNKNOWN_TTL = 5;

/**
 * A validator that remembers what the other one said, for a bounded time and a bounded number of tokens, and asks once
 * for a token that many requests bring at a time. An answer serves no longer than its token holds, unless expired ones
 * are asked for. Tokens are not kept, only their digests. Those that nobody knows have a cache of their own: a flood of
 * them drives out no others.
 */
export function rememberTokens(validator: TokenValidator, { ttl, maxTokens }: TokenCacheSettings): TokenValidator {
  const known = createMemory<ValidToken>(maxTokens, ttl);
  const unknown = createMemory<true>(maxTokens, Math.min(ttl, UNKNOWN_TTL));
  const asking = new Map<string, Promise<ValidToken | undefined>>();

  async function ask(token: string, key: string, allowExpired: boolean): Promise<ValidToken | undefined> {
    const valid = await validator.validate(token, { allowExpired });
    if (valid) known.keep(key, valid);
    else unknown.keep(question(key, allowExpired), true);
    return valid;
  }

  async function find(token: string, allowExpired: boolean): Promise<ValidToken | undefined> {
    const key = createHash('sha256').update(token).digest('base64');
    const valid = known.find(key);
    if (valid) return valid;
    const name = question(key, allowExpired);
    if (unknown.find(name)) return undefined;
    const pending = asking.get(name) ?? ask(token, key, allowExpired).finally(() => asking.delete(name));
    asking.set(name, pending);
    return pending;
  }

  return {
    async validate(token, { allowExpired = false } = {}) {
      const valid = await find(token, allowExpired);
      return valid && (allowExpired || valid.expiresAt.getTime() > Date.now()) ? valid : undefined;
    },
  };
}

/** Keystone may know a token as an expired one only. */
function question(key: string, allowExpired: boolean): string {
  return allowExpired ? `expired ${key}` : key;
}

interface Memory<T> {
  find(key: string): T | undefined;
  keep(key: string, value: T): void;
}

function createMemory<T>(maxKeys: number, ttl: number): Memory<T> {
  // For node-cache 0 seconds are for ever.
  if (ttl <= 0) return { find: () => undefined, keep: () => undefined };
  const cache = new NodeCache({ useClones: false, checkperiod: 0, stdTTL: ttl });
  return {
    find: (key) => cache.get<T>(key),
    keep(key, value) {
      // The oldest tenth gives way: looking for the oldest one at each new token would cost more than asking again.
      if (cache.getStats().keys >= maxKeys) cache.del(cache.keys().slice(0, Math.ceil(maxKeys / 10)));
      cache.set(key, value);
    },
  };
}
