import { jsonArrayOf, jsonObjectsOf } from '../connect';
import type { PlacementRow, ServiceEngineGroupRow, ServiceEngineRow } from '../rows';
import { bool, integer, type ReadModel, text, time } from './model';

/** Groups, engines, placements and events, as the operator API shows them. */

export type GroupRead = Pick<
  ServiceEngineGroupRow,
  'id' | 'name' | 'description' | 'is_default' | 'properties' | 'created_at' | 'updated_at'
>;

export const groups: ReadModel = {
  from: 'service_engine_group o',
  columns: () => ['o.id', 'o.name', 'o.description', 'o.is_default', 'o.properties', 'o.created_at', 'o.updated_at'],
  attributes: {
    id: text('o.id'),
    name: text('o.name'),
    description: text('o.description'),
    is_default: bool('o.is_default'),
    created_at: time('o.created_at'),
    updated_at: time('o.updated_at'),
  },
};

/** Never with the token's hash. */
export type EngineRead = Omit<
  ServiceEngineRow,
  | 'token_hash'
  | 'connection_epoch'
  | 'generation'
  | 'settled_generation'
  | 'retry_at'
  | 'attempts'
  | 'lease_owner'
  | 'lease_epoch'
  | 'lease_until'
  | 'group_image_tag'
  | 'upgrade_mark'
  | 'avoided'
> & {
  /** A JSON array of `BgpSessionRead`. */
  bgp_sessions: string;
  /** A JSON array of the VIP networks from which it is cut. */
  cut_from: string;
};

/** A BGP session of an engine. */
export interface BgpSessionRead {
  readonly network_id: string;
  readonly peer_address: string;
  readonly established: number;
  readonly reason: string | null;
}

const SESSION = {
  network_id: 'b.domain_id',
  peer_address: 'b.peer_address',
  established: 'b.established',
  reason: 'b.reason',
};
const SESSIONS = {
  from: 'bgp_session b',
  where: 'b.service_engine_id = o.id',
  orderBy: 'b.domain_id, b.peer_address',
};

const CUTS = {
  from: 'engine_reach c',
  where: 'c.service_engine_id = o.id and c.cut_since is not null',
  orderBy: 'c.domain_id',
};

/** Whose an engine was says nothing once it serves nobody. */
const OWNER = '(case when o.slots_used > 0 then o.project_id end)';
const PER_APP = '(case when o.slots_used > 0 and o.per_app = 1 then 1 else 0 end)';

export const engines: ReadModel = {
  from: 'service_engine o',
  columns: (db) => [
    'o.id',
    'o.service_engine_group_id',
    'o.name',
    'o.status',
    'o.deleting',
    'o.compute_id',
    'o.management_address',
    'o.host',
    'o.availability_zone',
    'o.connected_to',
    'o.last_heartbeat',
    'o.slots',
    'o.slots_used',
    `${OWNER} as project_id`,
    'o.owner_project_id',
    `${PER_APP} as per_app`,
    'o.compute_flavor',
    'o.image_tag',
    'o.created_at',
    'o.updated_at',
    `${jsonObjectsOf(db, SESSION, SESSIONS)} as bgp_sessions`,
    `${jsonArrayOf(db, 'c.domain_id', CUTS)} as cut_from`,
    'o.isolated_since',
  ],
  attributes: {
    id: text('o.id'),
    service_engine_group_id: text('o.service_engine_group_id'),
    name: text('o.name'),
    status: text('o.status'),
    deleting: bool('o.deleting'),
    compute_id: text('o.compute_id'),
    management_address: text('o.management_address'),
    host: text('o.host'),
    availability_zone: text('o.availability_zone'),
    connected: bool('(case when o.connected_to is null then 0 else 1 end)'),
    connected_to: text('o.connected_to'),
    last_heartbeat: time('o.last_heartbeat'),
    slots: integer('o.slots'),
    slots_used: integer('o.slots_used'),
    project_id: text(OWNER),
    owner_project_id: text('o.owner_project_id'),
    per_app: bool(PER_APP),
    compute_flavor: text('o.compute_flavor'),
    image_tag: text('o.image_tag'),
    created_at: time('o.created_at'),
    updated_at: time('o.updated_at'),
  },
};

export type PlacementRead = Omit<
  PlacementRow,
  'wanted_epoch' | 'request_target' | 'drain_since' | 'claimed_term' | 'claimed_master'
> & {
  project_id: string;
};

export const placements: ReadModel = {
  from: 'placement o join load_balancer l on l.id = o.load_balancer_id',
  columns: () => [
    'o.id',
    'o.load_balancer_id',
    'o.service_engine_id',
    'l.project_id',
    'o.role',
    'o.deleting',
    'o.stale',
    'o.wanted_generation',
    'o.confirmed_generation',
    'o.refused',
    'o.refusals',
    'o.request',
    'o.request_id',
    'o.drain_until',
    'o.created_at',
    'o.updated_at',
  ],
  attributes: {
    id: text('o.id'),
    loadbalancer_id: text('o.load_balancer_id'),
    load_balancer_id: text('o.load_balancer_id'),
    service_engine_id: text('o.service_engine_id'),
    project_id: text('l.project_id'),
    role: text('o.role'),
    deleting: bool('o.deleting'),
    stale: bool('o.stale'),
    wanted_generation: integer('o.wanted_generation'),
    confirmed_generation: integer('o.confirmed_generation'),
    refused: bool('o.refused'),
    request: text('o.request'),
    request_id: text('o.request_id'),
    created_at: time('o.created_at'),
    updated_at: time('o.updated_at'),
  },
};

/** `created_at` is when it happened, as all collections are sorted by it; `since` and `until` bound it. */
export const events: ReadModel = {
  from: 'event o',
  columns: () => [
    'o.id',
    'o.at',
    'o.name',
    'o.severity',
    'o.project_id',
    'o.load_balancer_id',
    'o.service_engine_id',
    'o.resource_type',
    'o.resource_id',
    'o.message',
    'o.request_id',
    'o.user_id',
  ],
  attributes: {
    id: text('o.id'),
    created_at: time('o.at'),
    since: { column: 'o.at', type: 'since' },
    until: { column: 'o.at', type: 'until' },
    name: text('o.name'),
    severity: text('o.severity'),
    project_id: text('o.project_id'),
    loadbalancer_id: text('o.load_balancer_id'),
    load_balancer_id: text('o.load_balancer_id'),
    service_engine_id: text('o.service_engine_id'),
    resource_type: text('o.resource_type'),
    resource_id: text('o.resource_id'),
    request_id: text('o.request_id'),
    user_id: text('o.user_id'),
  },
};
