import { toBit } from '../../../driver/db/codecs';
import type { NewPool, PoolChange, StoredPool } from '../../../driver/db/pools';
import type { PoolRow } from '../../../driver/db/rows';
import { flagOr, type PoolGraph, type PoolUpdate } from '../../changes/bodies';
import { listColumn, type Writers, writeColumns } from '../../changes/columns';
import type { ChangeSettings } from '../../changes/settings';
import { checkPersistence, mergePersistence, newPersistence } from './rules';

/** What a new pool is given besides its body. */
export interface PoolParents {
  readonly id: string;
  readonly projectId: string;
  readonly loadBalancerId: string;
}

/** The rows of a new pool, with every default. The body has been checked. */
export function buildPool(body: PoolGraph, parents: PoolParents, settings: ChangeSettings): NewPool {
  const tls = flagOr(body.tls_enabled, false);
  return {
    row: {
      id: parents.id,
      project_id: parents.projectId,
      load_balancer_id: parents.loadBalancerId,
      name: body.name ?? '',
      description: body.description ?? '',
      enabled: toBit(flagOr(body.admin_state_up, true)),
      protocol: body.protocol ?? '',
      lb_algorithm: body.lb_algorithm ?? '',
      tls_certificate_id: body.tls_container_ref ?? null,
      ca_tls_certificate_id: body.ca_tls_container_ref ?? null,
      crl_container_id: body.crl_container_ref ?? null,
      tls_enabled: toBit(tls),
      tls_ciphers: body.tls_ciphers ?? (tls ? settings.defaultPoolCiphers : null),
      tls_versions: listColumn(body.tls_versions ?? (tls ? settings.defaultPoolTlsVersions : null)),
      alpn_protocols: listColumn(body.alpn_protocols ?? (tls ? settings.defaultPoolAlpnProtocols : null)),
    },
    persistence: body.session_persistence ? { pool_id: parents.id, ...newPersistence(body.session_persistence) } : null,
  };
}

function writersFor(settings: ChangeSettings): Writers<PoolUpdate, PoolRow> {
  return {
    name: (value) => ({ name: value ?? '' }),
    description: (value) => ({ description: value ?? '' }),
    admin_state_up: (value) => ({ enabled: toBit(value === true) }),
    lb_algorithm: (value) => (value === null ? {} : { lb_algorithm: value }),
    tls_container_ref: (value) => ({ tls_certificate_id: value }),
    ca_tls_container_ref: (value) => ({ ca_tls_certificate_id: value }),
    crl_container_ref: (value) => ({ crl_container_id: value }),
    tls_enabled: (value) => ({ tls_enabled: toBit(value === true) }),
    tls_ciphers: (value) => ({ tls_ciphers: value ?? settings.defaultPoolCiphers }),
    tls_versions: (value) => ({ tls_versions: listColumn(value ?? settings.defaultPoolTlsVersions) }),
    alpn_protocols: (value) => ({ alpn_protocols: listColumn(value ?? settings.defaultPoolAlpnProtocols) }),
  };
}

/**
 * What a checked PUT writes.
 * @throws ValidationError for a persistence that the stored one and the request do not add up to
 */
export function changePool(body: PoolUpdate, stored: StoredPool, settings: ChangeSettings): PoolChange {
  const columns = writeColumns(body, writersFor(settings));
  const given = body.session_persistence;
  if (given === undefined) return { columns };
  if (given === null) return { columns, persistence: null };
  const persistence = mergePersistence(given, stored.persistence);
  checkPersistence(persistence, stored.row.protocol, 'PUT');
  return { columns, persistence: { pool_id: stored.row.id, ...persistence } };
}

/** The pool as it is after the change. */
export function applyPoolChange(stored: StoredPool, change: PoolChange): NewPool {
  return {
    row: { ...stored.row, ...change.columns },
    persistence: change.persistence === undefined ? (stored.persistence ?? null) : change.persistence,
  };
}
