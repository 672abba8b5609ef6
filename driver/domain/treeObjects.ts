import { isPending } from './status';
import type { Listener, LoadBalancerTree, Pool, TreeObject } from './tree';

/** The tables of the objects below a load balancer. */
export type ChildTable = 'listener' | 'pool' | 'member' | 'health_monitor' | 'l7policy' | 'l7rule';

/** An object below a load balancer, with where it stands. */
export interface TreeNode {
  readonly table: ChildTable;
  readonly object: TreeObject;
  /** The objects that a change of this one marks PENDING_UPDATE: its pool or policy, and the listeners that use it. */
  readonly parentIds: readonly string[];
  /** Itself, or what it is part of, is being deleted. */
  readonly going: boolean;
}

/** Every object below the load balancer, each before its parts. */
export function treeNodes(tree: LoadBalancerTree): TreeNode[] {
  return [
    ...tree.listeners.flatMap(listenerNodes),
    ...tree.pools.flatMap((pool) => poolNodes(pool, listenersOf(tree, pool.id))),
  ];
}

/**
 * The objects that the change under way is about: what is pending, less the parents that are marked with it. A change of
 * the load balancer itself has none, or, when it was created whole, all.
 */
export function changedNodes(nodes: readonly TreeNode[]): TreeNode[] {
  const pending = nodes.filter(({ object }) => isPending(object.provisioningStatus));
  const marked = new Set(pending.flatMap(({ parentIds }) => parentIds));
  return pending.filter(({ object }) => object.provisioningStatus !== 'PENDING_UPDATE' || !marked.has(object.id));
}

function listenerNodes(listener: Listener): TreeNode[] {
  const node: TreeNode = { table: 'listener', object: listener, parentIds: [], going: listener.deleting };
  const policies = listener.policies.flatMap((policy): TreeNode[] => {
    const going = listener.deleting || policy.deleting;
    return [
      { table: 'l7policy', object: policy, parentIds: [listener.id], going },
      ...policy.rules.map((rule): TreeNode => {
        return {
          table: 'l7rule',
          object: rule,
          parentIds: [policy.id, listener.id],
          going: going || rule.deleting,
        };
      }),
    ];
  });
  return [node, ...policies];
}

function poolNodes(pool: Pool, listenerIds: readonly string[]): TreeNode[] {
  const part = (table: ChildTable, object: TreeObject): TreeNode => {
    return { table, object, parentIds: [pool.id, ...listenerIds], going: pool.deleting || object.deleting };
  };
  return [
    { table: 'pool', object: pool, parentIds: listenerIds, going: pool.deleting },
    ...pool.members.map((member) => part('member', member)),
    ...(pool.monitor ? [part('health_monitor', pool.monitor)] : []),
  ];
}

/** The listeners that use a pool, as default or by an L7 redirect. */
function listenersOf({ listeners }: LoadBalancerTree, poolId: string): string[] {
  return listeners
    .filter(
      ({ defaultPoolId, policies }) =>
        defaultPoolId === poolId || policies.some(({ redirectPoolId }) => redirectPoolId === poolId),
    )
    .map(({ id }) => id);
}
