import type { LoadBalancerReport } from '../../protocol/messages';
import type { ListenerSpec, LoadBalancerSpec } from '../../protocol/spec';

type Found = Pick<LoadBalancerReport, 'listeners' | 'pools'>;

/**
 * Whether somebody who comes to a VIP may be served: a listener is open, and a pool has a member that takes traffic. Where
 * listeners need no pools at all, because they redirect, that is enough.
 */
export function isUsable(spec: Pick<LoadBalancerSpec, 'listeners' | 'pools'>, { listeners, pools }: Found): boolean {
  const open = spec.listeners.filter(({ id }) => listeners[id] !== undefined);
  if (open.length === 0) return false;
  return Object.values(pools).some(takesTraffic) || (spec.pools.length === 0 && open.some(answersByItself));
}

/** Members that nobody has checked yet are taken for usable, as haproxy does, unless others have been found down. */
function takesTraffic({ members }: Found['pools'][string]): boolean {
  const states = Object.values(members);
  if (states.some((state) => state === 'UP' || state === 'NO_CHECK')) return true;
  return states.includes('RESTARTING') && !states.includes('DOWN');
}

function answersByItself({ protocol, l7Policies }: ListenerSpec): boolean {
  return (
    protocol === 'PROMETHEUS' ||
    l7Policies.some(({ action }) => action === 'REDIRECT_TO_URL' || action === 'REDIRECT_PREFIX')
  );
}
