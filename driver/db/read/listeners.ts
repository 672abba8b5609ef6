import { type Db, idList } from '../connect';
import type { ListenerRow } from '../rows';
import { bool, integer, NOT_DELETED, type ReadModel, TREE_ATTRIBUTES, TREE_COLUMNS, text } from './model';
import { rowList, tagsOf, textList } from './relations';

export type ListenerRead = Omit<ListenerRow, 'deleting'> & {
  l7policy_ids: string | null;
  tags: string | null;
  /** Read with `splitNumbered`. */
  sni_refs: string | null;
  /** Read with `splitRows`. */
  cidrs: string | null;
};

const COLUMNS = [
  'name',
  'description',
  'load_balancer_id',
  'protocol',
  'protocol_port',
  'connection_limit',
  'default_pool_id',
  'tls_certificate_id',
  'insert_headers',
  'timeout_client_data',
  'timeout_member_connect',
  'timeout_member_data',
  'timeout_tcp_inspect',
  'client_ca_tls_certificate_id',
  'client_authentication',
  'client_crl_container_id',
  'tls_ciphers',
  'tls_versions',
  'alpn_protocols',
  'hsts_max_age',
  'hsts_include_subdomains',
  'hsts_preload',
] as const;

const POLICIES = idList('p.id', { from: 'l7policy p', where: 'p.listener_id = o.id', orderBy: 'p.position, p.id' });
const CIDRS = rowList(['x.position', 'x.cidr'], { from: 'listener_cidr x', where: 'x.listener_id = o.id' });

export const listeners: ReadModel = {
  from: 'listener o',
  visible: NOT_DELETED,
  tagged: true,
  columns: (db) => [
    ...TREE_COLUMNS,
    ...COLUMNS.map((column) => `o.${column}`),
    `${POLICIES} as l7policy_ids`,
    tagsOf(db),
    `${sni(db)} as sni_refs`,
    `${CIDRS} as cidrs`,
  ],
  attributes: {
    ...TREE_ATTRIBUTES,
    name: text('o.name'),
    description: text('o.description'),
    loadbalancer_id: text('o.load_balancer_id'),
    load_balancer_id: text('o.load_balancer_id'),
    protocol: text('o.protocol'),
    protocol_port: integer('o.protocol_port'),
    connection_limit: integer('o.connection_limit'),
    default_pool_id: text('o.default_pool_id'),
    default_tls_container_ref: text('o.tls_certificate_id'),
    timeout_client_data: integer('o.timeout_client_data'),
    timeout_member_connect: integer('o.timeout_member_connect'),
    timeout_member_data: integer('o.timeout_member_data'),
    timeout_tcp_inspect: integer('o.timeout_tcp_inspect'),
    client_ca_tls_container_ref: text('o.client_ca_tls_certificate_id'),
    client_authentication: text('o.client_authentication'),
    client_crl_container_ref: text('o.client_crl_container_id'),
    tls_ciphers: text('o.tls_ciphers'),
    hsts_max_age: integer('o.hsts_max_age'),
    hsts_include_subdomains: bool('o.hsts_include_subdomains'),
    hsts_preload: bool('o.hsts_preload'),
  },
};

function sni(db: Db): string {
  return textList(db, "concat(x.position, '|', x.tls_container_id)", { from: 'sni x', where: 'x.listener_id = o.id' });
}
