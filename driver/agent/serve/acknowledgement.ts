import type { Ack, Held } from '../../protocol/messages';
import type { LoadBalancerSpec } from '../../protocol/spec';
import { refusalOf } from '../haproxy/fault';
import type { MaterialStore } from '../state/materials';
import type { HeldSpec } from '../state/specStore';

/** What is told of a spec that was taken on. */
export function acknowledgement({ spec, outcome, faults }: HeldSpec): Ack {
  const { id, generation, epoch, digest } = spec;
  return { type: 'ack', id, generation, epoch, digest, outcome, refusals: faults.map(refusalOf) };
}

/** What is told of a load balancer that is gone. */
export function removal(id: string, generation: number, epoch: number): Ack {
  return { type: 'ack', id, generation, epoch, digest: '', outcome: 'removed', refusals: [] };
}

/**
 * How a hello names what is in force, which is all that counts as confirmed there. Of a spec that was refused nothing is:
 * then it is the one before it, if any, and the controller sends the refused one again.
 */
export function heldEntry(
  { spec, outcome, faults }: HeldSpec,
  inForce: LoadBalancerSpec | null,
  materials: Pick<MaterialStore, 'lacking'>,
): Held | null {
  const served = outcome === 'applied' ? spec : inForce;
  if (served === null) return null;
  const { id, generation, epoch, digest } = served;
  const refusals = outcome === 'applied' ? faults.map(refusalOf) : [];
  return { id, generation, epoch, digest, refusals, lacking: materials.lacking(served) };
}
