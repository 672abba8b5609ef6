import { randomUUID } from 'node:crypto';
import type {
  HealthMonitor,
  L7Policy,
  L7Rule,
  Listener,
  LoadBalancerTree,
  Member,
  Placement,
  Pool,
  TreeObject,
  Vip,
} from '../../driver/domain/tree';

/** Builders of the domain's values: sensible defaults, so that a test states only what matters to it. */

const SETTLED: Omit<TreeObject, 'id'> = {
  projectId: 'project-1',
  provisioningStatus: 'ACTIVE',
  operatingStatus: 'ONLINE',
  enabled: true,
  deleting: false,
};

export function aVip(given: Partial<Vip> = {}): Vip {
  return {
    ipAddress: '127.80.0.10',
    portId: 'port-vip',
    subnetId: 'subnet-1',
    networkId: 'network-1',
    qosPolicyId: null,
    octaviaOwned: true,
    securityGroupIds: [],
    ...given,
  };
}

/** A settled load balancer without anything under it. */
export function aTree(given: Partial<LoadBalancerTree> = {}): LoadBalancerTree {
  return {
    ...SETTLED,
    id: randomUUID(),
    name: 'lb',
    provider: 'slipstream',
    topology: 'SINGLE',
    flavorId: null,
    availabilityZone: null,
    generation: 1,
    settledGeneration: 1,
    attempts: 0,
    overdue: false,
    leaseOwner: null,
    leaseEpoch: 1,
    vip: aVip(),
    additionalVips: [],
    listeners: [],
    pools: [],
    placements: [],
    vipWithdrawn: false,
    vipHeld: false,
    vipMode: null,
    floatingIpId: null,
    scaleAdjustment: 0,
    hasConsumers: false,
    ...given,
  };
}

export function aListener(given: Partial<Listener> = {}): Listener {
  return {
    ...SETTLED,
    id: randomUUID(),
    name: 'listener',
    protocol: 'HTTP',
    protocolPort: 8080,
    connectionLimit: -1,
    defaultPoolId: null,
    insertHeaders: {},
    timeoutClientData: 50_000,
    timeoutMemberConnect: 5_000,
    timeoutMemberData: 50_000,
    timeoutTcpInspect: 0,
    tlsCertificateId: null,
    sniContainerIds: [],
    tls: {
      clientCaRef: null,
      clientAuthentication: 'NONE',
      clientCrlRef: null,
      ciphers: null,
      versions: [],
      alpnProtocols: [],
      hstsMaxAge: null,
      hstsIncludeSubdomains: false,
      hstsPreload: false,
    },
    allowedCidrs: [],
    policies: [],
    ...given,
  };
}

export function aPool(given: Partial<Pool> = {}): Pool {
  return {
    ...SETTLED,
    id: randomUUID(),
    name: 'pool',
    protocol: 'HTTP',
    algorithm: 'ROUND_ROBIN',
    persistence: null,
    tls: {
      enabled: false,
      certificateRef: null,
      caRef: null,
      crlRef: null,
      ciphers: null,
      versions: [],
      alpnProtocols: [],
    },
    members: [],
    monitor: null,
    ...given,
  };
}

export function aMember(given: Partial<Member> = {}): Member {
  return {
    ...SETTLED,
    id: randomUUID(),
    name: 'member',
    address: '127.0.0.1',
    protocolPort: 9000,
    subnetId: null,
    weight: 1,
    backup: false,
    monitorAddress: null,
    monitorPort: null,
    ...given,
  };
}

export function aMonitor(given: Partial<HealthMonitor> = {}): HealthMonitor {
  return {
    ...SETTLED,
    id: randomUUID(),
    type: 'HTTP',
    delay: 5,
    timeout: 3,
    riseThreshold: 2,
    fallThreshold: 2,
    httpMethod: 'GET',
    urlPath: '/',
    expectedCodes: '200',
    httpVersion: 1,
    domainName: null,
    ...given,
  };
}

export function aPolicy(given: Partial<L7Policy> = {}): L7Policy {
  return {
    ...SETTLED,
    id: randomUUID(),
    action: 'REJECT',
    redirectPoolId: null,
    redirectUrl: null,
    redirectPrefix: null,
    redirectHttpCode: null,
    position: 1,
    rules: [],
    ...given,
  };
}

export function aRule(given: Partial<L7Rule> = {}): L7Rule {
  return {
    ...SETTLED,
    id: randomUUID(),
    type: 'PATH',
    compareType: 'STARTS_WITH',
    key: null,
    value: '/x',
    invert: false,
    ...given,
  };
}

/** On a connected engine that has confirmed generation 1. */
export function aPlacement(given: Partial<Placement> = {}): Placement {
  return {
    id: randomUUID(),
    engineId: randomUUID(),
    role: 'primary',
    deleting: false,
    stale: false,
    wantedGeneration: 1,
    wantedEpoch: 1,
    confirmedGeneration: 1,
    refusals: [],
    refused: false,
    request: null,
    requestId: null,
    requestTarget: null,
    draining: false,
    engine: { status: 'READY', deleting: false, connected: true, managementAddress: null },
    ...given,
  };
}
