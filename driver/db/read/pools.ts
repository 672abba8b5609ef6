import type { PoolRow, SessionPersistenceRow } from '../rows';
import { bool, NOT_DELETED, type ReadModel, TREE_ATTRIBUTES, TREE_COLUMNS, text } from './model';
import { childIds, tagsOf } from './relations';

export type PoolRead = Omit<PoolRow, 'deleting'> & {
  /** Null: no session persistence. */
  persistence_type: string | null;
  cookie_name: SessionPersistenceRow['cookie_name'];
  persistence_timeout: SessionPersistenceRow['persistence_timeout'];
  persistence_granularity: SessionPersistenceRow['persistence_granularity'];
  healthmonitor_id: string | null;
  listener_ids: string | null;
  member_ids: string | null;
  tags: string | null;
};

const COLUMNS = [
  'name',
  'description',
  'load_balancer_id',
  'protocol',
  'lb_algorithm',
  'tls_certificate_id',
  'ca_tls_certificate_id',
  'crl_container_id',
  'tls_enabled',
  'tls_ciphers',
  'tls_versions',
  'alpn_protocols',
] as const;

export const pools: ReadModel = {
  from: 'pool o left join session_persistence s on s.pool_id = o.id left join health_monitor h on h.pool_id = o.id',
  visible: NOT_DELETED,
  tagged: true,
  columns: (db) => [
    ...TREE_COLUMNS,
    ...COLUMNS.map((column) => `o.${column}`),
    's.type as persistence_type',
    's.cookie_name',
    's.persistence_timeout',
    's.persistence_granularity',
    'h.id as healthmonitor_id',
    childIds('listener', 'default_pool_id', 'listener_ids'),
    childIds('member', 'pool_id', 'member_ids'),
    tagsOf(db),
  ],
  attributes: {
    ...TREE_ATTRIBUTES,
    name: text('o.name'),
    description: text('o.description'),
    loadbalancer_id: text('o.load_balancer_id'),
    load_balancer_id: text('o.load_balancer_id'),
    healthmonitor_id: text('h.id'),
    protocol: text('o.protocol'),
    lb_algorithm: text('o.lb_algorithm'),
    tls_container_ref: text('o.tls_certificate_id'),
    ca_tls_container_ref: text('o.ca_tls_certificate_id'),
    crl_container_ref: text('o.crl_container_id'),
    tls_enabled: bool('o.tls_enabled'),
    tls_ciphers: text('o.tls_ciphers'),
  },
};
