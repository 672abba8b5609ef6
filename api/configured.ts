import type { Config } from '../driver/config/config';
import type { QuotaKind } from '../driver/db/rows';
import type { TraceSettings } from '../driver/trace/collect/collect';
import type { ChangeSettings } from './changes/settings';
import type { EdgeSettings } from './settings';

/** What the API's edge takes from the configuration. */
export function edgeSettings(config: Config): EdgeSettings {
  const { api_settings: api, oslo_middleware: middleware, keystone_authtoken: keystone } = config;
  return {
    baseUri: api.api_base_uri ?? null,
    proxyHeaders: middleware.enable_proxy_headers_parsing,
    maxBodyBytes: middleware.max_request_body_size,
    allowedOrigins: config.cors.allowed_origin,
    authUri: keystone.www_authenticate_uri ?? keystone.auth_url ?? '',
    healthcheckEnabled: api.healthcheck_enabled,
    healthcheckInterval: api.healthcheck_refresh_interval,
    providers: api.enabled_provider_drivers,
    lists: {
      maxLimit: api.pagination_max_limit,
      allowFiltering: api.allow_filtering,
      allowSorting: api.allow_sorting,
      allowPagination: api.allow_pagination,
      allowFieldSelection: api.allow_field_selection,
    },
  };
}

/** What changes take from it. */
export function changeSettings(config: Config): ChangeSettings {
  const { api_settings: api, controller_worker: worker, networking, haproxy_amphora: timeouts } = config;
  return {
    immutableWait: api.immutable_wait,
    pendingDeadline: worker.pending_deadline,
    providers: Object.keys(api.enabled_provider_drivers),
    defaultProvider: api.default_provider_driver,
    allowTlsTerminatedListeners: api.allow_tls_terminated_listeners,
    allowPrometheusListeners: api.allow_prometheus_listeners,
    allowPingHealthMonitors: api.allow_ping_health_monitors,
    defaultListenerCiphers: api.default_listener_ciphers || null,
    defaultPoolCiphers: api.default_pool_ciphers || null,
    prohibitedCiphers: api.tls_cipher_prohibit_list.split(':').filter(Boolean),
    defaultListenerTlsVersions: api.default_listener_tls_versions,
    defaultPoolTlsVersions: api.default_pool_tls_versions,
    minimumTlsVersion: api.minimum_tls_version || null,
    defaultListenerAlpnProtocols: api.default_listener_alpn_protocols,
    defaultPoolAlpnProtocols: api.default_pool_alpn_protocols,
    udpConnectMinInterval: api.udp_connect_min_interval_health_monitor,
    allowVipNetworkId: networking.allow_vip_network_id,
    allowVipSubnetId: networking.allow_vip_subnet_id,
    allowVipPortId: networking.allow_vip_port_id,
    validVipNetworks: networking.valid_vip_networks.length > 0 ? networking.valid_vip_networks : null,
    deniedVipNetworks: networking.denylist_vip_networks,
    allowInvisibleResources: networking.allow_invisible_resource_usage,
    reservedIps: networking.reserved_ips,
    timeoutClientData: timeouts.timeout_client_data,
    timeoutMemberConnect: timeouts.timeout_member_connect,
    timeoutMemberData: timeouts.timeout_member_data,
    timeoutTcpInspect: timeouts.timeout_tcp_inspect,
    sctp: config.service_engine.sctp,
    ownerTag: config.service_engine.owner_tag,
    defaultTopology: worker.loadbalancer_topology,
    enginesAreAlike: worker.compute_driver === 'local',
    tenancyMode: config.service_engine.tenancy_mode,
    defaultQuotas: defaultQuotas(config.quotas),
  };
}

/** What traces take from it. */
export function traceSettings({ controller_worker: worker, contrail }: Config): TraceSettings {
  return {
    networkDriver: worker.network_driver,
    healthCheck: worker.network_driver === 'contrail' && contrail.health_check !== 'none',
    managementNetworkIds: worker.amp_boot_network_list,
  };
}

function defaultQuotas(quotas: Config['quotas']): Readonly<Record<QuotaKind, number>> {
  return {
    load_balancer: quotas.default_load_balancer_quota,
    listener: quotas.default_listener_quota,
    pool: quotas.default_pool_quota,
    member: quotas.default_member_quota,
    health_monitor: quotas.default_health_monitor_quota,
    l7policy: quotas.default_l7policy_quota,
    l7rule: quotas.default_l7rule_quota,
  };
}
