import { toBit } from '../../../driver/db/codecs';
import type { ListenerChange, NewListener, StoredListener } from '../../../driver/db/listeners';
import type { ListenerRow } from '../../../driver/db/rows';
import { flagOr, type ListenerGraph, type ListenerUpdate } from '../../changes/bodies';
import { listColumn, mapColumn, unique, type Writers, writeColumns } from '../../changes/columns';
import type { ChangeSettings } from '../../changes/settings';

/** What a new object is given besides its body. */
export interface ListenerParents {
  readonly id: string;
  readonly projectId: string;
  readonly loadBalancerId: string;
  readonly defaultPoolId: string | null;
}

const NO_LIMIT = -1;

/** The rows of a new listener, with every default. The body has been checked. */
export function buildListener(body: ListenerGraph, parents: ListenerParents, settings: ChangeSettings): NewListener {
  const terminates = body.protocol === 'TERMINATED_HTTPS';
  return {
    row: {
      id: parents.id,
      project_id: parents.projectId,
      load_balancer_id: parents.loadBalancerId,
      name: body.name ?? '',
      description: body.description ?? '',
      enabled: toBit(flagOr(body.admin_state_up, true)),
      protocol: body.protocol ?? '',
      protocol_port: body.protocol_port ?? 0,
      connection_limit: body.connection_limit ?? NO_LIMIT,
      default_pool_id: parents.defaultPoolId,
      tls_certificate_id: body.default_tls_container_ref ?? null,
      insert_headers: mapColumn(body.insert_headers),
      timeout_client_data: body.timeout_client_data ?? settings.timeoutClientData,
      timeout_member_connect: body.timeout_member_connect ?? settings.timeoutMemberConnect,
      timeout_member_data: body.timeout_member_data ?? settings.timeoutMemberData,
      timeout_tcp_inspect: body.timeout_tcp_inspect ?? settings.timeoutTcpInspect,
      client_ca_tls_certificate_id: body.client_ca_tls_container_ref ?? null,
      client_authentication: body.client_authentication ?? 'NONE',
      client_crl_container_id: body.client_crl_container_ref ?? null,
      tls_ciphers: body.tls_ciphers ?? (terminates ? settings.defaultListenerCiphers : null),
      tls_versions: listColumn(body.tls_versions ?? (terminates ? settings.defaultListenerTlsVersions : null)),
      alpn_protocols: listColumn(body.alpn_protocols ?? (terminates ? settings.defaultListenerAlpnProtocols : null)),
      hsts_max_age: body.hsts_max_age ?? null,
      hsts_include_subdomains: toBit(flagOr(body.hsts_include_subdomains, false)),
      hsts_preload: toBit(flagOr(body.hsts_preload, false)),
    },
    cidrs: unique(body.allowed_cidrs),
    sniRefs: unique(body.sni_container_refs),
  };
}

function writersFor(settings: ChangeSettings): Writers<ListenerUpdate, ListenerRow> {
  return {
    name: (value) => ({ name: value ?? '' }),
    description: (value) => ({ description: value ?? '' }),
    admin_state_up: (value) => ({ enabled: toBit(value === true) }),
    connection_limit: (value) => ({ connection_limit: value ?? NO_LIMIT }),
    default_tls_container_ref: (value) => ({ tls_certificate_id: value }),
    default_pool_id: (value) => ({ default_pool_id: value }),
    insert_headers: (value) => ({ insert_headers: mapColumn(value) }),
    timeout_client_data: (value) => ({ timeout_client_data: value ?? settings.timeoutClientData }),
    timeout_member_connect: (value) => ({ timeout_member_connect: value ?? settings.timeoutMemberConnect }),
    timeout_member_data: (value) => ({ timeout_member_data: value ?? settings.timeoutMemberData }),
    timeout_tcp_inspect: (value) => ({ timeout_tcp_inspect: value ?? settings.timeoutTcpInspect }),
    client_ca_tls_container_ref: (value) => ({ client_ca_tls_certificate_id: value }),
    client_authentication: (value) => ({ client_authentication: value ?? 'NONE' }),
    client_crl_container_ref: (value) => ({ client_crl_container_id: value }),
    tls_ciphers: (value) => ({ tls_ciphers: value ?? settings.defaultListenerCiphers }),
    tls_versions: (value) => ({ tls_versions: listColumn(value ?? settings.defaultListenerTlsVersions) }),
    alpn_protocols: (value) => ({ alpn_protocols: listColumn(value ?? settings.defaultListenerAlpnProtocols) }),
    hsts_max_age: (value) => ({ hsts_max_age: value }),
    hsts_include_subdomains: (value) => ({ hsts_include_subdomains: toBit(value === true) }),
    hsts_preload: (value) => ({ hsts_preload: toBit(value === true) }),
  };
}

/** What a checked PUT writes. */
export function changeListener(body: ListenerUpdate, settings: ChangeSettings): ListenerChange {
  return {
    columns: writeColumns(body, writersFor(settings)),
    ...(body.allowed_cidrs !== undefined && { cidrs: unique(body.allowed_cidrs) }),
    ...(body.sni_container_refs !== undefined && { sniRefs: unique(body.sni_container_refs) }),
  };
}

/** The listener as it is after the change. */
export function applyListenerChange(stored: StoredListener, change: ListenerChange): StoredListener {
  return {
    row: { ...stored.row, ...change.columns },
    cidrs: change.cidrs ?? stored.cidrs,
    sniRefs: change.sniRefs ?? stored.sniRefs,
  };
}
