import { CPU_ALONE, type LoadMeasure } from './engineLoad';
import {
  DEFAULT_GROUP_PROPERTIES,
  type GroupProperties,
  type HaMode,
  type PlacementAlgorithm,
  type TenancyMode,
  tenancyInForce,
} from './group';

/**
 * The fields of a service engine group as operators know them from Avi: which of them mean something here, and why the
 * others do not. Ranges are in the OpenAPI document.
 */

/** What a group is made with. Unlike the group there is from the start, it keeps a buffer, as Avi's do. */
export const NEW_GROUP_PROPERTIES: GroupProperties = { ...DEFAULT_GROUP_PROPERTIES, bufferEngines: 1 };

/** The defaults of a group's fields: engines of one project at a time are booted when they are asked for. */
function defaultsOf(tenancy: unknown): GroupProperties {
  return tenancy === 'exclusive' || tenancy === 'tenant'
    ? { ...NEW_GROUP_PROPERTIES, tenancy, bufferEngines: 0 }
    : NEW_GROUP_PROPERTIES;
}

/** Fields that are in force, by their name in the API. */
export const GROUP_FIELDS = {
  ha_mode: 'haMode',
  algo: 'algorithm',
  min_se: 'minEngines',
  max_se: 'maxEngines',
  max_vs_per_se: 'slotsPerEngine',
  buffer_se: 'bufferEngines',
  min_scaleout_per_vs: 'minScaleout',
  max_scaleout_per_vs: 'maxScaleout',
  per_app: 'perApp',
  vs_host_redundancy: 'hostRedundancy',
  tenancy: 'tenancy',
  max_vnics_per_se: 'maxVnics',
  se_name_prefix: 'namePrefix',
  vs_scalein_timeout: 'scaleinTimeout',
  vs_scaleout_timeout: 'scaleoutTimeout',
  distribute_load_active_standby: 'distributeLoad',
  auto_redistribute_active_standby_load: 'autoRedistribute',
  dp_hb_frequency: 'heartbeatInterval',
  dp_hb_timeout_count: 'heartbeatCount',
  auto_rebalance: 'autoRebalance',
  auto_rebalance_interval: 'rebalanceInterval',
  auto_rebalance_criteria: 'rebalanceCriteria',
  auto_rebalance_capacity_per_se: 'rebalanceCapacity',
  max_cpu_usage: 'maxLoad',
  min_cpu_usage: 'minLoad',
  se_deprovision_delay: 'deprovisionDelay',
} as const satisfies Readonly<Record<string, keyof GroupProperties>>;

/** Avi's words for values, and ours. */
export const AVI_WORDS: Readonly<Record<string, HaMode | PlacementAlgorithm>> = {
  HA_MODE_SHARED: 'n_plus_m',
  HA_MODE_SHARED_PAIR: 'active_active',
  HA_MODE_LEGACY_ACTIVE_STANDBY: 'active_standby',
  PLACEMENT_ALGO_PACKED: 'packed',
  PLACEMENT_ALGO_DISTRIBUTED: 'distributed',
};

/** Fields whose values are lists. */
export const LIST_FIELDS: readonly string[] = ['auto_rebalance_criteria', 'auto_rebalance_capacity_per_se'];

/** Of the words for what load is, in Avi's writing. */
const AVI_CRITERION = 'SE_AUTO_REBALANCE_';

/** Fields that have one value here: it is shown and taken, any other is refused for the reason. */
export const FIXED_GROUP_FIELDS = {
  placement_mode: { value: 'PLACEMENT_MODE_AUTO', reason: 'there is no other mode' },
  active_standby: { value: false, reason: 'a pair is had by ha_mode' },
  hm_on_standby: { value: true, reason: 'a standby engine checks members at all times, to be ready at once' },
  self_se_election: {
    value: false,
    reason: 'of a pair the standby takes over by itself in any case; others serve all the same',
  },
  bgp_peer_monitor_failover_enabled: { value: false, reason: 'an engine withdraws its own routes instead' },
  aggressive_failure_detection: {
    value: false,
    reason: 'how fast a dead engine is found is a matter of [health_manager], for all groups alike',
  },
  dedicated_dispatcher_core: { value: false, reason: 'haproxy has no dispatcher: all its threads take connections' },
  cpu_reserve: { value: false, reason: 'reservations are a matter of the compute flavor' },
  enable_gratarp_permanent: { value: false, reason: 'the network learns of a VIP by its wiring, not by ARP' },
} as const satisfies Readonly<Record<string, { readonly value: boolean | string; readonly reason: string }>>;

const BY_FLAVOR = 'an engine has the size of its compute flavor';
const ONE_HEARTBEAT = 'there is one pace of heartbeats between engines: dp_hb_frequency and dp_hb_timeout_count';
const PROMPT =
  'a load balancer is on another engine once that has confirmed it; [controller_worker] pending_deadline ends the wait';
const ONE_DRAIN = 'vs_scalein_timeout is for every way off an engine';
const NO_ROUTE_WAIT = 'an engine leaves the wiring only when another one serves';
const OWN_GROUPS = 'the security groups of engine ports are a matter of the network driver, for all groups alike';
const NO_GRATARP = 'the network learns of a VIP by its wiring, not by ARP';

/** Fields that mean nothing here, each with the reason that whoever sends it is told. */
export const REFUSED_GROUP_FIELDS = {
  vcpus_per_se: BY_FLAVOR,
  memory_per_se: BY_FLAVOR,
  disk_per_se: BY_FLAVOR,
  mem_reserve: 'reservations are a matter of the compute flavor',
  connection_memory_percentage: 'haproxy has no cache that takes memory from connections',
  log_disksz: 'engines keep no logs: [service_engine] log_target says where they go',
  se_mtu: 'an engine takes the MTU of each network from the network service',
  vs_se_scaleout_ready_timeout: PROMPT,
  vs_se_scaleout_additional_wait_time: NO_ROUTE_WAIT,
  vs_scalein_timeout_for_upgrade: ONE_DRAIN,
  vs_switchover_timeout: PROMPT,
  vs_se_scalein_additional_wait_time: NO_ROUTE_WAIT,
  vs_se_primary_switchover_additional_wait_time: NO_ROUTE_WAIT,
  dp_aggressive_hb_frequency: ONE_HEARTBEAT,
  dp_aggressive_hb_timeout_count: ONE_HEARTBEAT,
  bgp_state_update_interval: 'the state of BGP peers is told with every change, not by the clock',
  gratarp_permanent_periodicity: NO_GRATARP,
  disable_avi_securitygroups: OWN_GROUPS,
  custom_securitygroups_mgmt: OWN_GROUPS,
  custom_securitygroups_data: OWN_GROUPS,
  ingress_access_mgmt: OWN_GROUPS,
  ingress_access_data: OWN_GROUPS,
} as const satisfies Readonly<Record<string, string>>;

export type GroupFieldName = keyof typeof GROUP_FIELDS;

/** Why a field cannot have this value; undefined when it can. Null is its default. */
export function refusalOf(field: string, value: unknown): string | undefined {
  if (Object.hasOwn(REFUSED_GROUP_FIELDS, field)) {
    return `${field} does not apply here: ${REFUSED_GROUP_FIELDS[field as keyof typeof REFUSED_GROUP_FIELDS]}`;
  }
  if (!Object.hasOwn(FIXED_GROUP_FIELDS, field)) return undefined;
  const fixed = FIXED_GROUP_FIELDS[field as keyof typeof FIXED_GROUP_FIELDS];
  if (value === null || value === fixed.value) return undefined;
  return `${field} can only be ${fixed.value} here: ${fixed.reason}`;
}

/** Why a group's tenancy means nothing where engines live like this; undefined when it is in force. */
export function tenancyRefusal({ tenancy }: GroupProperties, mode: TenancyMode): string | undefined {
  if (tenancyInForce(tenancy, mode) === tenancy) return undefined;
  return mode === 'tenant'
    ? 'tenancy can only be tenant here: [service_engine] tenancy_mode has all engines in the projects of their users'
    : 'tenancy cannot be tenant here: [service_engine] tenancy_mode has everything in one project';
}

/** What contradicts itself in a group; undefined when nothing does. */
export function contradictionIn(group: GroupProperties): string | undefined {
  if (group.minEngines > group.maxEngines) return 'min_se is greater than max_se';
  if (group.minScaleout > group.maxScaleout) return 'min_scaleout_per_vs is greater than max_scaleout_per_vs';
  if (group.minLoad >= group.maxLoad) return 'min_cpu_usage is not less than max_cpu_usage';
  const { rebalanceCriteria: criteria, rebalanceCapacity: capacity } = group;
  if (criteria.length === 1 && criteria[0] === 'cpu' && capacity.length === 0) return undefined;
  if (criteria.length !== capacity.length) {
    return 'auto_rebalance_capacity_per_se needs one value for each of auto_rebalance_criteria';
  }
  return undefined;
}

/** What load is in the group, and what its engines can do of it. */
export function measuresOf({ rebalanceCriteria, rebalanceCapacity }: GroupProperties): readonly LoadMeasure[] {
  if (rebalanceCriteria.length === 0) return CPU_ALONE;
  return rebalanceCriteria.map((criterion, index) => ({ criterion, capacity: rebalanceCapacity[index] ?? 100 }));
}

/** What a group that is made with these fields has before they are applied. */
export function newGroupProperties(given: Readonly<Record<string, unknown>>, mode: TenancyMode): GroupProperties {
  const tenancy = tenancyInForce(NEW_GROUP_PROPERTIES.tenancy, mode);
  return { ...defaultsOf(given['tenancy'] ?? tenancy), tenancy };
}

/** A group's properties with the given fields over them: null is the default, as is what has no value of its own. */
export function applyGroupFields(group: GroupProperties, given: Readonly<Record<string, unknown>>): GroupProperties {
  const defaults = defaultsOf(Object.hasOwn(given, 'tenancy') ? given['tenancy'] : group.tenancy);
  const changes = Object.entries(GROUP_FIELDS)
    .filter(([field]) => Object.hasOwn(given, field))
    .map(([field, property]) => [property, storedValue(given[field], defaults[property])]);
  return { ...group, ...Object.fromEntries(changes) } as GroupProperties;
}

function storedValue(value: unknown, fallback: unknown): unknown {
  if (value === null) return fallback;
  if (Array.isArray(value)) {
    return value.map((it) => (typeof it === 'string' ? it.replace(AVI_CRITERION, '').toLowerCase() : it));
  }
  return typeof value === 'string' && Object.hasOwn(AVI_WORDS, value) ? AVI_WORDS[value] : value;
}
