import { parseCIDR, parse as parseIp } from 'ipaddr.js';
import type { ListenerRow } from '../../../driver/db/rows';
import {
  BadRequestError,
  DisabledOptionError,
  InvalidOptionError,
  ValidationError,
} from '../../../driver/domain/errors';
import { isDatagram, POOL_PROTOCOLS } from '../../../driver/domain/protocols';
import type { ListenerGraph, ListenerUpdate } from '../../changes/bodies';
import { pythonList } from '../../changes/python';
import type { ChangeSettings } from '../../changes/settings';
import { checkTls } from '../../changes/tls';
import { checkInsertHeaders } from './headers';

type TlsReferences = Pick<
  ListenerUpdate,
  'default_tls_container_ref' | 'sni_container_refs' | 'client_ca_tls_container_ref' | 'client_crl_container_ref'
>;

function refersToCertificates(body: TlsReferences): boolean {
  const { default_tls_container_ref, sni_container_refs, client_ca_tls_container_ref, client_crl_container_ref } = body;
  return Boolean(
    default_tls_container_ref ||
      (sni_container_refs ?? []).length > 0 ||
      client_ca_tls_container_ref ||
      client_crl_container_ref,
  );
}

/**
 * Checks what a POST gives of a listener, apart from the rest of its load balancer.
 * @throws ServiceError
 */
export function checkListenerCreate(body: ListenerGraph, settings: ChangeSettings): void {
  const { protocol, protocol_port: port } = body;
  if (!protocol) throw new InvalidOptionError('None', 'protocol');
  if (port === null) throw new InvalidOptionError('None', 'protocol_port');
  checkHsts(body, protocol);
  checkInsertHeaders(body.insert_headers ?? {}, protocol, 'POST');
  if (isDatagram(protocol) && refersToCertificates(body)) {
    throw new ValidationError(`${protocol} protocol listener does not support TLS.`);
  }
  checkAllowedHere(protocol, settings);
  checkReferences(body, protocol);
  checkTls(body, settings);
}

function checkAllowedHere(protocol: string, settings: ChangeSettings): void {
  const off =
    (protocol === 'TERMINATED_HTTPS' && !settings.allowTlsTerminatedListeners) ||
    (protocol === 'PROMETHEUS' && !settings.allowPrometheusListeners);
  if (off) throw new DisabledOptionError('protocol', protocol);
}

function checkReferences(body: ListenerGraph, protocol: string): void {
  const { client_ca_tls_container_ref: ca, client_crl_container_ref: crl, client_authentication: mode } = body;
  const hasCertificate = Boolean(body.default_tls_container_ref || (body.sni_container_refs ?? []).length > 0);
  if (protocol !== 'TERMINATED_HTTPS' && refersToCertificates(body)) {
    throw new ValidationError(`Certificate container references are not allowed on ${protocol} protocol listeners.`);
  }
  if (ca && !hasCertificate) {
    throw new ValidationError(
      'An SNI or default certificate container reference must be provided with a client CA container reference.',
    );
  }
  if (protocol === 'TERMINATED_HTTPS' && !hasCertificate) {
    throw new ValidationError(
      `An SNI or default certificate container reference must be provided for ${protocol} protocol listeners.`,
    );
  }
  if (mode && mode !== 'NONE' && !ca) throw authenticationWithoutCa(mode);
  if (crl && !ca) {
    throw new ValidationError(
      'A client authentication CA reference is required to specify a client authentication revocation list.',
    );
  }
}

function authenticationWithoutCa(mode: string): ValidationError {
  return new ValidationError(`Client authentication setting ${mode} requires a client CA container reference.`);
}

function checkHsts(body: ListenerGraph, protocol: string): void {
  const aged = typeof body.hsts_max_age === 'number';
  if ((body.hsts_include_subdomains || body.hsts_preload) && !aged) {
    throw new ValidationError(
      'HSTS configuration options hsts_include_subdomains and hsts_preload only make sense if hsts_max_age is set as well.',
    );
  }
  if (aged && protocol !== 'TERMINATED_HTTPS') throw hstsElsewhere();
}

function hstsElsewhere(): ValidationError {
  return new ValidationError('The HSTS feature can only be used for listeners using the TERMINATED_HTTPS protocol.');
}

/**
 * Checks what a PUT gives against the stored listener.
 * @throws ServiceError
 */
export function checkListenerUpdate(body: ListenerUpdate, stored: ListenerRow, settings: ChangeSettings): void {
  const { protocol } = stored;
  const inserts = Object.keys(body.insert_headers ?? {}).length > 0;
  if (isDatagram(protocol) && (refersToCertificates(body) || inserts)) {
    throw new ValidationError(`${protocol} protocol listener does not support TLS or header insertion.`);
  }
  if (protocol !== 'TERMINATED_HTTPS' && refersToCertificates(body)) {
    throw new ValidationError(`Certificate container references are not allowed on ${protocol} protocol listeners.`);
  }
  const mode = body.client_authentication;
  if (mode && mode !== 'NONE' && !body.client_ca_tls_container_ref && !stored.client_ca_tls_certificate_id) {
    throw authenticationWithoutCa(mode);
  }
  checkInsertHeaders(body.insert_headers ?? {}, protocol, 'PUT');
  checkHstsUpdate(body, stored);
  checkCaAndCrl(body, stored);
  checkTls(body, settings);
}

function checkHstsUpdate(body: ListenerUpdate, stored: ListenerRow): void {
  const wanted = body.hsts_max_age || body.hsts_include_subdomains || body.hsts_preload;
  if (!wanted) return;
  if (stored.protocol !== 'TERMINATED_HTTPS') throw hstsElsewhere();
  const aged =
    typeof body.hsts_max_age === 'number' || (body.hsts_max_age === undefined && stored.hsts_max_age !== null);
  if ((body.hsts_include_subdomains || body.hsts_preload) && !aged) {
    throw new ValidationError(
      'Cannot enable hsts_include_subdomains or hsts_preload if hsts_max_age was not set as well.',
    );
  }
}

function checkCaAndCrl(body: ListenerUpdate, stored: ListenerRow): void {
  const ca =
    body.client_ca_tls_container_ref === undefined
      ? stored.client_ca_tls_certificate_id
      : body.client_ca_tls_container_ref;
  const crl =
    body.client_crl_container_ref === undefined ? stored.client_crl_container_id : body.client_crl_container_ref;
  if (ca || !crl) return;
  throw new ValidationError(
    body.client_crl_container_ref
      ? 'A CA certificate reference is required to specify a revocation list.'
      : 'A CA reference cannot be removed when a certificate revocation list is present.',
  );
}

/**
 * Whether a listener may send to a pool.
 * @throws ValidationError, BadRequestError
 */
export function checkPoolProtocol(listenerProtocol: string, poolProtocol: string): void {
  refuseChildren(listenerProtocol);
  if (POOL_PROTOCOLS[listenerProtocol]?.includes(poolProtocol)) return;
  throw new ValidationError(
    `The pool protocol '${poolProtocol}' is invalid while the listener protocol is '${listenerProtocol}'.`,
  );
}

/** A PROMETHEUS listener answers by itself. */
export function refuseChildren(listenerProtocol: string): void {
  if (listenerProtocol === 'PROMETHEUS') {
    throw new BadRequestError(`Protocol ${listenerProtocol} listeners cannot have child objects.`);
  }
}

/**
 * Every CIDR must have a VIP of its IP version, and there must be no security groups of the user's.
 * @throws ValidationError
 */
export function checkAllowedCidrs(
  cidrs: readonly string[],
  { vips, hasSecurityGroups }: { vips: readonly string[]; hasSecurityGroups: boolean },
): void {
  if (cidrs.length === 0) return;
  if (hasSecurityGroups) {
    throw new ValidationError('Allowed CIDRs are not allowed when using custom VIP Security Groups.');
  }
  const kinds = vips.map((vip) => parseIp(vip).kind());
  const odd = cidrs.find((cidr) => !kinds.includes(parseCIDR(cidr)[0].kind()));
  if (odd !== undefined) {
    throw new ValidationError(`CIDR ${odd} IP version incompatible with all VIPs ${pythonList(vips)} IP version.`);
  }
}
