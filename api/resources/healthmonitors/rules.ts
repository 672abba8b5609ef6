import type { HealthMonitorRow } from '../../../driver/db/rows';
import { DisabledOptionError, InvalidOptionError, ValidationError } from '../../../driver/domain/errors';
import { isDatagram } from '../../../driver/domain/protocols';
import type { HealthMonitorGraph, HealthMonitorUpdate } from '../../changes/bodies';
import type { ChangeSettings } from '../../changes/settings';

/** Monitor types a pool without a byte stream can have. */
const DATAGRAM_TYPES = ['UDP-CONNECT', 'SCTP', 'TCP', 'HTTP'];

/**
 * Checks what a POST gives of a monitor for a pool of the protocol.
 * @throws ServiceError
 */
export function checkHealthMonitorCreate(
  body: HealthMonitorGraph,
  poolProtocol: string,
  settings: ChangeSettings,
): void {
  for (const field of ['type', 'delay', 'timeout', 'max_retries'] as const) {
    if (body[field] === null || body[field] === undefined) throw new InvalidOptionError('None', field);
  }
  const type = body.type ?? '';
  if (type === 'PING' && !settings.allowPingHealthMonitors) throw new DisabledOptionError('type', type);
  checkPoolFits(type, poolProtocol);
  checkDelay(type, body.delay, settings);
  checkHttpFields(body, type);
  checkDomainName(body.domain_name ?? null, body.http_version ?? null);
}

/**
 * Checks what a PUT gives against the stored monitor.
 * @throws ServiceError
 */
export function checkHealthMonitorUpdate(
  body: HealthMonitorUpdate,
  stored: HealthMonitorRow,
  settings: ChangeSettings,
): void {
  for (const field of ['delay', 'timeout', 'max_retries'] as const) {
    if (body[field] === null) throw new InvalidOptionError('None', field);
  }
  checkHttpFields(body, stored.type);
  checkDelay(stored.type, body.delay, settings);
  checkDomainNameUpdate(body, stored);
}

/**
 * Octavia looks at name and version as they are stored wherever the request gives a null, so clearing the name and
 * going back to 1.0 in one request is refused.
 */
function checkDomainNameUpdate(body: HealthMonitorUpdate, stored: HealthMonitorRow): void {
  if (!body.domain_name && !body.http_version) return;
  checkDomainName(body.domain_name || stored.domain_name, body.http_version || stored.http_version);
}

function checkPoolFits(type: string, poolProtocol: string): void {
  if (isDatagram(poolProtocol)) {
    if (DATAGRAM_TYPES.includes(type)) return;
    throw new ValidationError(
      `The associated pool protocol is ${poolProtocol}, so only a ${DATAGRAM_TYPES.join('/')} health monitor is supported.`,
    );
  }
  if (type === 'UDP-CONNECT' || type === 'SCTP') {
    throw new ValidationError(`The ${type} type is only supported for pools of type UDP/SCTP.`);
  }
}

function checkDelay(type: string, delay: number | null | undefined, { udpConnectMinInterval }: ChangeSettings): void {
  if (type !== 'UDP-CONNECT' || typeof delay !== 'number' || delay >= udpConnectMinInterval) return;
  throw new ValidationError(
    `The request delay value ${delay} should be larger than ${udpConnectMinInterval} for ${type} health monitor type.`,
  );
}

/** True for the types that send a request of HTTP. */
export function isHttp(type: string): boolean {
  return type === 'HTTP' || type === 'HTTPS';
}

function checkHttpFields(body: HealthMonitorUpdate, type: string): void {
  if (isHttp(type)) return;
  for (const field of ['http_method', 'url_path', 'expected_codes'] as const) {
    if (body[field]) throw new InvalidOptionError(field, `health monitors of type ${type}`);
  }
}

function checkDomainName(name: string | null, version: number | null): void {
  if (!name) return;
  if (!version) throw new ValidationError("'http_version' must be specified when 'domain_name' is provided.");
  if (version < 1.1) {
    throw new InvalidOptionError(
      `http_version ${version.toFixed(1)}`,
      'health monitors HTTP 1.1 domain name health check',
    );
  }
}
