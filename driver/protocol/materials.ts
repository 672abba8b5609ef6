import type { LoadBalancerSpec, MaterialSpec } from './spec';

/** Every certificate, authority and revocation list that a spec names; one that is named twice comes twice. */
export function materialsOf({ listeners, pools }: Pick<LoadBalancerSpec, 'listeners' | 'pools'>): MaterialSpec[] {
  return [
    ...listeners.flatMap(({ tls }) => (tls === null ? [] : [tls.certificate, ...tls.sni, tls.clientCa, tls.clientCrl])),
    ...pools.flatMap(({ tls }) => (tls === null ? [] : [tls.certificate, tls.ca, tls.crl])),
  ].filter((material) => material !== null);
}
