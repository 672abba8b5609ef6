import { networkInterfaces } from 'node:os';
import type { LoadBalancerSpec } from '../../protocol/spec';
import type { Networks } from '../network/networks';
import { interfaceName } from '../network/wanted';
import type { Tap } from './tcpdump';

/**
 * The interfaces that a load balancer's traffic goes through: those of its domain's namespace; without one those that
 * have its VIPs, or the loopback one.
 */
export function tapsOf(spec: LoadBalancerSpec, networks: Pick<Networks, 'domains'>): Tap[] {
  if (spec.domainId !== null) {
    const domain = networks.domains().find((it) => it.spec.id === spec.domainId);
    if (!domain) return [];
    return domain.spec.vnics.map((vnic) => ({ namespace: domain.namespace, interfaceName: interfaceName(vnic) }));
  }
  const having = Object.entries(networkInterfaces())
    .filter(([, addresses]) => addresses?.some(({ address }) => spec.vips.includes(address)))
    .map(([name]) => name);
  return (having.length === 0 ? ['lo'] : having).map((name) => ({ namespace: null, interfaceName: name }));
}
