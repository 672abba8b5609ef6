import type { TlsReferences } from '../../../driver/clouds/certificates/port';
import type { NewHealthMonitor } from '../../../driver/db/healthMonitors';
import type { NewL7Policy } from '../../../driver/db/l7Policies';
import type { NewL7Rule } from '../../../driver/db/l7Rules';
import type { NewListener } from '../../../driver/db/listeners';
import type { NewMember } from '../../../driver/db/members';
import type { NewPool } from '../../../driver/db/pools';
import type { Amounts } from '../../../driver/db/quotas';
import type { TagRow } from '../../../driver/db/rows';
import { tagRows } from '../../../driver/db/tags';
import { ConflictError } from '../../../driver/domain/errors';
import { transportOf } from '../../../driver/domain/protocols';
import type { L7PolicyGraph, ListenerGraph, LoadBalancerCreate, MemberGraph, PoolGraph } from '../../changes/bodies';
import { checkCarried } from '../../changes/provider';
import type { ChangeSettings } from '../../changes/settings';
import { readTags } from '../../changes/tags';
import { buildHealthMonitor } from '../healthmonitors/build';
import { checkHealthMonitorCreate } from '../healthmonitors/rules';
import { buildL7Policy, placeAt } from '../l7policies/build';
import { checkListenerProtocol, readRedirect } from '../l7policies/rules';
import { buildL7Rule } from '../l7rules/build';
import { MAX_RULES_PER_POLICY } from '../l7rules/rules';
import { buildListener } from '../listeners/build';
import { portTaken } from '../listeners/commands';
import { checkListenerCreate, checkPoolProtocol } from '../listeners/rules';
import { buildMember } from '../members/build';
import { checkMember, memberTaken } from '../members/rules';
import { buildPool } from '../pools/build';
import { checkPoolCreate } from '../pools/rules';
import { collectPools, type GraphPools } from './graphPools';

/** The rows of a whole new tree below a load balancer. */
export interface Graph {
  readonly listeners: NewListener[];
  readonly pools: NewPool[];
  readonly members: NewMember[];
  readonly monitors: NewHealthMonitor[];
  readonly policies: NewL7Policy[];
  readonly rules: NewL7Rule[];
  readonly tags: TagRow[];
}

export interface GraphContext {
  readonly loadBalancerId: string;
  readonly projectId: string;
  readonly settings: ChangeSettings;
  readonly newId: () => string;
}

/**
 * Checks and builds everything a fully populated create defines below the load balancer.
 * @throws ServiceError by the same rules that hold for each object's own POST
 */
export function buildGraph(body: LoadBalancerCreate, context: GraphContext): Graph {
  const graph: Graph = { listeners: [], pools: [], members: [], monitors: [], policies: [], rules: [], tags: [] };
  const pools = collectPools(body, context.newId);
  for (const { id, body: pool } of pools.definitions) addPool(graph, context, { id, body: pool });
  for (const listener of body.listeners ?? []) addListener(graph, context, { body: listener, pools });
  const protocols = [...graph.listeners, ...graph.pools].map(({ row }) => row.protocol);
  checkCarried([...protocols, ...graph.monitors.map(({ type }) => type)], context.settings);
  return graph;
}

/** How many objects of each kind the graph holds. */
export function countGraph(graph: Graph): Amounts {
  return {
    listener: graph.listeners.length,
    pool: graph.pools.length,
    member: graph.members.length,
    health_monitor: graph.monitors.length,
    l7policy: graph.policies.length,
    l7rule: graph.rules.length,
  };
}

/** What listeners and pools refer to in the key manager. */
export function referencesOf({ listeners, pools }: Graph): TlsReferences[] {
  const ofListeners = listeners.map(({ row, sniRefs }) => ({
    certificates: [...(row.tls_certificate_id ? [row.tls_certificate_id] : []), ...sniRefs],
    ca: row.client_ca_tls_certificate_id,
    crl: row.client_crl_container_id,
  }));
  const ofPools = pools.map(({ row }) => ({
    certificates: row.tls_certificate_id ? [row.tls_certificate_id] : [],
    ca: row.ca_tls_certificate_id,
    crl: row.crl_container_id,
  }));
  return [...ofListeners, ...ofPools];
}

/** Every member of the document, for look-ups in the network service. */
export function membersOf(body: LoadBalancerCreate): MemberGraph[] {
  const listeners = body.listeners ?? [];
  const targets = listeners.flatMap(({ l7policies }) => (l7policies ?? []).map((policy) => policy.redirect_pool));
  const pools = [...(body.pools ?? []), ...listeners.map((listener) => listener.default_pool), ...targets];
  return pools.flatMap((pool) => pool?.members ?? []);
}

function addPool(graph: Graph, context: GraphContext, { id, body }: { id: string; body: PoolGraph }): void {
  const { projectId, settings, newId } = context;
  checkPoolCreate(body, settings);
  graph.pools.push(buildPool(body, { ...context, id }, settings));
  graph.tags.push(...tagRows(id, readTags(body.tags)));
  if (body.healthmonitor) {
    checkHealthMonitorCreate(body.healthmonitor, body.protocol ?? '', settings);
    const monitor = buildHealthMonitor(body.healthmonitor, { id: newId(), projectId, poolId: id });
    graph.monitors.push(monitor);
    graph.tags.push(...tagRows(monitor.id, readTags(body.healthmonitor.tags)));
  }
  const taken = new Set<string>();
  for (const member of body.members ?? []) {
    checkMember(member, settings);
    const row = buildMember(member, { id: newId(), projectId, poolId: id });
    const key = `${row.ip_address.toLowerCase()} ${row.protocol_port}`;
    if (taken.has(key)) throw memberTaken(row.ip_address, row.protocol_port);
    taken.add(key);
    graph.members.push(row);
    graph.tags.push(...tagRows(row.id, readTags(member.tags)));
  }
}

function addListener(
  graph: Graph,
  context: GraphContext,
  { body, pools }: { body: ListenerGraph; pools: GraphPools },
): void {
  const { settings, newId } = context;
  checkListenerCreate(body, settings);
  const id = newId();
  const defaultPoolId = body.default_pool ? pools.idOf(body.default_pool) : null;
  const listener = buildListener(body, { ...context, id, defaultPoolId }, settings);
  if (defaultPoolId) checkPoolProtocol(listener.row.protocol, protocolOf(graph, defaultPoolId));
  const { protocol, protocol_port: port } = listener.row;
  const taken = graph.listeners.find(
    ({ row }) => row.protocol_port === port && transportOf(row.protocol) === transportOf(protocol),
  );
  if (taken) throw portTaken(taken.row);
  graph.listeners.push(listener);
  graph.tags.push(...tagRows(id, readTags(body.tags)));
  addPolicies(graph, context, { listener, bodies: body.l7policies ?? [], pools });
}

function protocolOf(graph: Graph, poolId: string): string {
  return graph.pools.find(({ row }) => row.id === poolId)?.row.protocol ?? '';
}

/** Each is inserted at its position among those before it, as if they had been created one by one. */
function addPolicies(
  graph: Graph,
  context: GraphContext,
  { listener, bodies, pools }: { listener: NewListener; bodies: readonly L7PolicyGraph[]; pools: GraphPools },
): void {
  if (bodies.length > 0) checkListenerProtocol(listener.row.protocol, context.settings);
  const policies: NewL7Policy[] = [];
  for (const body of bodies) {
    const poolId = body.redirect_pool ? pools.idOf(body.redirect_pool) : null;
    if (poolId) checkPoolProtocol(listener.row.protocol, protocolOf(graph, poolId));
    const redirect = readRedirect({ ...body, redirect_pool_id: poolId });
    const parents = { ...context, id: context.newId(), listenerId: listener.row.id, position: 0, redirect };
    const policy = buildL7Policy(body, parents);
    policies.splice(placeAt(body.position, policies.length + 1) - 1, 0, policy);
    graph.tags.push(...tagRows(policy.id, readTags(body.tags)));
    addRules(graph, context, { policyId: policy.id, bodies: body.rules ?? [] });
  }
  graph.policies.push(...policies.map((policy, index) => ({ ...policy, position: index + 1 })));
}

function addRules(
  graph: Graph,
  { newId, projectId }: GraphContext,
  { policyId, bodies }: { policyId: string; bodies: NonNullable<L7PolicyGraph['rules']> },
): void {
  if (bodies.length > MAX_RULES_PER_POLICY) throw new ConflictError(`Too many rules on L7 policy ${policyId}`);
  for (const body of bodies) {
    const rule = buildL7Rule(body, { id: newId(), projectId, policyId });
    graph.rules.push(rule);
    graph.tags.push(...tagRows(rule.id, readTags(body.tags)));
  }
}
