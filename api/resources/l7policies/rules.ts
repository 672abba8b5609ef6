import type { L7PolicyRow } from '../../../driver/db/rows';
import { BadRequestError, InvalidOptionError, UnsupportedOptionError } from '../../../driver/domain/errors';
import { canHaveL7Policies } from '../../../driver/domain/protocols';
import type { L7PolicyCreate, L7PolicyUpdate } from '../../changes/bodies';
import type { ChangeSettings } from '../../changes/settings';
import { refuseChildren } from '../listeners/rules';

/** What a policy does with a request; exactly the target that the action names is set. */
export type Redirect = Pick<
  L7PolicyRow,
  'action' | 'redirect_pool_id' | 'redirect_url' | 'redirect_prefix' | 'redirect_http_code'
>;

/** What a request says about it. */
export type RedirectFields = Pick<
  L7PolicyUpdate,
  'action' | 'redirect_pool_id' | 'redirect_url' | 'redirect_prefix' | 'redirect_http_code'
>;

const NO_TARGET = { redirect_pool_id: null, redirect_url: null, redirect_prefix: null };
const DEFAULT_HTTP_CODE = 302;

function invalidArguments(detail: string): BadRequestError {
  return new BadRequestError(`Invalid L7 Policy arguments: ${detail}`);
}

/** Where no action is named, the target that is given tells it. */
function actionOf(fields: RedirectFields, stored: Redirect | undefined): string | undefined {
  if (fields.action) return fields.action;
  if (fields.redirect_pool_id && (fields.redirect_url || fields.redirect_prefix)) {
    throw invalidArguments('Cannot specify redirect_pool_id and redirect_url or redirect_prefix at the same time');
  }
  if (fields.redirect_url) return 'REDIRECT_TO_URL';
  if (fields.redirect_pool_id) return 'REDIRECT_TO_POOL';
  if (fields.redirect_prefix) return 'REDIRECT_PREFIX';
  return stored?.action;
}

/**
 * The redirect of a POST, or of a PUT over the stored one: a target of another kind than the action's is cleared.
 * @throws BadRequestError, InvalidOptionError
 */
export function readRedirect(fields: RedirectFields, stored?: Redirect): Redirect {
  const action = actionOf(fields, stored);
  if (!action) throw new InvalidOptionError('None', 'action');
  const same = stored?.action === action ? stored : undefined;
  if (action === 'REDIRECT_TO_POOL') {
    const pool = fields.redirect_pool_id ?? (fields.redirect_pool_id === null ? null : same?.redirect_pool_id);
    if (!pool) throw invalidArguments('redirect_pool_id or redirect_pool must not be None');
    return { action, ...NO_TARGET, redirect_pool_id: pool, redirect_http_code: null };
  }
  const httpCode = httpCodeOf(fields, same);
  if (action === 'REDIRECT_TO_URL') {
    const url = fields.redirect_url ?? (fields.redirect_url === null ? null : same?.redirect_url);
    if (!url) throw invalidArguments('redirect_url must not be None');
    return { action, ...NO_TARGET, redirect_url: url, redirect_http_code: httpCode };
  }
  if (action === 'REDIRECT_PREFIX') {
    const prefix = fields.redirect_prefix ?? (fields.redirect_prefix === null ? null : same?.redirect_prefix);
    if (!prefix) throw invalidArguments('redirect_prefix must not be None');
    return { action, ...NO_TARGET, redirect_prefix: prefix, redirect_http_code: httpCode };
  }
  if (action !== 'REJECT') throw new BadRequestError(`Invalid L7 Policy action specified: ${action}`);
  return { action, ...NO_TARGET, redirect_http_code: null };
}

/** A PUT may take the code away from a redirect that stays what it is; everything else has the default. */
function httpCodeOf({ redirect_http_code: code }: RedirectFields, same: Redirect | undefined): number | null {
  if (same) return code === undefined ? same.redirect_http_code : code;
  return code ?? DEFAULT_HTTP_CODE;
}

/** @throws BadRequestError for a PUT that changes nothing */
export function refuseEmptyUpdate(body: L7PolicyUpdate): void {
  if (Object.keys(body).length === 0) throw invalidArguments('Invalid update options');
}

/** Only a load balancer's own POST builds trees; Octavia's types accept the field here and then fail. */
export function refuseNestedRules(body: L7PolicyCreate): void {
  if (body.rules && body.rules.length > 0) {
    throw new BadRequestError('rules can only be given when a load balancer is created with its whole tree.');
  }
}

/**
 * Whether a listener of the protocol can have L7 policies.
 * @throws BadRequestError, UnsupportedOptionError
 */
export function checkListenerProtocol(protocol: string, { defaultProvider }: ChangeSettings): void {
  refuseChildren(protocol);
  if (canHaveL7Policies(protocol)) return;
  throw new UnsupportedOptionError(
    defaultProvider,
    `L7 policies need a listener of protocol HTTP or TERMINATED_HTTPS, not ${protocol}.`,
  );
}
