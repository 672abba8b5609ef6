import { idList } from '../connect';
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

/** Whose default pool it is, then those of which a policy that is enabled and has rules leads to it: as Octavia tells. */
const LISTENER_IDS = `${idList('c.id', {
  from: 'listener c',
  where:
    'c.load_balancer_id = o.load_balancer_id and (c.default_pool_id = o.id or c.id in ' +
    '(select p.listener_id from l7policy p join l7rule r on r.l7policy_id = p.id where p.redirect_pool_id = o.id and p.enabled = 1))',
  orderBy: 'c.default_pool_id = o.id desc, c.created_at, c.id',
})} as listener_ids`;

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
    LISTENER_IDS,
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
