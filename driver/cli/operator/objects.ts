/** What operators look at, and how its commands show it. */
export interface OperatorObject {
  /** Word of the command line. */
  readonly word: string;
  readonly title: string;
  /** Below `/v2/slipstream/`. */
  readonly path: string;
  readonly root: string;
  readonly plural: string;
  /** Has names, which are unique. */
  readonly named: boolean;
  /** What a table has of each. */
  readonly columns: readonly string[];
  /** Filters with an option of their own: option and attribute. */
  readonly filters: Readonly<Record<string, string>>;
}

export const GROUP: OperatorObject = {
  word: 'group',
  title: 'service engine group',
  path: 'service-engine-groups',
  root: 'service_engine_group',
  plural: 'service_engine_groups',
  named: true,
  columns: ['id', 'name', 'ha_mode', 'algo', 'min_se', 'max_se', 'max_vs_per_se', 'buffer_se', 'is_default'],
  filters: { name: 'name' },
};

export const ENGINE: OperatorObject = {
  word: 'engine',
  title: 'service engine',
  path: 'service-engines',
  root: 'service_engine',
  plural: 'service_engines',
  named: true,
  columns: ['id', 'name', 'service_engine_group_id', 'status', 'connected', 'slots_used', 'slots', 'host'],
  filters: { name: 'name', group: 'service_engine_group_id', status: 'status', host: 'host' },
};

export const PLACEMENT: OperatorObject = {
  word: 'placement',
  title: 'placement',
  path: 'placements',
  root: 'placement',
  plural: 'placements',
  named: false,
  columns: [
    'id',
    'loadbalancer_id',
    'service_engine_id',
    'role',
    'wanted_generation',
    'confirmed_generation',
    'stale',
    'deleting',
  ],
  filters: { loadbalancer: 'loadbalancer_id', engine: 'service_engine_id', project: 'project_id', role: 'role' },
};

/** What placement makes of a load balancer; shown by the load balancer's id. */
export const PLACEMENT_PLAN: OperatorObject = {
  word: 'explain',
  title: 'what placement makes of a load balancer, and why',
  path: 'placement-plans',
  root: 'placement_plan',
  plural: '',
  named: false,
  columns: [],
  filters: {},
};

export const EVENT: OperatorObject = {
  word: 'event',
  title: 'event',
  path: 'events',
  root: 'event',
  plural: 'events',
  named: false,
  columns: ['created_at', 'severity', 'name', 'loadbalancer_id', 'service_engine_id', 'message'],
  filters: {
    name: 'name',
    severity: 'severity',
    loadbalancer: 'loadbalancer_id',
    engine: 'service_engine_id',
    resource: 'resource_id',
    project: 'project_id',
    request: 'request_id',
    user: 'user_id',
    since: 'since',
    until: 'until',
  },
};
