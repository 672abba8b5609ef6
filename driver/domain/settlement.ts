import { isPending, type OperatingStatus, type ProvisioningStatus } from './status';
import type { LoadBalancerTree, ObjectRefusal } from './tree';
import { type ChildTable, changedNodes, type TreeNode, treeNodes } from './treeObjects';

/** What the end of a run writes: pure functions from a tree and its fate to the rows that change. */

/** The same values into several rows. */
export interface RowsChange {
  readonly table: ChildTable;
  readonly ids: readonly string[];
  readonly set: RowValues;
}

export interface RowValues {
  readonly provisioningStatus?: ProvisioningStatus;
  readonly operatingStatus?: OperatingStatus;
  readonly defaultPoolId?: null;
  readonly redirectPoolId?: null;
  readonly position?: number;
}

export interface RowsRemoval {
  readonly table: ChildTable;
  readonly ids: readonly string[];
}

/** Something an operator would ask about. */
export interface Happening {
  /** Upper case. */
  readonly name: string;
  readonly severity: 'info' | 'warning' | 'error';
  readonly message: string;
  readonly resourceType?: string;
  readonly resourceId?: string;
  readonly engineId?: string;
  readonly requestId?: string | null;
}

export interface Settlement {
  /** True: the wanted generation is in force. False: it is still work. */
  readonly done: boolean;
  readonly loadBalancer: Pick<RowValues, 'provisioningStatus' | 'operatingStatus'>;
  readonly changes: readonly RowsChange[];
  /** In an order that leaves no row without what it refers to. */
  readonly removals: readonly RowsRemoval[];
  readonly happenings: readonly Happening[];
}

/** The end of a look at a load balancer about which nothing is known that its rows do not say. */
export const UNCHANGED: Settlement = { done: true, loadBalancer: {}, changes: [], removals: [], happenings: [] };

/** The wanted generation is in force, less what is refused by every engine. */
export function settleApplied(tree: LoadBalancerTree, refusals: readonly ObjectRefusal[]): Settlement {
  const reasons = new Map(refusals.map(({ id, reason }) => [id, reason]));
  const nodes = treeNodes(tree);
  const staying = nodes.filter(({ going }) => !going);
  const fates = staying.map((node) => ({ node, set: fateOf(node, reasons.get(node.object.id)) }));
  return {
    done: true,
    loadBalancer: {
      ...(tree.provisioningStatus !== 'ACTIVE' && { provisioningStatus: 'ACTIVE' }),
      ...(!tree.enabled && tree.operatingStatus !== 'OFFLINE' && { operatingStatus: 'OFFLINE' }),
    },
    changes: groupChanges([...fates.map(({ node, set }) => ({ ...rowOf(node), set })), ...loosened(tree)]),
    removals: removalsOf(nodes.filter(({ going }) => going)),
    happenings: [
      ...(tree.provisioningStatus === 'ERROR' ? [healed('load_balancer', tree.id)] : []),
      ...fates.flatMap(({ node, set }) => happeningOf(node, set, reasons.get(node.object.id))),
    ],
  };
}

/**
 * The change cannot be put in force, or not in time: what it is about ends in ERROR and everything else is free again;
 * what is wanted stays wanted. The load balancer itself is in ERROR only for a change of its own.
 */
export function settleFailed(tree: LoadBalancerTree, cause: { event: string; reason: string }): Settlement {
  const status = tree.provisioningStatus;
  const nodes = treeNodes(tree);
  const pending = nodes.filter(({ object }) => isPending(object.provisioningStatus));
  const whole = status === 'PENDING_CREATE';
  const guilty = new Set(whole ? pending : changedNodes(nodes));
  const own = whole || status === 'PENDING_DELETE' || (status === 'PENDING_UPDATE' && guilty.size === 0);
  const provisioningStatus: ProvisioningStatus = own ? 'ERROR' : 'ACTIVE';
  const failures = [...guilty].map(({ table, object }) => ({ resourceType: table as string, resourceId: object.id }));
  return {
    done: false,
    loadBalancer: isPending(status) ? { provisioningStatus } : {},
    changes: groupChanges(
      pending.map((node) => ({
        ...rowOf(node),
        set: { provisioningStatus: guilty.has(node) ? 'ERROR' : 'ACTIVE' } satisfies RowValues,
      })),
    ),
    removals: [],
    happenings: (own ? [{ resourceType: 'load_balancer', resourceId: tree.id }] : failures).map((about) => ({
      ...about,
      name: cause.event,
      severity: 'error',
      message: cause.reason,
    })),
  };
}

/** Nothing of the load balancer is left anywhere. */
export function settleDeleted(tree: LoadBalancerTree): Settlement {
  return {
    done: true,
    loadBalancer: { provisioningStatus: 'DELETED', operatingStatus: 'OFFLINE' },
    changes: [],
    removals: removalsOf(treeNodes(tree)),
    happenings: [
      {
        name: 'LOAD_BALANCER_DELETED',
        severity: 'info',
        message: `load balancer ${tree.name || tree.id} is deleted`,
        resourceType: 'load_balancer',
        resourceId: tree.id,
      },
    ],
  };
}

/** Somebody else has removed an object below the load balancer, and with it whatever is part of that. */
export function settleRemoved(tree: LoadBalancerTree, id: string): Settlement {
  const marked = markGoing(tree, id);
  const going = treeNodes(marked).filter((node) => node.going);
  return { ...UNCHANGED, changes: groupChanges(loosened(marked)), removals: removalsOf(going) };
}

/** The tree with that one object going, and nothing else. */
function markGoing(tree: LoadBalancerTree, id: string): LoadBalancerTree {
  const mark = <T extends { readonly id: string }>(it: T) => ({ ...it, deleting: it.id === id });
  return {
    ...tree,
    listeners: tree.listeners.map((listener) => ({
      ...mark(listener),
      policies: listener.policies.map((policy) => ({ ...mark(policy), rules: policy.rules.map(mark) })),
    })),
    pools: tree.pools.map((pool) => ({
      ...mark(pool),
      members: pool.members.map(mark),
      monitor: pool.monitor && mark(pool.monitor),
    })),
  };
}

/** True when nothing of the tree would change. */
export function isIdle(settlement: Settlement): boolean {
  const { loadBalancer, changes, removals, happenings } = settlement;
  return Object.keys(loadBalancer).length === 0 && changes.length + removals.length + happenings.length === 0;
}

type SingleChange = { readonly table: ChildTable; readonly id: string; readonly set: RowValues };

function rowOf({ table, object }: TreeNode): { table: ChildTable; id: string } {
  return { table, id: object.id };
}

function fateOf({ table, object }: TreeNode, refusal: string | undefined): RowValues {
  const status = object.provisioningStatus;
  if (refusal !== undefined) return status === 'ERROR' ? {} : { provisioningStatus: 'ERROR' };
  if (status === 'ACTIVE') return {};
  const operatingStatus = statusOfItself(table, object.enabled);
  return {
    provisioningStatus: 'ACTIVE',
    ...(operatingStatus !== undefined && operatingStatus !== object.operatingStatus && { operatingStatus }),
  };
}

/** The operating status that follows from the change; undefined where it follows from reports. */
function statusOfItself(table: ChildTable, enabled: boolean): OperatingStatus | undefined {
  if (!enabled) return 'OFFLINE';
  return table === 'health_monitor' || table === 'l7policy' || table === 'l7rule' ? 'ONLINE' : undefined;
}

function happeningOf({ table, object }: TreeNode, set: RowValues, refusal: string | undefined): Happening[] {
  if (set.provisioningStatus === 'ERROR') {
    const about = { resourceType: table, resourceId: object.id };
    return [{ ...about, name: 'OBJECT_REFUSED', severity: 'error', message: refusal ?? '' }];
  }
  return set.provisioningStatus === 'ACTIVE' && object.provisioningStatus === 'ERROR' ? [healed(table, object.id)] : [];
}

function healed(resourceType: string, resourceId: string): Happening {
  return {
    name: 'OBJECT_HEALED',
    severity: 'info',
    message: `${resourceType.replace('_', ' ')} ${resourceId} is in force again`,
    resourceType,
    resourceId,
  };
}

/** What a removal changes in the rows that stay: references to it, positions after it, members without a monitor. */
function loosened(tree: LoadBalancerTree): SingleChange[] {
  const going = new Set(tree.pools.filter(({ deleting }) => deleting).map(({ id }) => id));
  const listeners = tree.listeners.filter(({ deleting }) => !deleting);
  return [
    ...listeners
      .filter(({ defaultPoolId }) => defaultPoolId !== null && going.has(defaultPoolId))
      .map(({ id }) => ({ table: 'listener' as const, id, set: { defaultPoolId: null } })),
    ...listeners.flatMap(({ policies }) => densePositions(policies, going)),
    ...tree.pools.filter(({ deleting, monitor }) => !deleting && monitor?.deleting).flatMap(withoutMonitor),
  ];
}

function densePositions(
  policies: LoadBalancerTree['listeners'][number]['policies'],
  goingPools: ReadonlySet<string>,
): SingleChange[] {
  const all = [...policies].sort((a, b) => a.position - b.position);
  const staying = all.filter(({ deleting }) => !deleting);
  const moved = staying.length === all.length ? [] : staying;
  return [
    ...moved.flatMap(({ id, position }, index): SingleChange[] =>
      position === index + 1 ? [] : [{ table: 'l7policy', id, set: { position: index + 1 } }],
    ),
    ...staying
      .filter(({ redirectPoolId }) => redirectPoolId !== null && goingPools.has(redirectPoolId))
      .map(({ id }): SingleChange => ({ table: 'l7policy', id, set: { redirectPoolId: null } })),
  ];
}

function withoutMonitor({ members }: LoadBalancerTree['pools'][number]): SingleChange[] {
  return members
    .filter(({ deleting, enabled, operatingStatus }) => !deleting && enabled && operatingStatus !== 'NO_MONITOR')
    .map(({ id }) => ({ table: 'member', id, set: { operatingStatus: 'NO_MONITOR' } }));
}

/** What refers to others goes before them. */
const REMOVAL_ORDER: readonly ChildTable[] = ['l7rule', 'l7policy', 'member', 'health_monitor', 'listener', 'pool'];

function removalsOf(nodes: readonly TreeNode[]): RowsRemoval[] {
  return REMOVAL_ORDER.map((table) => ({
    table,
    ids: nodes.filter((node) => node.table === table).map(({ object }) => object.id),
  })).filter(({ ids }) => ids.length > 0);
}

function groupChanges(changes: readonly SingleChange[]): RowsChange[] {
  const groups = new Map<string, { table: ChildTable; ids: string[]; set: RowValues }>();
  for (const { table, id, set } of changes) {
    if (Object.keys(set).length === 0) continue;
    const key = `${table} ${JSON.stringify(set)}`;
    const group = groups.get(key);
    if (group) group.ids.push(id);
    else groups.set(key, { table, ids: [id], set });
  }
  return [...groups.values()];
}
