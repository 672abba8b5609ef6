import { LOAD_CRITERIA, type LoadCriterion } from './engineLoad';

/** A service engine group: the unit of placement, high availability and isolation. */

export const HA_MODES = ['n_plus_m', 'active_active', 'active_standby'] as const;
/** Elastic N+M, elastic active/active, or a legacy pair. */
export type HaMode = (typeof HA_MODES)[number];

export const PLACEMENT_ALGORITHMS = ['packed', 'distributed'] as const;
/** Fill running engines first, or spread over as many as there may be. */
export type PlacementAlgorithm = (typeof PLACEMENT_ALGORITHMS)[number];

export const TENANCIES = ['shared', 'exclusive', 'tenant'] as const;
/**
 * Whose an engine is: it serves load balancers of any project, of one project at a time, or of one project alone in which
 * it then also lives, and whose quota it takes from.
 */
export type Tenancy = (typeof TENANCIES)[number];

export const TENANCY_MODES = ['tenant', 'service', 'single'] as const;
/**
 * The modes of Avi in OpenStack: 1, all engines in the projects of their users; 2, engines in the project of this service,
 * unless their group says otherwise; 3, everything in one project, without an admin.
 */
export type TenancyMode = (typeof TENANCY_MODES)[number];

/** What a group's tenancy comes to in this mode. */
export function tenancyInForce(tenancy: Tenancy, mode: TenancyMode): Tenancy {
  if (mode === 'tenant') return 'tenant';
  return mode === 'single' && tenancy === 'tenant' ? 'shared' : tenancy;
}

/** A group whose tenancy is what it comes to. */
export function groupInForce<G extends { readonly properties: GroupProperties }>(group: G, mode: TenancyMode): G {
  const { properties } = group;
  return { ...group, properties: { ...properties, tenancy: tenancyInForce(properties.tenancy, mode) } };
}

/** The project that engines for a load balancer of this one live in; null: that of this service. */
export function ownerOf(projectId: string, { tenancy }: Pick<GroupProperties, 'tenancy'>): string | null {
  return tenancy === 'tenant' ? projectId : null;
}

/** What `service_engine_group.properties` holds. Counts are engines unless said. */
export interface GroupProperties {
  readonly haMode: HaMode;
  readonly algorithm: PlacementAlgorithm;
  /** Kept up even when nothing is placed. */
  readonly minEngines: number;
  readonly maxEngines: number;
  /** Load balancers a new engine takes. */
  readonly slotsPerEngine: number;
  /** M of N+M, counted in slots: M times `slotsPerEngine` stay free. */
  readonly bufferEngines: number;
  /** Engines every load balancer starts on. */
  readonly minScaleout: number;
  readonly maxScaleout: number;
  /** Engines for few load balancers: at most two on each. */
  readonly perApp: boolean;
  /** The engines of one load balancer are on different hosts. */
  readonly hostRedundancy: boolean;
  readonly tenancy: Tenancy;
  /** vNICs of an engine, that in the management network among them. */
  readonly maxVnics: number;
  /** What the names of new engines begin with; null: as the configuration says. */
  readonly namePrefix: string | null;
  /** Of pairs: load balancers are on either engine, as their tags say. */
  readonly distributeLoad: boolean;
  /** Of pairs: what an engine had it gets back by itself once it is well again. */
  readonly autoRedistribute: boolean;
  /** Milliseconds between two heartbeats of engines to one another, and how many may be missed. */
  readonly heartbeatInterval: number;
  readonly heartbeatCount: number;
  /** Seconds that an engine which a load balancer leaves keeps its connections. */
  readonly scaleinTimeout: number;
  /** Seconds that an engine a load balancer waits for may take to be ready; null: as the configuration says of all. */
  readonly scaleoutTimeout: number | null;
  /** Load balancers are scaled and moved as their load asks for; off: it is only told. */
  readonly autoRebalance: boolean;
  /** Seconds between two looks at the load. */
  readonly rebalanceInterval: number;
  /** What load is; none: CPU. */
  readonly rebalanceCriteria: readonly LoadCriterion[];
  /** What an engine can do of each of them, in their order. */
  readonly rebalanceCapacity: readonly number[];
  /** Percent of what an engine can do: above it has too much to do, below too little. */
  readonly maxLoad: number;
  readonly minLoad: number;
  /** Minutes after which an engine that serves nobody is retired; 0: never. */
  readonly deprovisionDelay: number;
  /** What new engines are made of, by the last rolling upgrade; null: as the configuration says. */
  readonly imageTag: string | null;
  /** What new engines bear: that of the last rolling upgrade. */
  readonly upgradeMark: string | null;
}

/** Avi's defaults, less the buffer: without a cloud behind it nothing may be booted ahead. */
export const DEFAULT_GROUP_PROPERTIES: GroupProperties = {
  haMode: 'n_plus_m',
  algorithm: 'packed',
  minEngines: 1,
  maxEngines: 10,
  slotsPerEngine: 10,
  bufferEngines: 0,
  minScaleout: 1,
  maxScaleout: 4,
  perApp: false,
  hostRedundancy: true,
  tenancy: 'shared',
  maxVnics: 10,
  namePrefix: null,
  distributeLoad: false,
  autoRedistribute: false,
  heartbeatInterval: 100,
  heartbeatCount: 10,
  scaleinTimeout: 30,
  scaleoutTimeout: null,
  autoRebalance: false,
  rebalanceInterval: 300,
  rebalanceCriteria: [],
  rebalanceCapacity: [],
  maxLoad: 80,
  minLoad: 30,
  deprovisionDelay: 120,
  imageTag: null,
  upgradeMark: null,
};

/** Load balancers on an engine that is for few. */
export const PER_APP_SLOTS = 2;

/** Load balancers that an engine takes which is made now. */
export function slotsOfNewEngine({
  slotsPerEngine,
  perApp,
}: Pick<GroupProperties, 'slotsPerEngine' | 'perApp'>): number {
  return Math.max(1, perApp ? Math.min(PER_APP_SLOTS, slotsPerEngine) : slotsPerEngine);
}

/** Reads a group's stored properties; what is missing or makes no sense there has its default. */
export function readGroupProperties(stored: unknown): GroupProperties {
  const given = typeof stored === 'object' && stored !== null ? (stored as Record<string, unknown>) : {};
  const count = (key: keyof GroupProperties & string, fallback: number): number => {
    const value = given[key];
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : fallback;
  };
  const flag = (key: keyof GroupProperties & string, fallback: boolean): boolean => {
    const value = given[key];
    return typeof value === 'boolean' ? value : fallback;
  };
  const defaults = DEFAULT_GROUP_PROPERTIES;
  const prefix = given['namePrefix'];
  const patience = count('scaleoutTimeout', -1);
  return {
    haMode: oneOf(HA_MODES, given['haMode'], defaults.haMode),
    algorithm: oneOf(PLACEMENT_ALGORITHMS, given['algorithm'], defaults.algorithm),
    minEngines: count('minEngines', defaults.minEngines),
    maxEngines: count('maxEngines', defaults.maxEngines),
    slotsPerEngine: count('slotsPerEngine', defaults.slotsPerEngine),
    bufferEngines: count('bufferEngines', defaults.bufferEngines),
    minScaleout: count('minScaleout', defaults.minScaleout),
    maxScaleout: count('maxScaleout', defaults.maxScaleout),
    perApp: flag('perApp', defaults.perApp),
    hostRedundancy: flag('hostRedundancy', defaults.hostRedundancy),
    tenancy: oneOf(TENANCIES, given['tenancy'], defaults.tenancy),
    maxVnics: count('maxVnics', defaults.maxVnics),
    namePrefix: typeof prefix === 'string' && prefix !== '' ? prefix : defaults.namePrefix,
    distributeLoad: flag('distributeLoad', defaults.distributeLoad),
    autoRedistribute: flag('autoRedistribute', defaults.autoRedistribute),
    heartbeatInterval: Math.max(20, count('heartbeatInterval', defaults.heartbeatInterval)),
    heartbeatCount: Math.max(2, count('heartbeatCount', defaults.heartbeatCount)),
    scaleinTimeout: count('scaleinTimeout', defaults.scaleinTimeout),
    scaleoutTimeout: patience < 0 ? defaults.scaleoutTimeout : patience,
    autoRebalance: flag('autoRebalance', defaults.autoRebalance),
    rebalanceInterval: count('rebalanceInterval', defaults.rebalanceInterval),
    rebalanceCriteria: listOf(given['rebalanceCriteria'], (it) => LOAD_CRITERIA.find((known) => known === it)),
    rebalanceCapacity: listOf(given['rebalanceCapacity'], (it) => (typeof it === 'number' && it > 0 ? it : undefined)),
    maxLoad: count('maxLoad', defaults.maxLoad),
    minLoad: count('minLoad', defaults.minLoad),
    deprovisionDelay: count('deprovisionDelay', defaults.deprovisionDelay),
    imageTag: textIn(given['imageTag']),
    upgradeMark: textIn(given['upgradeMark']),
  };
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function listOf<T>(value: unknown, read: (item: unknown) => T | undefined): readonly T[] {
  return Array.isArray(value) ? value.map(read).filter((it) => it !== undefined) : [];
}

function oneOf<T extends string>(known: readonly T[], value: unknown, fallback: T): T {
  return known.find((it) => it === value) ?? fallback;
}
