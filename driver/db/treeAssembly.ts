import { groupBy } from '../domain/groupBy';
import type {
  HealthMonitor,
  L7Policy,
  L7Rule,
  Listener,
  LoadBalancerTree,
  Member,
  ObjectRefusal,
  Placement,
  Pool,
  PoolTls,
  TreeObject,
  Vip,
} from '../domain/tree';
import { fromBit, fromDbTime, fromJson, toNumber } from './codecs';
import type { Bit, HealthMonitorRow, L7PolicyRow, L7RuleRow, ListenerRow, LoadBalancerRow, MemberRow } from './rows';
import type { PlacementAndEngineRow, PoolAndPersistenceRow, RootRow, TreeRows } from './treeRows';

/** Rows of the tables to the tree of the domain. Pure. */
export function assembleTree(rows: TreeRows): LoadBalancerTree {
  const { root } = rows;
  return {
    ...treeObject(root),
    name: root.name,
    provider: root.provider,
    topology: root.topology,
    flavorId: root.flavor_id,
    availabilityZone: root.availability_zone,
    scaleAdjustment: root.scale_adjustment ?? 0,
    generation: toNumber(root.generation),
    settledGeneration: toNumber(root.settled_generation),
    attempts: root.attempts,
    overdue: fromBit(root.overdue),
    leaseOwner: root.lease_owner,
    leaseEpoch: toNumber(root.lease_epoch),
    vip: vip(root, rows),
    additionalVips: rows.additionalVips.map((row) => ({
      ipAddress: row.ip_address,
      portId: row.port_id,
      subnetId: row.subnet_id,
      networkId: row.network_id,
    })),
    listeners: listeners(rows),
    pools: pools(rows),
    placements: rows.placements.map(placement),
    vipWithdrawn: root.vip_withdrawn_at !== null,
    vipHeld: fromBit(root.vip_held ?? 0),
    vipMode: root.vip_mode === 'aap' || root.vip_mode === 'bgp' ? root.vip_mode : null,
    floatingIpId: root.floating_ip_id,
    masterTerm: root.master_term === null ? null : toNumber(root.master_term),
    hasConsumers: fromBit(root.has_consumers),
  };
}

type TreeColumns = Pick<LoadBalancerRow, 'id' | 'project_id' | 'provisioning_status' | 'operating_status'> & {
  enabled: Bit;
  deleting: Bit;
};

function treeObject(row: TreeColumns): TreeObject {
  return {
    id: row.id,
    projectId: row.project_id,
    provisioningStatus: row.provisioning_status,
    operatingStatus: row.operating_status,
    enabled: fromBit(row.enabled),
    deleting: fromBit(row.deleting),
  };
}

function vip(root: RootRow, { securityGroups }: TreeRows): Vip {
  return {
    ipAddress: root.ip_address,
    portId: root.port_id,
    subnetId: root.subnet_id,
    networkId: root.network_id,
    qosPolicyId: root.qos_policy_id,
    octaviaOwned: fromBit(root.octavia_owned ?? 0),
    securityGroupIds: securityGroups.map(({ sg_id }) => sg_id),
  };
}

function listeners(rows: TreeRows): Listener[] {
  const cidrs = groupBy(rows.cidrs, ({ listener_id }) => listener_id);
  const snis = groupBy(rows.snis, ({ listener_id }) => listener_id);
  const rules = groupBy(rows.rules, ({ l7policy_id }) => l7policy_id);
  const policies = groupBy(rows.policies, ({ listener_id }) => listener_id);
  return rows.listeners.map((row) => ({
    ...listener(row),
    sniContainerIds: of(snis, row.id).map(({ tls_container_id }) => tls_container_id),
    allowedCidrs: of(cidrs, row.id).map(({ cidr }) => cidr),
    policies: of(policies, row.id).map((it) => policy(it, of(rules, it.id))),
  }));
}

function listener(row: ListenerRow): Omit<Listener, 'sniContainerIds' | 'allowedCidrs' | 'policies'> {
  return {
    ...treeObject(row),
    name: row.name,
    protocol: row.protocol,
    protocolPort: row.protocol_port,
    connectionLimit: row.connection_limit,
    defaultPoolId: row.default_pool_id,
    insertHeaders: row.insert_headers === null ? {} : fromJson<Record<string, string>>(row.insert_headers),
    timeoutClientData: row.timeout_client_data,
    timeoutMemberConnect: row.timeout_member_connect,
    timeoutMemberData: row.timeout_member_data,
    timeoutTcpInspect: row.timeout_tcp_inspect,
    tlsCertificateId: row.tls_certificate_id,
    tls: {
      clientCaRef: row.client_ca_tls_certificate_id,
      clientAuthentication: row.client_authentication,
      clientCrlRef: row.client_crl_container_id,
      ciphers: row.tls_ciphers,
      versions: words(row.tls_versions),
      alpnProtocols: words(row.alpn_protocols),
      hstsMaxAge: row.hsts_max_age,
      hstsIncludeSubdomains: fromBit(row.hsts_include_subdomains),
      hstsPreload: fromBit(row.hsts_preload),
    },
  };
}

function poolTls(row: PoolAndPersistenceRow): PoolTls {
  return {
    enabled: fromBit(row.tls_enabled),
    certificateRef: row.tls_certificate_id,
    caRef: row.ca_tls_certificate_id,
    crlRef: row.crl_container_id,
    ciphers: row.tls_ciphers,
    versions: words(row.tls_versions),
    alpnProtocols: words(row.alpn_protocols),
  };
}

function words(list: ListenerRow['tls_versions']): string[] {
  return list === null ? [] : fromJson<string[]>(list);
}

function policy(row: L7PolicyRow, rules: readonly L7RuleRow[]): L7Policy {
  return {
    ...treeObject(row),
    action: row.action,
    redirectPoolId: row.redirect_pool_id,
    redirectUrl: row.redirect_url,
    redirectPrefix: row.redirect_prefix,
    redirectHttpCode: row.redirect_http_code,
    position: row.position,
    rules: rules.map(rule),
  };
}

function rule(row: L7RuleRow): L7Rule {
  return {
    ...treeObject(row),
    type: row.type,
    compareType: row.compare_type,
    key: row.key,
    value: row.value,
    invert: fromBit(row.invert),
  };
}

function pools(rows: TreeRows): Pool[] {
  const members = groupBy(rows.members, ({ pool_id }) => pool_id);
  const monitors = new Map(rows.monitors.map((row) => [row.pool_id, row]));
  return rows.pools.map((row) => {
    const monitorRow = monitors.get(row.id);
    return {
      ...treeObject(row),
      name: row.name,
      protocol: row.protocol,
      algorithm: row.lb_algorithm,
      persistence: persistence(row),
      tls: poolTls(row),
      members: of(members, row.id).map(member),
      monitor: monitorRow ? monitor(monitorRow) : null,
    };
  });
}

function persistence(row: PoolAndPersistenceRow): Pool['persistence'] {
  if (row.persistence_type === null) return null;
  return {
    type: row.persistence_type,
    cookieName: row.cookie_name,
    timeout: row.persistence_timeout,
    granularity: row.persistence_granularity,
  };
}

function member(row: MemberRow): Member {
  return {
    ...treeObject(row),
    name: row.name,
    address: row.ip_address,
    protocolPort: row.protocol_port,
    subnetId: row.subnet_id,
    weight: row.weight,
    backup: fromBit(row.backup),
    monitorAddress: row.monitor_address,
    monitorPort: row.monitor_port,
  };
}

function monitor(row: HealthMonitorRow): HealthMonitor {
  return {
    ...treeObject(row),
    type: row.type,
    delay: row.delay,
    timeout: row.timeout,
    riseThreshold: row.rise_threshold,
    fallThreshold: row.fall_threshold,
    httpMethod: row.http_method,
    urlPath: row.url_path,
    expectedCodes: row.expected_codes,
    // A single-precision column: prepared statements of MySQL hand 1.1 out as 1.10000002.
    httpVersion: row.http_version === null ? null : Math.round(row.http_version * 10) / 10,
    domainName: row.domain_name,
  };
}

function placement(row: PlacementAndEngineRow): Placement {
  return {
    id: row.id,
    engineId: row.service_engine_id,
    role: row.role,
    deleting: fromBit(row.deleting),
    stale: fromBit(row.stale),
    wantedGeneration: toNumber(row.wanted_generation),
    wantedEpoch: toNumber(row.wanted_epoch),
    confirmedGeneration: toNumber(row.confirmed_generation),
    refusals: row.refusals === null ? [] : fromJson<ObjectRefusal[]>(row.refusals),
    refused: fromBit(row.refused),
    request: row.request,
    requestId: row.request_id,
    requestTarget: row.request_target,
    draining: row.drain_until !== null,
    engine: {
      status: row.engine_status,
      deleting: fromBit(row.engine_deleting),
      connected: row.connected_to !== null,
      managementAddress: row.management_address,
      isolated: row.isolated_since !== null,
      cut: Number(row.engine_cut) === 1,
      madeAt: fromDbTime(row.engine_made).getTime(),
      upSince: fromDbTime(row.engine_changed ?? row.engine_made).getTime(),
    },
    claim:
      row.claimed_term === null ? null : { term: toNumber(row.claimed_term), master: fromBit(row.claimed_master ?? 0) },
  };
}

function of<T>(groups: ReadonlyMap<string, T[]>, key: string): readonly T[] {
  return groups.get(key) ?? [];
}
