import type { LoadBalancerSpec } from '../../protocol/spec';
import { type Admission, admit } from '../haproxy/admit';
import { resolveMaterials } from '../haproxy/admitTls';
import { withoutFaults } from '../haproxy/fault';
import type { Unit } from './unit';

/** Sorts out what this engine cannot carry, and what it lacks the certificates for. */
export function admitSpec({ materials }: Pick<Unit, 'materials'>, spec: LoadBalancerSpec): Admission {
  const admission = admit(spec);
  const resolved = resolveMaterials(admission.spec, materials);
  const faults = [...admission.faults, ...resolved.faults];
  return { spec: withoutFaults(resolved.spec, resolved.faults), faults };
}
