import type { TlsReferences } from '../../driver/clouds/certificates/port';
import type { ListenerRow, PoolRow } from '../../driver/db/rows';
import type { ListenerUpdate, PoolUpdate } from './bodies';
import type { Caller, CommandDeps } from './deps';

/**
 * Has the key manager asked whether all that is referred to can be used; no references, or no key manager, no question.
 * Calls another service: never inside a transaction.
 * @throws ServiceError with Octavia's texts
 */
export async function checkCertificates(
  { certificates }: CommandDeps,
  { identity, token = '' }: Caller,
  references: readonly TlsReferences[],
): Promise<void> {
  if (!certificates) return;
  for (const each of references) {
    if (each.certificates.length > 0 || each.ca !== null) {
      await certificates.checkReferences(each, { identity, token });
    }
  }
}

type ListenerReferences = Pick<
  ListenerUpdate,
  'default_tls_container_ref' | 'sni_container_refs' | 'client_ca_tls_container_ref' | 'client_crl_container_ref'
>;

/** What a POST or a PUT wants looked at; what the stored listener refers to already was looked at then. */
export function referencesOfListener(body: ListenerReferences, stored?: ListenerRow): TlsReferences {
  const named = [body.default_tls_container_ref, ...(body.sni_container_refs ?? [])];
  return {
    certificates: named.filter(isGiven),
    ...mergeAuthorities(
      { ca: body.client_ca_tls_container_ref, crl: body.client_crl_container_ref },
      { ca: stored?.client_ca_tls_certificate_id, crl: stored?.client_crl_container_id },
    ),
  };
}

type PoolReferences = Pick<PoolUpdate, 'tls_container_ref' | 'ca_tls_container_ref' | 'crl_container_ref'>;

/** The same of a pool. */
export function referencesOfPool(body: PoolReferences, stored?: PoolRow): TlsReferences {
  return {
    certificates: [body.tls_container_ref].filter(isGiven),
    ...mergeAuthorities(
      { ca: body.ca_tls_container_ref, crl: body.crl_container_ref },
      { ca: stored?.ca_tls_certificate_id, crl: stored?.crl_container_id },
    ),
  };
}

interface Authorities {
  readonly ca?: string | null | undefined;
  readonly crl?: string | null | undefined;
}

/** CA and CRL must fit each other: one that changes is looked at with the other one as it stays. */
function mergeAuthorities(given: Authorities, stored: Authorities): Pick<TlsReferences, 'ca' | 'crl'> {
  if (!given.ca && !given.crl) return { ca: null, crl: null };
  const ca = given.ca === undefined ? stored.ca : given.ca;
  const crl = given.crl === undefined ? stored.crl : given.crl;
  return { ca: ca || null, crl: crl || null };
}

function isGiven(ref: string | null | undefined): ref is string {
  return Boolean(ref);
}
