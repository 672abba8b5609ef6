import type { MemberSpec } from '../../../driver/protocol/spec';
import { aMember } from '../agentSpecs';
import type { Backend } from '../backend';

/** Random members out of some backends; the same every time. One of them always serves. */
export interface MemberChanges {
  /** The members after one change: one comes, goes, or gets another weight (0 drains) or admin state. */
  next(): MemberSpec[];
}

export function createMemberChanges(backends: readonly Backend[]): MemberChanges {
  const random = createRandom(42);
  const members = new Map<string, MemberSpec>();
  const [steady, ...others] = backends.map(({ name, address, port }) => aMember({ id: name, address, port }));
  if (steady !== undefined) members.set(steady.id, steady);
  return {
    next() {
      const chosen = others[random(others.length)];
      if (chosen !== undefined) change(members, chosen, random);
      return [...members.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    },
  };
}

type Random = (below: number) => number;

function change(members: Map<string, MemberSpec>, chosen: MemberSpec, random: Random): void {
  const now = members.get(chosen.id);
  if (now === undefined) members.set(chosen.id, chosen);
  else if (random(3) === 0) members.delete(chosen.id);
  else if (random(2) === 0) members.set(chosen.id, { ...now, enabled: !now.enabled });
  else members.set(chosen.id, { ...now, weight: now.weight === 0 ? 1 + random(4) : 0 });
}

/** Numerical Recipes' linear congruence, high bits: good enough to stir, and the same on every machine. */
function createRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
