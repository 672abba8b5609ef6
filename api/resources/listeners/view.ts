import { fromBit, fromJson, toApiTime } from '../../../driver/db/codecs';
import type { Db } from '../../../driver/db/connect';
import { type ListenerRead, listeners } from '../../../driver/db/read/listeners';
import { splitNumbered, splitRows, splitTexts } from '../../../driver/db/read/relations';
import type { Schemas } from '../../openapi/schemas';
import { idObjects } from '../idOnly';
import type { Kind } from '../kinds';
import { showWithin } from '../showWithin';
import { without } from '../without';

export type ListenerView = Schemas['ListenerView'];

/** A listener as the API shows it; the order of keys is Octavia's. */
export function listenerView(row: ListenerRead): ListenerView {
  const cidrs = splitRows(row.cidrs).map(([cidr = '']) => cidr);
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    provisioning_status: row.provisioning_status,
    operating_status: row.operating_status,
    admin_state_up: fromBit(row.enabled),
    protocol: row.protocol,
    protocol_port: row.protocol_port,
    connection_limit: row.connection_limit,
    default_tls_container_ref: row.tls_certificate_id,
    sni_container_refs: splitNumbered(row.sni_refs),
    project_id: row.project_id,
    default_pool_id: row.default_pool_id,
    l7policies: idObjects(row.l7policy_ids),
    insert_headers: row.insert_headers === null ? {} : fromJson<Record<string, string>>(row.insert_headers),
    created_at: toApiTime(row.created_at),
    updated_at: toApiTime(row.updated_at),
    loadbalancers: [{ id: row.load_balancer_id }],
    timeout_client_data: row.timeout_client_data,
    timeout_member_connect: row.timeout_member_connect,
    timeout_member_data: row.timeout_member_data,
    timeout_tcp_inspect: row.timeout_tcp_inspect,
    tags: splitTexts(row.tags),
    client_ca_tls_container_ref: row.client_ca_tls_certificate_id,
    client_authentication: row.client_authentication,
    client_crl_container_ref: row.client_crl_container_id,
    allowed_cidrs: cidrs.length > 0 ? cidrs : null,
    tls_ciphers: row.tls_ciphers,
    tls_versions: row.tls_versions === null ? null : fromJson<string[]>(row.tls_versions),
    alpn_protocols: row.alpn_protocols === null ? null : fromJson<string[]>(row.alpn_protocols),
    hsts_max_age: row.hsts_max_age,
    hsts_include_subdomains: fromBit(row.hsts_include_subdomains),
    hsts_preload: fromBit(row.hsts_preload),
    tenant_id: row.project_id,
  };
}

/** A listener inside the answer to a fully populated create: its policies whole and first. */
export function listenerFullView(
  row: ListenerRead,
  l7policies: Schemas['L7PolicyFullView'][],
): Schemas['ListenerFullView'] {
  return { l7policies, ...without(listenerView(row), 'l7policies', 'loadbalancers') };
}

export const LISTENER: Kind<ListenerRead, ListenerView> = {
  model: listeners,
  view: listenerView,
  table: 'listener',
  title: 'Listener',
  object: 'listener',
  root: 'listener',
  plural: 'listeners',
  idParam: 'listener_id',
};

/** What a command answers with; sees its own transaction. */
export function showListener(db: Db, id: string): Promise<ListenerView> {
  return showWithin(db, LISTENER, id);
}
