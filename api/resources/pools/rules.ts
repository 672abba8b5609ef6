import type { PoolRow, SessionPersistenceRow } from '../../../driver/db/rows';
import { BadRequestError, InvalidOptionError, ValidationError } from '../../../driver/domain/errors';
import { COOKIE_NAME } from '../../../driver/domain/httpText';
import { isDatagram } from '../../../driver/domain/protocols';
import type { PoolCreate, PoolGraph, PoolUpdate } from '../../changes/bodies';
import type { ChangeSettings } from '../../changes/settings';
import { checkTls } from '../../changes/tls';

/** What a session persistence is to be: a request's, or the stored one with a request's fields over it. */
export type Persistence = Omit<SessionPersistenceRow, 'pool_id'>;

/**
 * Checks what a POST gives of a pool, apart from the rest of its load balancer.
 * @throws ServiceError
 */
export function checkPoolCreate(body: PoolGraph, settings: ChangeSettings): void {
  if (!body.protocol) throw new InvalidOptionError('None', 'protocol');
  if (!body.lb_algorithm) throw new InvalidOptionError('None', 'lb_algorithm');
  if (body.session_persistence) checkPersistence(newPersistence(body.session_persistence), body.protocol, 'POST');
  if (body.crl_container_ref && !body.ca_tls_container_ref) {
    throw new ValidationError('A CA reference is required to specify a certificate revocation list.');
  }
  checkTls(body, settings);
}

/** Only a load balancer's own POST builds trees; Octavia's types accept these fields here and then fail. */
export function refuseNestedObjects(body: PoolCreate): void {
  if (body.healthmonitor) throw notInTree('healthmonitor');
  if (body.members && body.members.length > 0) throw notInTree('members');
}

function notInTree(field: string): BadRequestError {
  return new BadRequestError(`${field} can only be given when a load balancer is created with its whole tree.`);
}

/**
 * Checks what a PUT gives against the stored pool; its persistence is checked where it is merged.
 * @throws ServiceError
 */
export function checkPoolUpdate(body: PoolUpdate, stored: PoolRow, settings: ChangeSettings): void {
  if (body.lb_algorithm === null) throw new InvalidOptionError('None', 'lb_algorithm');
  if (body.tls_enabled === null) throw new InvalidOptionError('None', 'tls_enabled');
  const ca = body.ca_tls_container_ref === undefined ? stored.ca_tls_certificate_id : body.ca_tls_container_ref;
  const crl = body.crl_container_ref === undefined ? stored.crl_container_id : body.crl_container_ref;
  if (crl && !ca) {
    throw new ValidationError(
      body.crl_container_ref
        ? 'A CA reference is required to specify a certificate revocation list.'
        : 'A CA reference cannot be removed when a certificate revocation list is present.',
    );
  }
  checkTls(body, settings);
}

/** @throws InvalidOptionError without a type */
export function newPersistence(body: NonNullable<PoolCreate['session_persistence']>): Persistence {
  if (!body.type) throw new InvalidOptionError('None', 'type');
  return {
    type: body.type,
    cookie_name: body.cookie_name ?? null,
    persistence_timeout: body.persistence_timeout ?? null,
    persistence_granularity: body.persistence_granularity ?? null,
  };
}

/**
 * The persistence after a PUT: without a type, or with the same, the stored fields that are not given are kept.
 * @throws ValidationError when there is neither a stored nor a given type
 */
export function mergePersistence(
  body: NonNullable<PoolUpdate['session_persistence']>,
  stored: Persistence | undefined,
): Persistence {
  const type = body.type ?? stored?.type;
  if (!type) throw new ValidationError('Invalid session_persistence provided.');
  const kept = stored?.type === type ? stored : undefined;
  const { cookie_name, persistence_timeout, persistence_granularity } = body;
  return {
    type,
    cookie_name: cookie_name === undefined ? (kept?.cookie_name ?? null) : cookie_name,
    persistence_timeout: persistence_timeout === undefined ? (kept?.persistence_timeout ?? null) : persistence_timeout,
    persistence_granularity:
      persistence_granularity === undefined ? (kept?.persistence_granularity ?? null) : persistence_granularity,
  };
}

/**
 * The rules of persistence for the pool's protocol. POST and PUT of Octavia differ in one text.
 * @throws ValidationError
 */
export function checkPersistence(persistence: Persistence, poolProtocol: string, method: 'POST' | 'PUT'): void {
  if (isDatagram(poolProtocol)) checkDatagramPersistence(persistence);
  else if (persistence.persistence_timeout !== null || persistence.persistence_granularity !== null) {
    const pools = method === 'POST' ? 'UDP and SCTP protocol pools' : 'UDP protocol pools';
    throw new ValidationError(`persistence_timeout and persistence_granularity is only for ${pools}.`);
  }
  checkCookie(persistence);
}

function checkDatagramPersistence(persistence: Persistence): void {
  if (persistence.cookie_name && persistence.type === 'SOURCE_IP') {
    throw new ValidationError(
      'session_persistence SOURCE_IP type for UDP and SCTP protocols only accepts: type, persistence_timeout, persistence_granularity.',
    );
  }
  if (persistence.cookie_name) throw new ValidationError('Cookie names are not supported for UDP/SCTP pools.');
  if (persistence.type !== 'SOURCE_IP') {
    throw new ValidationError(
      `Session persistence of type ${persistence.type} is not supported for UDP/SCTP protocol pools.`,
    );
  }
}

function checkCookie({ type, cookie_name: name }: Persistence): void {
  if (type !== 'APP_COOKIE') {
    if (!name) return;
    throw new ValidationError(
      'Field "cookie_name" can only be specified with session persistence of type "APP_COOKIE".',
    );
  }
  if (!name) {
    throw new ValidationError(
      'Field "cookie_name" must be specified when using the "APP_COOKIE" session persistence type.',
    );
  }
  if (!COOKIE_NAME.test(name)) throw new ValidationError('Supplied "cookie_name" is invalid.');
}
