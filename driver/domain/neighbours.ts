/** Which engines of a group hear one another on a VIP network. Pure. */

/** All of so many; of more each hears those beside it. */
const ALL_OF = 5;
const BESIDE = 2;

/**
 * The neighbours of an engine: of few all, of many two on either side in the order of their ids, and in any case those it
 * is a pair with. Whoever is one's neighbour has one for a neighbour, too.
 */
export function chooseNeighbours(
  engineId: string,
  members: readonly string[],
  pairs: readonly (readonly [string, string])[] = [],
): readonly string[] {
  const sorted = [...new Set(members)].sort();
  const others = sorted.filter((id) => id !== engineId);
  const index = sorted.indexOf(engineId);
  if (index < 0 || sorted.length <= ALL_OF) return index < 0 ? [] : others;
  const beside = [-BESIDE, -1, 1, BESIDE].map((step) => sorted[(index + step + sorted.length) % sorted.length]);
  const paired = pairs.flatMap(([one, other]) => (one === engineId ? [other] : other === engineId ? [one] : []));
  return others.filter((id) => beside.includes(id) || paired.includes(id));
}
