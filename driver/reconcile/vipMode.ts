import type { LoadBalancerTree } from '../domain/tree';
import type { VipWishes } from '../domain/vipWishes';
import type { ContrailParts } from './contrailTarget';

/** How the VIPs of a load balancer are wired: as was chosen before, else as its flavor or the configuration says. */
export function vipModeOf(
  { settings }: Pick<ContrailParts, 'settings'>,
  { vipMode }: Pick<LoadBalancerTree, 'vipMode'>,
  { mode }: Pick<VipWishes, 'mode'>,
): 'aap' | 'bgp' {
  return vipMode ?? mode ?? settings.vipMode;
}
