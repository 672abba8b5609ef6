import type {
  BgpServiceRow,
  BgpSessionRow,
  CertificateConsumerRow,
  EngineCertificateRow,
  EngineHearingRow,
  EngineLoadRow,
  EngineReachRow,
  EngineRebootRow,
  GroupElasticityRow,
  GroupUpgradeRow,
  PeerPortRow,
  PlacementRow,
  ServiceEngineGroupRow,
  ServiceEngineRow,
  SeVnicRow,
  TakenPortRow,
  VipFirewallRow,
  VipWiringRow,
  VnicUseRow,
} from './rows/fleet';
import type {
  AdditionalVipRow,
  AvailabilityZoneProfileRow,
  AvailabilityZoneRow,
  FlavorProfileRow,
  FlavorRow,
  HealthMonitorRow,
  L7PolicyRow,
  L7RuleRow,
  ListenerCidrRow,
  ListenerRow,
  ListenerStatisticsRow,
  LoadBalancerRow,
  MemberRow,
  PoolRow,
  QuotaRow,
  SessionPersistenceRow,
  SniRow,
  TagRow,
  VipRow,
  VipSecurityGroupRow,
} from './rows/octavia';
import type {
  CaptureChunkRow,
  CapturePartRow,
  CaptureRow,
  EmbeddedResourceRow,
  EventRow,
  InspectionRow,
  JobLeaseRow,
  OctaviaImportRow,
  OutboxRow,
  SeenFloatingIpRow,
  TroubleRow,
} from './rows/work';

export * from './rows/columns';
export * from './rows/fleet';
export * from './rows/octavia';
export * from './rows/work';

/**
 * The tables, as the database hands their rows out. Tables and columns that hold an Octavia concept bear Octavia's
 * names. `codecs.ts` turns column types into values.
 */

/** Table name to row type. */
export interface Tables {
  load_balancer: LoadBalancerRow;
  vip: VipRow;
  vip_security_group: VipSecurityGroupRow;
  additional_vip: AdditionalVipRow;
  listener: ListenerRow;
  listener_cidr: ListenerCidrRow;
  sni: SniRow;
  pool: PoolRow;
  session_persistence: SessionPersistenceRow;
  member: MemberRow;
  health_monitor: HealthMonitorRow;
  l7policy: L7PolicyRow;
  l7rule: L7RuleRow;
  tags: TagRow;
  quotas: QuotaRow;
  flavor_profile: FlavorProfileRow;
  flavor: FlavorRow;
  availability_zone_profile: AvailabilityZoneProfileRow;
  availability_zone: AvailabilityZoneRow;
  listener_statistics: ListenerStatisticsRow;
  service_engine_group: ServiceEngineGroupRow;
  service_engine: ServiceEngineRow;
  engine_certificate: EngineCertificateRow;
  se_vnic: SeVnicRow;
  bgp_service: BgpServiceRow;
  bgp_session: BgpSessionRow;
  engine_hearing: EngineHearingRow;
  engine_reach: EngineReachRow;
  engine_load: EngineLoadRow;
  group_elasticity: GroupElasticityRow;
  group_upgrade: GroupUpgradeRow;
  engine_reboot: EngineRebootRow;
  vnic_use: VnicUseRow;
  vip_firewall: VipFirewallRow;
  peer_port: PeerPortRow;
  taken_port: TakenPortRow;
  placement: PlacementRow;
  capture: CaptureRow;
  capture_part: CapturePartRow;
  capture_chunk: CaptureChunkRow;
  inspection: InspectionRow;
  vip_wiring: VipWiringRow;
  certificate_consumer: CertificateConsumerRow;
  event: EventRow;
  outbox: OutboxRow;
  job_lease: JobLeaseRow;
  embedded_resource: EmbeddedResourceRow;
  octavia_import: OctaviaImportRow;
  trouble: TroubleRow;
  seen_floating_ip: SeenFloatingIpRow;
}
