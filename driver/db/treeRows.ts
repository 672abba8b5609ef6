import type {
  AdditionalVipRow,
  Bit,
  EngineStatus,
  HealthMonitorRow,
  L7PolicyRow,
  L7RuleRow,
  ListenerCidrRow,
  ListenerRow,
  LoadBalancerRow,
  MemberRow,
  PlacementRow,
  PoolRow,
  SessionPersistenceRow,
  SniRow,
  Time,
  VipRow,
  VipSecurityGroupRow,
} from './rows';

/** A load balancer's row with its VIP's, and which tables hold more of it. */
export type RootRow = LoadBalancerRow &
  Omit<VipRow, 'load_balancer_id' | 'vnic_type'> & {
    overdue: Bit;
    has_security_groups: Bit;
    has_additional_vips: Bit;
    has_listeners: Bit;
    has_pools: Bit;
    has_placements: Bit;
    has_consumers: Bit;
  };

export type PoolAndPersistenceRow = PoolRow & {
  persistence_type: SessionPersistenceRow['type'] | null;
} & Pick<SessionPersistenceRow, 'cookie_name' | 'persistence_timeout' | 'persistence_granularity'>;

export type PlacementAndEngineRow = PlacementRow & {
  engine_status: EngineStatus;
  engine_deleting: Bit;
  connected_to: string | null;
  management_address: string | null;
  engine_made: Time;
  engine_changed: Time | null;
  isolated_since: Time | null;
  engine_cut: Bit | number;
};

/** The rows of one tree, table by table. */
export interface TreeRows {
  readonly root: RootRow;
  readonly securityGroups: readonly VipSecurityGroupRow[];
  readonly additionalVips: readonly AdditionalVipRow[];
  readonly listeners: readonly ListenerRow[];
  readonly cidrs: readonly ListenerCidrRow[];
  readonly snis: readonly SniRow[];
  readonly policies: readonly L7PolicyRow[];
  readonly rules: readonly L7RuleRow[];
  readonly pools: readonly PoolAndPersistenceRow[];
  readonly members: readonly MemberRow[];
  readonly monitors: readonly HealthMonitorRow[];
  readonly placements: readonly PlacementAndEngineRow[];
}
