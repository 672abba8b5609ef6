import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  halfJitterGenerator,
  handleType,
} from 'cockatiel';
import type { Logger } from 'pino';
import type { KeystoneConnection } from './connection';
import { discoverV3 } from './discovery';
import { NoRoleError } from './noRole';
import { unavailable } from './outage';
import { keepProjectSessions, scopeTo } from './projectSessions';
import { type Catalog, readCatalog, readRefusal, readToken } from './tokenView';

/** This service's own login at Keystone, renewed as long as it is used. */
export interface KeystoneSession {
  /**
   * A token that holds; given the one that a service has refused, another one.
   * @throws UnavailableError
   */
  token(refused?: string): Promise<string>;
  /** @throws UnavailableError */
  userId(): Promise<string>;
  /**
   * Address of a service in the catalogue; undefined if it is not in it.
   * @throws UnavailableError
   */
  endpoint(wanted: WantedEndpoint): Promise<string | undefined>;
  /** The same user in another project. Of the projects used last each has one login. */
  inProject(projectId: string): KeystoneSession;
}

export interface WantedEndpoint {
  /** "identity", "network", ... */
  readonly type: string;
  /** "public", "internal" or "admin", also with "URL" behind it, as older configurations have it. */
  readonly interface: string;
  /** Null for any. */
  readonly region: string | null;
}

export interface SessionDeps {
  readonly connection: KeystoneConnection;
  /** With or without its version. */
  readonly authUrl: string;
  /** The body of `POST /v3/auth/tokens`. */
  readonly login: object;
  readonly log: Logger;
  readonly now: () => Date;
  /** Another project than the one that the login says. */
  readonly projectId?: string;
}

interface Login {
  readonly token: string;
  readonly userId: string;
  readonly catalog: Catalog;
  readonly expiresAt: Date;
  /** From then on a new one is fetched, while this one still holds. */
  readonly renewAt: Date;
}

/** Keystone knows this service and does not let it in. */
class LoginRefused extends Error {}

/** Milliseconds before its end that a token is replaced; half its lifetime if that is shorter. */
const RENEW_BEFORE = 60_000;
/** Milliseconds between logins that are refused, the first and the longest: enough of them lock the user out. */
const PAUSE = { initialDelay: 1_000, maxDelay: 60_000, generator: halfJitterGenerator };

export function openKeystoneSession(deps: SessionDeps): KeystoneSession {
  const { log, now, projectId } = deps;
  const patience = circuitBreaker(handleType(LoginRefused), {
    halfOpenAfter: new ExponentialBackoff(PAUSE),
    breaker: new ConsecutiveBreaker(1),
  });
  let current: Login | undefined;
  let renewing: Promise<Login> | undefined;
  // While it is not asked again, the answer is the last one.
  let closed: NoRoleError | undefined;

  const renew = (): Promise<Login> => {
    renewing ??= patience
      .execute(() => logIn(deps))
      .then((login) => {
        current = login;
        closed = undefined;
        return login;
      })
      .catch((error) => {
        if (error instanceof LoginRefused) {
          log.error(`Keystone refuses this service: ${error.message}`);
          if (projectId !== undefined) closed = new NoRoleError(projectId, error.message);
        }
        throw error instanceof LoginRefused || error instanceof BrokenCircuitError
          ? (closed ?? unavailable(error))
          : unavailable(error);
      })
      .finally(() => {
        renewing = undefined;
      });
    return renewing;
  };
  const holding = async (refused?: string): Promise<Login> => {
    if (!current || current.token === refused || current.expiresAt <= now()) return renew();
    // Should it fail, the next caller tries again: there is time.
    if (current.renewAt <= now()) renew().catch(() => undefined);
    return current;
  };

  return {
    token: async (refused) => (await holding(refused)).token,
    userId: async () => (await holding()).userId,
    endpoint: async (wanted) => findEndpoint((await holding()).catalog, wanted),
    inProject: keepProjectSessions((id) => openKeystoneSession({ ...deps, projectId: id })),
  };
}

async function logIn({ connection, authUrl, login: own, now, projectId }: SessionDeps): Promise<Login> {
  const login = projectId === undefined ? own : scopeTo(own, projectId);
  const from = now().getTime();
  const url = `${await discoverV3(connection, authUrl)}/auth/tokens`;
  const { status, subjectToken, body } = await connection.request({ method: 'POST', url, body: login });
  if (status !== 201 || subjectToken === null) throw new LoginRefused(`${url}: ${status} ${readRefusal(body) ?? ''}`);
  const valid = readToken(body);
  if (!valid) throw new LoginRefused('the application credential has access rules');
  const lifetime = valid.expiresAt.getTime() - from;
  return {
    token: subjectToken,
    userId: valid.identity.userId,
    catalog: readCatalog(body),
    expiresAt: valid.expiresAt,
    renewAt: new Date(from + Math.max(lifetime - RENEW_BEFORE, lifetime / 2)),
  };
}

function findEndpoint(catalog: Catalog, wanted: WantedEndpoint): string | undefined {
  const face = wanted.interface.replace(/URL$/, '');
  return catalog
    .filter(({ type }) => type === wanted.type)
    .flatMap(({ endpoints }) => endpoints)
    .find((one) => {
      const region = one.region_id ?? one.region ?? null;
      return one.interface === face && (wanted.region === null || wanted.region === region);
    })?.url;
}
