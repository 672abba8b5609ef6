import { createHash } from 'node:crypto';
import type {
  L7PolicySpec,
  L7RuleSpec,
  ListenerSpec,
  LoadBalancerSpec,
  MemberSpec,
  MonitorSpec,
  PoolSpec,
} from '../../driver/protocol/spec';

/** Builders of specs: a test states what matters to it, the rest is plain. */

export function aMember(over: Partial<MemberSpec> = {}): MemberSpec {
  return {
    id: 'member-1',
    address: '127.0.0.1',
    port: 8001,
    weight: 1,
    backup: false,
    enabled: true,
    monitorAddress: null,
    monitorPort: null,
    ...over,
  };
}

export function aMonitor(over: Partial<MonitorSpec> = {}): MonitorSpec {
  return {
    id: 'monitor-1',
    type: 'HTTP',
    delay: 1,
    timeout: 1,
    riseThreshold: 1,
    fallThreshold: 1,
    httpMethod: 'GET',
    urlPath: '/',
    expectedCodes: '200',
    httpVersion: null,
    domainName: null,
    ...over,
  };
}

export function aPool(over: Partial<PoolSpec> = {}): PoolSpec {
  return {
    id: 'pool-1',
    protocol: 'HTTP',
    algorithm: 'ROUND_ROBIN',
    persistence: null,
    enabled: true,
    members: [],
    monitor: null,
    tls: null,
    membersStartDown: true,
    ...over,
  };
}

export function aListener(over: Partial<ListenerSpec> = {}): ListenerSpec {
  return {
    id: 'listener-1',
    protocol: 'HTTP',
    port: 8080,
    connectionLimit: -1,
    timeoutClientData: 50_000,
    timeoutMemberConnect: 5000,
    timeoutMemberData: 50_000,
    timeoutTcpInspect: 0,
    insertHeaders: {},
    allowedCidrs: [],
    defaultPoolId: 'pool-1',
    l7Policies: [],
    tls: null,
    log: null,
    ...over,
  };
}

export function aRule(over: Partial<L7RuleSpec> = {}): L7RuleSpec {
  return { id: 'rule-1', type: 'PATH', compareType: 'STARTS_WITH', key: null, value: '/api', invert: false, ...over };
}

/** Rejects what its rules match unless said otherwise. */
export function aPolicy(over: Partial<L7PolicySpec> = {}): L7PolicySpec {
  return {
    id: 'policy-1',
    action: 'REJECT',
    redirectPoolId: null,
    redirectUrl: null,
    redirectPrefix: null,
    redirectHttpCode: null,
    rules: [aRule()],
    ...over,
  };
}

/** A load balancer of one listener and one pool unless said otherwise; its digest follows from its content. */
export function aSpec(over: Partial<LoadBalancerSpec> = {}): LoadBalancerSpec {
  const content = {
    id: 'lb-1',
    generation: 1,
    epoch: 1,
    domainId: null,
    firewall: null,
    vips: ['127.80.200.1'],
    listeners: [aListener()],
    pools: [aPool()],
    ...over,
  };
  const { vips, listeners, pools } = content;
  const digest = createHash('sha256').update(JSON.stringify({ vips, listeners, pools })).digest('hex');
  return { digest, ...content };
}
