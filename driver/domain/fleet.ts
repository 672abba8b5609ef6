import type { Engine } from './engine';
import { type GroupProperties, slotsOfNewEngine } from './group';
import { usableSlots } from './placementRules';

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
  const forMinimum = group.minEngines - alive.length;
  const room = group.maxEngines - alive.length;
  return {
    add: Math.max(0, Math.min(room, Math.max(enginesForBuffer(group, alive), forMinimum))),
    retire: staying.filter(({ status }) => status === 'GHOST').map(({ id }) => id),
  };
}

/** What a group's fleet needs whose engines live in the projects of their users. */
export interface TenantFleetPlan {
  /** The projects that engines are to be made in, once for each engine. */
  readonly addIn: readonly string[];
  readonly retire: readonly string[];
}

/**
 * Plans a group whose engines live with their users. None is made before a project has its first load balancer, whatever
 * the minimum says; from then on the buffer is kept free in that project, on the project's own account.
 */
export function planTenantFleet(group: GroupProperties, engines: readonly Engine[]): TenantFleetPlan {
  const staying = engines.filter(({ deleting }) => !deleting);
  const alive = staying.filter(({ status }) => status !== 'GHOST');
  const useful = alive.filter((it) => keepsBuffer(it, group));
  const served = new Set(alive.flatMap((it) => (it.slotsUsed > 0 ? (it.ownerProjectId ?? []) : [])));
  const wanted = [...served].sort().flatMap((project) => {
    const lacking = enginesLacking(
      group,
      useful.filter(({ ownerProjectId }) => ownerProjectId === project),
    );
    return Array.from({ length: Math.max(0, lacking) }, () => project);
  });
  return {
    addIn: wanted.slice(0, Math.max(0, group.maxEngines - alive.length)),
    retire: staying.filter(({ status }) => status === 'GHOST').map(({ id }) => id),
  };
}

/** How many more of them would keep the buffer's slots free; negative when there are more than enough. */
function enginesLacking(group: GroupProperties, engines: readonly Engine[]): number {
  const slots = slotsOfNewEngine(group);
  const free = engines.reduce((sum, it) => sum + Math.max(0, usableSlots(it, it, group) - it.slotsUsed), 0);
  return Math.ceil((group.bufferEngines * slots - free) / slots);
}

/** Engines without which the buffer's slots are not free: of the group, or of each project that is served, if these share none. */
function enginesForBuffer(group: GroupProperties, alive: readonly Engine[]): number {
  const useful = alive.filter((it) => it.ownerProjectId === null && keepsBuffer(it, group));
  if (group.tenancy === 'shared') return enginesLacking(group, useful);

  const busy = useful.filter(({ slotsUsed }) => slotsUsed > 0);
  const projects = new Set(busy.flatMap(({ projectId }) => projectId ?? []));
  const wanted = [...projects].map((project) =>
    enginesLacking(
      group,
      busy.filter(({ projectId }) => projectId === project),
    ),
  );
  // An engine that serves nobody is anybody's, but only one's.
  return wanted.reduce((sum, count) => sum + Math.max(0, count), 0) - (useful.length - busy.length);
}

/** Whether the engine's free slots are for whoever asks for nothing special. */
function keepsBuffer({ status, computeFlavor, imageTag, perApp, cutOff }: Engine, group: GroupProperties): boolean {
  const comesUp = (status === 'READY' || status === 'BUILDING') && !cutOff;
  return comesUp && computeFlavor === null && imageTag === null && (!perApp || group.perApp);
}
