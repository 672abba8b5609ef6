import type { Logger } from 'pino';
import { BadValueError, type Config } from '../../config/config';
import { connectKeystone, type KeystoneConnection } from './http/connection';
import { buildLogin } from './http/credentials';
import { discoverV3 } from './http/discovery';
import { unavailable } from './http/outage';
import type { Answer } from './http/send';
import { type KeystoneSession, openKeystoneSession } from './http/session';
import { readRefusal, readToken } from './http/tokenView';
import type { TokenValidator, ValidateOptions, ValidToken } from './port';

/** `[keystone_authtoken]`. */
export type KeystoneSettings = Config['keystone_authtoken'];

export interface KeystoneValidator extends TokenValidator {
  /** This service's own login, for other services as well. */
  readonly session: KeystoneSession;
  close(): Promise<void>;
}

export interface ValidatorDeps {
  readonly log: Logger;
  readonly now?: () => Date;
}

/** What can be a token: an unbroken text, short enough for every server in front of Keystone. */
const TOKEN = /^[\x21-\x7e]{1,4096}$/;
/** Refusals that are about the token: Keystone's own, and those of any server that finds it too long. */
const NO_TOKEN = { byKeystone: [400, 404], byAnybody: [413, 431] };

/**
 * Keystone over HTTP, asked in the name of this service as keystonemiddleware does it. Nothing is remembered but the own
 * login, and no connection is made before the first question.
 * @throws BadValueError for settings that cannot work
 */
export function createKeystoneValidator(settings: KeystoneSettings, deps: ValidatorDeps): KeystoneValidator {
  const { log, now = () => new Date() } = deps;
  const authUrl = settings.auth_url ?? settings.www_authenticate_uri;
  if (authUrl === null || !/^https?:/.test(authUrl) || !URL.canParse(authUrl)) {
    throw new BadValueError('keystone_authtoken', 'auth_url', authUrl ?? '', 'an http or https URL');
  }
  const login = buildLogin(settings, 'keystone_authtoken');
  const connection = connectKeystone(settings, log);
  const session = openKeystoneSession({ connection, authUrl, login, log, now });
  const findKeystone = createFinder({ settings, connection, session, log, authUrl });

  const ask = async (token: string, { allowExpired = false }: ValidateOptions, own: string): Promise<Answer> => {
    const url = `${await findKeystone()}/auth/tokens?nocatalog=1${allowExpired ? '&allow_expired=1' : ''}`;
    return connection.request({ method: 'GET', url, headers: { 'X-Auth-Token': own, 'X-Subject-Token': token } });
  };
  return {
    session,
    async validate(token, options = {}) {
      if (!TOKEN.test(token)) return undefined;
      const own = await session.token();
      const answer = await ask(token, options, own);
      if (answer.status !== 401) return judge(answer, log);
      return judge(await ask(token, options, await session.token(own)), log);
    },
    close: () => connection.close(),
  };
}

interface FinderDeps {
  readonly settings: KeystoneSettings;
  readonly connection: KeystoneConnection;
  readonly session: KeystoneSession;
  readonly log: Logger;
  readonly authUrl: string;
}

/** Finds the Identity API that tokens are checked at: the catalogue's, looked up once for each address it gives. */
function createFinder({ settings, connection, session, log, authUrl }: FinderDeps): () => Promise<string> {
  const wanted = { type: 'identity', interface: settings.interface, region: settings.region_name };
  const roots = new Map<string, string>();
  return async () => {
    const listed = await session.endpoint(wanted);
    const address = listed ?? authUrl;
    const known = roots.get(address);
    if (known !== undefined) return known;
    if (listed === undefined)
      log.warn({ wanted }, 'Keystone is not in its own catalogue: tokens are checked at auth_url');
    const root = await discoverV3(connection, address);
    roots.set(address, root);
    return root;
  };
}

function judge({ status, body }: Answer, log: Logger): ValidToken | undefined {
  const refusal = readRefusal(body);
  if (status === 200) {
    try {
      return readToken(body);
    } catch (error) {
      throw unavailable(error);
    }
  }
  if (NO_TOKEN.byAnybody.includes(status)) return undefined;
  if (NO_TOKEN.byKeystone.includes(status) && refusal !== undefined) return undefined;
  log.error({ status, refusal }, 'Keystone does not tell this service about tokens');
  throw unavailable(`${status} ${refusal ?? ''}`);
}
