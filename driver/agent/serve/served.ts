import type { ServedHere } from '../bgp/announcements';
import type { Unit } from './unit';

export type { ServedHere } from '../bgp/announcements';

/** A load balancer as its domain's BGP speaker sees it; null: it is not to be announced. */
export function servedHere({ id, ending, inForce, held, running, report, udp }: Unit): ServedHere | null {
  const spec = inForce ?? held?.spec;
  if (ending || spec === undefined || spec.domainId === null || spec.announcement === undefined) return null;
  return {
    ...{ id, domainId: spec.domainId, vips: spec.vips, announcement: spec.announcement },
    wanted: spec.listeners.length > 0,
    serving: running !== null || udp.serves(),
    // Nothing has been put in force yet, or a dead haproxy is being started again: nobody has looked.
    usable: inForce === null || report === null ? null : (report.usable ?? false),
  };
}
