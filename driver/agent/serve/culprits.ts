import type { LoadBalancerSpec } from '../../protocol/spec';
import { readAlerts } from '../haproxy/alerts';
import { type Fault, fault, passingFault } from '../haproxy/fault';
import { type Layout, layOut } from '../haproxy/layout';
import type { Rendered } from '../haproxy/render';
import { findSniCertificate } from '../haproxy/tlsFiles';
import type { ObjectRef } from '../haproxy/words';

/** Nothing of a spec could be put in force, and no single object is to blame. */
export class ActivationError extends Error {
  override readonly name = 'ActivationError';
}

/**
 * The objects haproxy's output blames. `later`: it was the start that failed, not the check. Empty if it blames nobody in
 * particular.
 */
export function blame(output: string, rendered: Rendered, heals: Fault['heals']): Fault[] {
  return readAlerts(output, rendered).byObject.map(({ object, reason }) => {
    const found =
      heals === 'later' ? passingFault(object.kind, object.id, reason) : fault(object.kind, object.id, reason);
    const certificate = object.kind === 'listener' ? findSniCertificate(reason) : null;
    return certificate === null ? found : { ...found, effect: 'degraded', certificate };
  });
}

/**
 * Finds by trial the listeners whose presence makes a configuration invalid: each is tried alone, with its pool. Throws
 * ActivationError with haproxy's own words if all pass alone or none does.
 */
export async function findCulprits(
  layout: Layout,
  summary: string,
  isValid: (candidate: Layout) => Promise<boolean>,
): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const listener of layout.spec.listeners) {
    const alone = layOut({ ...layout.spec, listeners: [listener] });
    if (!(await isValid(alone))) faults.push(fault('listener', listener.id, summary));
  }
  if (faults.length === 0) throw new ActivationError(summary);
  return faults;
}

/**
 * Whom a failure concerns that no object caused (a full disk, a missing haproxy): what the new spec would have changed;
 * the load balancer itself if it is new or nothing below it differs.
 */
export function changedObjects(before: LoadBalancerSpec | null, spec: LoadBalancerSpec): ObjectRef[] {
  const whole: ObjectRef = { kind: 'loadbalancer', id: spec.id };
  if (before === null) return [whole];
  const known = objectsOf(before);
  const changed = [...objectsOf(spec)].filter(([key, { text }]) => known.get(key)?.text !== text);
  return changed.length === 0 ? [whole] : changed.map(([, { object }]) => object);
}

interface Described {
  readonly object: ObjectRef;
  readonly text: string;
}

function objectsOf(spec: LoadBalancerSpec): Map<string, Described> {
  const objects = new Map<string, Described>();
  const add = (object: ObjectRef, content: unknown) =>
    objects.set(`${object.kind} ${object.id}`, { object, text: JSON.stringify(content) });
  for (const { l7Policies, ...listener } of spec.listeners) {
    add({ kind: 'listener', id: listener.id }, listener);
    for (const policy of l7Policies) add({ kind: 'l7policy', id: policy.id }, policy);
  }
  for (const { members, monitor, ...pool } of spec.pools) {
    add({ kind: 'pool', id: pool.id }, pool);
    for (const member of members) add({ kind: 'member', id: member.id }, member);
    if (monitor !== null) add({ kind: 'healthmonitor', id: monitor.id }, monitor);
  }
  return objects;
}
