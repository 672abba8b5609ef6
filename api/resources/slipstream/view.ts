import { fromBit, fromJson, toApiTime, toNumber } from '../../../driver/db/codecs';
import {
  type BgpSessionRead,
  type EngineRead,
  engines,
  events,
  type GroupRead,
  groups,
  type PlacementRead,
  placements,
} from '../../../driver/db/read/fleet';
import type { EventRow } from '../../../driver/db/rows';
import { readGroupProperties } from '../../../driver/domain/group';
import { FIXED_GROUP_FIELDS, GROUP_FIELDS } from '../../../driver/domain/groupFields';
import type { Schemas } from '../../openapi/schemas';
import type { CatalogueKind } from '../catalogue';

const FIXED = Object.fromEntries(Object.entries(FIXED_GROUP_FIELDS).map(([field, { value }]) => [field, value]));

/** Every field that means something here, with its value or its default. */
function groupView(row: GroupRead): Schemas['ServiceEngineGroupView'] {
  const properties = readGroupProperties(fromJson<unknown>(row.properties));
  const inForce = Object.entries(GROUP_FIELDS).map(([field, property]) => [field, properties[property]]);
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    is_default: fromBit(row.is_default),
    ...Object.fromEntries(inForce),
    ...FIXED,
    created_at: toApiTime(row.created_at),
    updated_at: toApiTime(row.updated_at),
  } as Schemas['ServiceEngineGroupView'];
}

export const GROUP: CatalogueKind<GroupRead, Schemas['ServiceEngineGroupView']> = {
  model: groups,
  view: groupView,
  title: 'Service engine group',
  object: 'slipstream:service-engine-group',
  root: 'service_engine_group',
  plural: 'service_engine_groups',
  linksKey: 'service_engine_groups_links',
  keyParam: 'service_engine_group_id',
};

export const ENGINE: CatalogueKind<EngineRead, Schemas['ServiceEngineView']> = {
  model: engines,
  view: (row) => ({
    id: row.id,
    service_engine_group_id: row.service_engine_group_id,
    name: row.name,
    status: row.status,
    deleting: fromBit(row.deleting),
    compute_id: row.compute_id,
    management_address: row.management_address,
    host: row.host,
    availability_zone: row.availability_zone,
    connected: row.connected_to !== null,
    connected_to: row.connected_to,
    last_heartbeat: toApiTime(row.last_heartbeat),
    slots: row.slots,
    slots_used: row.slots_used,
    project_id: row.project_id,
    owner_project_id: row.owner_project_id,
    per_app: fromBit(row.per_app ?? 0),
    compute_flavor: row.compute_flavor,
    image_tag: row.image_tag,
    bgp_sessions: fromJson<BgpSessionRead[]>(row.bgp_sessions).map((it) => ({
      ...it,
      established: it.established === 1,
    })),
    isolated: row.isolated_since !== null,
    cut_from: fromJson<string[]>(row.cut_from),
    created_at: toApiTime(row.created_at),
    updated_at: toApiTime(row.updated_at),
  }),
  title: 'Service engine',
  object: 'slipstream:service-engine',
  root: 'service_engine',
  plural: 'service_engines',
  linksKey: 'service_engines_links',
  keyParam: 'service_engine_id',
};

export const PLACEMENT: CatalogueKind<PlacementRead, Schemas['PlacementView']> = {
  model: placements,
  view: (row) => ({
    id: row.id,
    loadbalancer_id: row.load_balancer_id,
    service_engine_id: row.service_engine_id,
    project_id: row.project_id,
    role: row.role,
    deleting: fromBit(row.deleting),
    stale: fromBit(row.stale),
    wanted_generation: toNumber(row.wanted_generation),
    confirmed_generation: toNumber(row.confirmed_generation),
    refused: fromBit(row.refused),
    refusals: row.refusals === null ? [] : fromJson<Schemas['PlacementView']['refusals']>(row.refusals),
    request: row.request as Schemas['PlacementView']['request'],
    request_id: row.request_id,
    draining: row.drain_until !== null,
    created_at: toApiTime(row.created_at),
    updated_at: toApiTime(row.updated_at),
  }),
  title: 'Placement',
  object: 'slipstream:placement',
  root: 'placement',
  plural: 'placements',
  linksKey: 'placements_links',
  keyParam: 'placement_id',
};

export const EVENT: CatalogueKind<EventRow, Schemas['EventView']> = {
  model: events,
  view: (row) => ({
    id: row.id,
    created_at: toApiTime(row.at),
    name: row.name,
    severity: row.severity,
    project_id: row.project_id,
    loadbalancer_id: row.load_balancer_id,
    service_engine_id: row.service_engine_id,
    resource_type: row.resource_type,
    resource_id: row.resource_id,
    message: row.message,
    request_id: row.request_id,
    user_id: row.user_id,
  }),
  title: 'Event',
  object: 'slipstream:event',
  root: 'event',
  plural: 'events',
  linksKey: 'events_links',
  keyParam: 'event_id',
};
