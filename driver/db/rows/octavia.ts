import type { OperatingStatus, ProvisioningStatus } from '../../domain/status';
import type { BigCount, Bit, Json, Time } from './columns';

/** Rows of the tables that hold Octavia's concepts. */

/** The columns every object of a load balancer's tree has. */
interface TreeRow {
  id: string;
  project_id: string;
  provisioning_status: ProvisioningStatus;
  operating_status: OperatingStatus;
  enabled: Bit;
  /** Wanted gone: carried on with until it is, whatever `provisioning_status` shows. */
  deleting: Bit;
  created_at: Time;
  updated_at: Time | null;
}

export interface LoadBalancerRow extends TreeRow {
  name: string;
  description: string;
  provider: string;
  topology: string;
  flavor_id: string | null;
  availability_zone: string | null;
  /** The change that is wanted; the load balancer is work while this differs from `settled_generation`. */
  generation: number;
  settled_generation: number;
  /** When a PENDING status ends in ERROR, by the database's clock. Null when nothing is pending. */
  pending_deadline: Time | null;
  /** Not before this is the load balancer looked at again by the sweep (back-off). Null: at once. */
  retry_at: Time | null;
  /** Runs in a row that did not settle. */
  attempts: number;
  lease_owner: string | null;
  lease_epoch: number;
  lease_until: Time | null;
  /** Since when its VIPs have been withdrawn because no member is usable; null: they are not. */
  vip_withdrawn_at: Time | null;
  /** Its engines do not answer for its VIPs yet: an import from Octavia lets whoever served it go on. Null: they do. */
  vip_held: Bit | null;
  /** What operators have scaled it by, out (above zero) or in; null: they have not. */
  scale_adjustment: number | null;
  /** Of a pair: the highest term that was granted, or taken by an engine while no controller was there. Null: it is none. */
  master_term: number | string | null;
  /** aap | bgp: how its VIPs are wired, chosen once. Null: not chosen yet. */
  vip_mode: string | null;
  /** The floating IP that was allocated for it, from before it is. */
  floating_ip_id: string | null;
  /** When it became DELETED; the row is purged an expiry age later. */
  deleted_at: Time | null;
}

export interface VipRow {
  load_balancer_id: string;
  ip_address: string | null;
  port_id: string | null;
  subnet_id: string | null;
  network_id: string | null;
  qos_policy_id: string | null;
  /** Whether the port is ours to delete with the load balancer. */
  octavia_owned: Bit;
  vnic_type: string;
}

export interface VipSecurityGroupRow {
  load_balancer_id: string;
  sg_id: string;
}

export interface AdditionalVipRow {
  load_balancer_id: string;
  subnet_id: string;
  ip_address: string | null;
  port_id: string | null;
  network_id: string | null;
  /** Order given by the user. */
  position: number;
}

export interface ListenerRow extends TreeRow {
  name: string;
  description: string;
  load_balancer_id: string;
  protocol: string;
  protocol_port: number;
  connection_limit: number;
  default_pool_id: string | null;
  tls_certificate_id: string | null;
  insert_headers: Json | null;
  timeout_client_data: number;
  timeout_member_connect: number;
  timeout_member_data: number;
  timeout_tcp_inspect: number;
  client_ca_tls_certificate_id: string | null;
  client_authentication: string;
  client_crl_container_id: string | null;
  tls_ciphers: string | null;
  tls_versions: Json | null;
  alpn_protocols: Json | null;
  hsts_max_age: number | null;
  hsts_include_subdomains: Bit;
  hsts_preload: Bit;
}

export interface ListenerCidrRow {
  listener_id: string;
  cidr: string;
  position: number;
}

export interface SniRow {
  listener_id: string;
  tls_container_id: string;
  position: number;
}

export interface PoolRow extends TreeRow {
  name: string;
  description: string;
  load_balancer_id: string;
  protocol: string;
  lb_algorithm: string;
  tls_certificate_id: string | null;
  ca_tls_certificate_id: string | null;
  crl_container_id: string | null;
  tls_enabled: Bit;
  tls_ciphers: string | null;
  tls_versions: Json | null;
  alpn_protocols: Json | null;
}

export interface SessionPersistenceRow {
  pool_id: string;
  type: string;
  cookie_name: string | null;
  persistence_timeout: number | null;
  persistence_granularity: string | null;
}

export interface MemberRow extends TreeRow {
  name: string;
  pool_id: string;
  subnet_id: string | null;
  ip_address: string;
  protocol_port: number;
  weight: number;
  backup: Bit;
  monitor_address: string | null;
  monitor_port: number | null;
  vnic_type: string;
}

export interface HealthMonitorRow extends TreeRow {
  name: string;
  pool_id: string;
  type: string;
  /** Seconds. */
  delay: number;
  /** Seconds. */
  timeout: number;
  /** The API's max_retries. */
  rise_threshold: number;
  /** The API's max_retries_down. */
  fall_threshold: number;
  http_method: string | null;
  url_path: string | null;
  expected_codes: string | null;
  http_version: number | null;
  domain_name: string | null;
}

export interface L7PolicyRow extends TreeRow {
  name: string;
  description: string;
  listener_id: string;
  action: string;
  redirect_pool_id: string | null;
  redirect_url: string | null;
  redirect_prefix: string | null;
  redirect_http_code: number | null;
  position: number;
}

export interface L7RuleRow extends TreeRow {
  l7policy_id: string;
  type: string;
  compare_type: string;
  key: string | null;
  value: string;
  invert: Bit;
}

/** A tag of any object; the resource's id is enough, ids are unique over all kinds. */
export interface TagRow {
  resource_id: string;
  tag: string;
}

export const QUOTA_KINDS = [
  'load_balancer',
  'listener',
  'pool',
  'member',
  'health_monitor',
  'l7policy',
  'l7rule',
] as const;
export type QuotaKind = (typeof QUOTA_KINDS)[number];

/** Limits (null: the configured default; -1: none) and usage of a project. */
export type QuotaRow = { project_id: string } & { [K in QuotaKind]: number | null } & {
  [K in `in_use_${QuotaKind}`]: number;
};

export interface FlavorProfileRow {
  id: string;
  name: string;
  provider_name: string;
  flavor_data: Json;
}

export interface FlavorRow {
  id: string;
  name: string;
  description: string;
  enabled: Bit;
  flavor_profile_id: string;
}

export interface AvailabilityZoneProfileRow {
  id: string;
  name: string;
  provider_name: string;
  availability_zone_data: Json;
}

export interface AvailabilityZoneRow {
  name: string;
  description: string;
  enabled: Bit;
  availability_zone_profile_id: string;
}

/** Absolute counters of one listener on one engine; an engine that leaves keeps its row, so no sum ever falls. */
export interface ListenerStatisticsRow {
  listener_id: string;
  /** The service engine's id; Octavia's name of the column. */
  amphora_id: string;
  load_balancer_id: string;
  bytes_in: BigCount;
  bytes_out: BigCount;
  active_connections: BigCount;
  total_connections: BigCount;
  request_errors: BigCount;
}
