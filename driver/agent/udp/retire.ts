import { setTimeout as sleep } from 'node:timers/promises';
import { dismiss, type Generation, isRunning, kill } from '../nginx/generation';
import { monotonicNow } from '../process/monotonic';
import { recordProcesses } from './processFile';
import type { UdpUnit } from './unit';

/** Old generations that may finish their sessions at a time (each takes some 20 MB), and for how long (milliseconds). */
const MOST_RETIRED = 4;
const LONGEST_RETIREMENT = 60_000;
/** Milliseconds that each may at least, however quickly changes follow each other: a member takes its time to answer. */
const SHORTEST_RETIREMENT = 500;
/** Milliseconds one may take that is told to go at once; seen: 60 to 100. */
const FAREWELL = 3000;

/** A storm of changes is slowed down to where none cuts off the answers of the one before. */
export async function waitForRetired({ generations }: UdpUnit): Promise<void> {
  const oldest = generations.filter((one) => one.retiredAt !== null && isRunning(one)).at(-MOST_RETIRED);
  if (oldest === undefined) return;
  const left = (oldest.retiredAt ?? 0) + SHORTEST_RETIREMENT - monotonicNow();
  if (left > 0) await sleep(left);
}

/**
 * Retires what was current. An old generation may finish its sessions as long as newer ones have all of its ports, which
 * else would go on to be served by it; of many only the newest may.
 */
export async function retireAll(unit: UdpUnit, endpoints: readonly string[], except?: number): Promise<void> {
  const now = monotonicNow();
  unit.generations = unit.generations.map((generation) =>
    generation.sequence === except || generation.retiredAt !== null ? generation : { ...generation, retiredAt: now },
  );
  const retired = unit.generations.filter(({ retiredAt }) => retiredAt !== null);
  const inTheWay = retired.filter(({ endpoints: held }) => held.some((endpoint) => !endpoints.includes(endpoint)));
  const tooMany = retired.slice(0, -MOST_RETIRED);
  for (const generation of [...inTheWay, ...tooMany]) dismiss(generation);
  if (except === undefined) unit.config = null;
  if (unit.generations.length > 0) recordProcesses(unit);
  await gone(inTheWay);
}

/** Waits until the ports of those that were dismissed are closed, which is when they end at the latest. */
async function gone(generations: readonly Generation[]): Promise<void> {
  const deadline = monotonicNow() + FAREWELL;
  while (generations.some(isRunning) && monotonicNow() < deadline) await sleep(5);
  for (const generation of generations.filter(isRunning)) kill(generation);
  while (generations.some(isRunning)) await sleep(5);
}

/** True for a retired generation that may go if it has no sessions: nothing of theirs can still be waiting in its sockets. */
export function isPastUse({ retiredAt }: Generation, now: number): boolean {
  return retiredAt !== null && now - retiredAt > 4 * SHORTEST_RETIREMENT;
}

/** True for a retired generation that has had its time. */
export function isOverdue({ retiredAt }: Generation, now: number): boolean {
  return retiredAt !== null && now - retiredAt > LONGEST_RETIREMENT;
}
