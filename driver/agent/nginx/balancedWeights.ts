import type { MemberSpec } from '../../protocol/spec';

/** nginx's ring has 160 points of 16 bytes for each unit of weight, sorted at every start: that many units take 13 MB. */
const MOST_UNITS = 5000;

/**
 * The weights of a pool's members as they are written, by member id. Their ratios count, so a common divisor goes; of a
 * hash, whose ring grows with the sum, they are also rounded to a sum of about `MOST_UNITS`, each to one at least. All
 * members of the pool are to be given, so that the weight of one does not depend on who else is up.
 */
export function balancedWeights(
  members: readonly Pick<MemberSpec, 'id' | 'weight'>[],
  hashed: boolean,
): ReadonlyMap<string, number> {
  const weighted = members.filter(({ weight }) => weight > 0);
  const divisor = weighted.reduce((common, { weight }) => greatestCommonDivisor(common, weight), 0) || 1;
  const sum = weighted.reduce((total, { weight }) => total + weight / divisor, 0);
  const factor = hashed && sum > MOST_UNITS ? MOST_UNITS / sum : 1;
  return new Map(weighted.map(({ id, weight }) => [id, Math.max(1, Math.round((weight / divisor) * factor))]));
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other);
}
