import type { Engine } from './engine';
import { type GroupProperties, slotsOfNewEngine } from './group';

/** What a group's fleet needs, as a function of its engines alone. */
export interface FleetPlan {
  /** Engines to be made. */
  readonly add: number;
  /** Ids of engines to be taken down. */
  readonly retire: readonly string[];
}

/**
 * Plans a group. Ghosts go, and are replaced; below the minimum engines are made, and so many more that the buffer's
 * slots are free, never above the maximum. A DOWN engine counts: its load balancers are there, and it may come back.
 */
export function planFleet(group: GroupProperties, engines: readonly Engine[]): FleetPlan {
  const staying = engines.filter(({ deleting }) => !deleting);
  const alive = staying.filter(({ status }) => status !== 'GHOST');
  const free = alive
    .filter(({ status }) => status === 'READY' || status === 'BUILDING')
    .reduce((sum, { slots, slotsUsed }) => sum + Math.max(0, slots - slotsUsed), 0);
  const slots = Math.max(1, slotsOfNewEngine(group));
  const forBuffer = Math.ceil((group.bufferEngines * slots - free) / slots);
  const forMinimum = group.minEngines - alive.length;
  const room = group.maxEngines - alive.length;
  return {
    add: Math.max(0, Math.min(room, Math.max(forBuffer, forMinimum))),
    retire: staying.filter(({ status }) => status === 'GHOST').map(({ id }) => id),
  };
}
