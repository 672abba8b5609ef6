import type { Refusal } from '../../protocol/messages';
import type { LoadBalancerSpec } from '../../protocol/spec';

/** An object that is not in force, or not as it was asked for, and why. */
export interface Fault extends Refusal {
  /** `never`: only a new spec can help. `later`: time may (a taken port, a full disk). */
  readonly heals: 'never' | 'later';
  /** `left-out`: it is not served at all. `degraded`: it is, without the part that the reason names. */
  readonly effect: 'left-out' | 'degraded';
  /** Name of the SNI certificate that a listener is served without. */
  readonly certificate?: string;
}

/** A fault that only a new spec can mend. */
export function fault(kind: Fault['kind'], id: string, reason: string): Fault {
  return { kind, id, reason, heals: 'never', effect: 'left-out' };
}

/** A fault that is worth another try. */
export function passingFault(kind: Fault['kind'], id: string, reason: string): Fault {
  return { kind, id, reason, heals: 'later', effect: 'left-out' };
}

/** As a refusal goes over the wire. */
export function refusalOf({ kind, id, reason }: Fault): Refusal {
  return { kind, id, reason };
}

/** The spec less the objects at fault: a listener without its pool serves nobody, a pool without its monitor checks none. */
export function withoutFaults(spec: LoadBalancerSpec, faults: readonly Fault[]): LoadBalancerSpec {
  const leftOut = faults.filter(({ effect }) => effect === 'left-out');
  const gone = new Set(leftOut.map(({ kind, id }) => `${kind} ${id}`));
  const refused = new Set(
    faults.flatMap(({ id, certificate }) => (certificate === undefined ? [] : [`${id} ${certificate}`])),
  );
  const stays = (kind: Fault['kind']) => (object: { id: string }) => !gone.has(`${kind} ${object.id}`);
  return {
    ...spec,
    listeners: spec.listeners.filter(stays('listener')).map((listener) => ({
      ...listener,
      tls: listener.tls && {
        ...listener.tls,
        sni: listener.tls.sni.filter(({ name }) => !refused.has(`${listener.id} ${name}`)),
      },
      // Without one of its rules a policy would match what it must not.
      l7Policies: listener.l7Policies.filter(
        (policy) => stays('l7policy')(policy) && policy.rules.every(stays('l7rule')),
      ),
    })),
    pools: spec.pools.filter(stays('pool')).map((pool) => ({
      ...pool,
      members: pool.members.filter(stays('member')),
      monitor: pool.monitor !== null && stays('healthmonitor')(pool.monitor) ? pool.monitor : null,
    })),
  };
}
