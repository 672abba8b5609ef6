import { fromJson } from './codecs';
import type { NewListener } from './listeners';
import type { NewRow } from './newRows';
import type { NewPool } from './pools';
import type {
  AdditionalVipRow,
  HealthMonitorRow,
  L7PolicyRow,
  L7RuleRow,
  LoadBalancerRow,
  MemberRow,
  VipRow,
} from './rows';

/**
 * The provider dictionaries that Octavia's RPC carries: an object under the names of octavia-lib, without its children.
 * Who receives one reads the rows and decides; the dictionaries are for consumers that know Octavia's.
 */
export type ProviderDict = Readonly<Record<string, unknown>>;

export function loadBalancerDict(
  row: Pick<LoadBalancerRow, 'id' | 'project_id' | 'name' | 'description' | 'enabled'>,
  vips: { vip: VipRow; additionalVips: readonly AdditionalVipRow[]; securityGroupIds: readonly string[] },
): ProviderDict {
  const { vip, additionalVips, securityGroupIds } = vips;
  return {
    loadbalancer_id: row.id,
    project_id: row.project_id,
    name: row.name,
    description: row.description,
    admin_state_up: row.enabled === 1,
    vip_address: vip.ip_address,
    vip_network_id: vip.network_id,
    vip_port_id: vip.port_id,
    vip_subnet_id: vip.subnet_id,
    vip_qos_policy_id: vip.qos_policy_id,
    vip_sg_ids: securityGroupIds,
    additional_vips: additionalVips.map(({ ip_address, network_id, port_id, subnet_id }) => ({
      ip_address,
      network_id,
      port_id,
      subnet_id,
    })),
  };
}

export function listenerDict({ row, cidrs, sniRefs }: NewListener): ProviderDict {
  return {
    listener_id: row.id,
    loadbalancer_id: row.load_balancer_id,
    project_id: row.project_id,
    name: row.name,
    description: row.description,
    admin_state_up: row.enabled === 1,
    protocol: row.protocol,
    protocol_port: row.protocol_port,
    connection_limit: row.connection_limit,
    default_pool_id: row.default_pool_id,
    default_tls_container_ref: row.tls_certificate_id,
    sni_container_refs: sniRefs,
    insert_headers: row.insert_headers === null ? {} : fromJson(row.insert_headers),
    timeout_client_data: row.timeout_client_data,
    timeout_member_connect: row.timeout_member_connect,
    timeout_member_data: row.timeout_member_data,
    timeout_tcp_inspect: row.timeout_tcp_inspect,
    client_ca_tls_container_ref: row.client_ca_tls_certificate_id,
    client_authentication: row.client_authentication,
    client_crl_container_ref: row.client_crl_container_id,
    allowed_cidrs: cidrs,
    ...tlsDict(row),
    hsts_max_age: row.hsts_max_age,
    hsts_include_subdomains: row.hsts_include_subdomains === 1,
    hsts_preload: row.hsts_preload === 1,
  };
}

export function poolDict({ row, persistence }: NewPool): ProviderDict {
  return {
    pool_id: row.id,
    loadbalancer_id: row.load_balancer_id,
    project_id: row.project_id,
    name: row.name,
    description: row.description,
    admin_state_up: row.enabled === 1,
    protocol: row.protocol,
    lb_algorithm: row.lb_algorithm,
    session_persistence: persistence && {
      type: persistence.type,
      cookie_name: persistence.cookie_name,
      persistence_timeout: persistence.persistence_timeout,
      persistence_granularity: persistence.persistence_granularity,
    },
    tls_container_ref: row.tls_certificate_id,
    ca_tls_container_ref: row.ca_tls_certificate_id,
    crl_container_ref: row.crl_container_id,
    tls_enabled: row.tls_enabled === 1,
    ...tlsDict(row),
  };
}

function tlsDict(row: { tls_ciphers: string | null; tls_versions: string | null; alpn_protocols: string | null }) {
  return {
    tls_ciphers: row.tls_ciphers,
    tls_versions: row.tls_versions === null ? [] : fromJson<string[]>(row.tls_versions),
    alpn_protocols: row.alpn_protocols === null ? [] : fromJson<string[]>(row.alpn_protocols),
  };
}

export function memberDict(row: NewRow<MemberRow>): ProviderDict {
  return {
    member_id: row.id,
    pool_id: row.pool_id,
    project_id: row.project_id,
    name: row.name,
    admin_state_up: row.enabled === 1,
    address: row.ip_address,
    protocol_port: row.protocol_port,
    weight: row.weight,
    backup: row.backup === 1,
    subnet_id: row.subnet_id,
    monitor_address: row.monitor_address,
    monitor_port: row.monitor_port,
    vnic_type: row.vnic_type,
  };
}

export function healthMonitorDict(row: NewRow<HealthMonitorRow>): ProviderDict {
  return {
    healthmonitor_id: row.id,
    pool_id: row.pool_id,
    project_id: row.project_id,
    name: row.name,
    admin_state_up: row.enabled === 1,
    type: row.type,
    delay: row.delay,
    timeout: row.timeout,
    max_retries: row.rise_threshold,
    max_retries_down: row.fall_threshold,
    http_method: row.http_method,
    url_path: row.url_path,
    expected_codes: row.expected_codes,
    http_version: row.http_version,
    domain_name: row.domain_name,
  };
}

export function l7PolicyDict(row: NewRow<L7PolicyRow>): ProviderDict {
  return {
    l7policy_id: row.id,
    listener_id: row.listener_id,
    project_id: row.project_id,
    name: row.name,
    description: row.description,
    admin_state_up: row.enabled === 1,
    action: row.action,
    position: row.position,
    redirect_pool_id: row.redirect_pool_id,
    redirect_url: row.redirect_url,
    redirect_prefix: row.redirect_prefix,
    redirect_http_code: row.redirect_http_code,
  };
}

export function l7RuleDict(row: NewRow<L7RuleRow>): ProviderDict {
  return {
    l7rule_id: row.id,
    l7policy_id: row.l7policy_id,
    project_id: row.project_id,
    admin_state_up: row.enabled === 1,
    type: row.type,
    compare_type: row.compare_type,
    key: row.key,
    value: row.value,
    invert: row.invert === 1,
  };
}
