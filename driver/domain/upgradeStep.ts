import type {
  UpgradeAction,
  UpgradeEngine,
  UpgradeLoadBalancer,
  UpgradeState,
  UpgradeStep,
  UpgradeView,
} from './upgradeView';

/** The replacement of one engine. Pure. */

export interface StepResult {
  readonly actions: readonly UpgradeAction[];
  /** Null: it is over. */
  readonly next: UpgradeStep | null;
  /** The old engine is replaced. */
  readonly replaced?: true;
  readonly proven?: true;
  /** The new engine is not good, or does not come about. */
  readonly failure?: string;
}

interface Stepping {
  readonly view: UpgradeView;
  readonly state: UpgradeState;
  readonly step: UpgradeStep;
  readonly now: number;
}

/** What one replacement does next. */
export function advanceStep(
  view: UpgradeView,
  state: UpgradeState,
  at: { step: UpgradeStep; now: number },
): StepResult {
  const stepping: Stepping = { view, state, ...at };
  switch (at.step.phase) {
    case 'making':
      return awaitNew(stepping);
    case 'trying':
      return tryOut(stepping);
    case 'moving':
      return moveAll(stepping);
    case 'retiring':
      return awaitEnd(stepping);
    case 'failing':
      return takeBack(stepping);
  }
}

function awaitNew(stepping: Stepping): StepResult {
  const { view, state, step, now } = stepping;
  const made = engineOf(view, step.newEngineId);
  if (!made || made.deleting || made.status === 'GHOST')
    return fail(step, `engine ${step.newEngineId} was never READY`);
  if (made.status !== 'READY' || !made.connected) {
    if (now - step.since < view.times.boot) return { actions: [], next: step };
    return fail(step, `engine ${step.newEngineId} was not READY within ${seconds(view.times.boot)}`);
  }
  if (state.proven) return moveAll({ ...stepping, step: enter(step, 'moving', now) });
  const [first] = guestsOf(view, step.oldEngineId).filter((it) => !it.leaving.includes(step.oldEngineId));
  if (!first)
    return canBeTried(stepping) ? takeBack({ ...stepping, step: enter(step, 'failing', now) }) : prove(stepping);
  const trial = { loadBalancerId: first.id, membersDown: first.membersDown, since: null };
  return tryOut({ ...stepping, step: { ...enter(step, 'trying', now), trial } });
}

/**
 * Whether another engine that is to be replaced serves somebody: the new image is tried there. Where nobody serves anybody
 * there is nothing to try it with, and that it came up has to do.
 */
function canBeTried({ view, state, step }: Stepping): boolean {
  return view.engines.some(
    ({ id, mark, deleting, ownImage, slotsUsed }) =>
      id !== step.oldEngineId && mark !== state.mark && !deleting && !ownImage && slotsUsed > 0,
  );
}

/** One load balancer goes first. What it finds there decides. */
function tryOut(stepping: Stepping): StepResult {
  const { view, step, now } = stepping;
  const { trial, newEngineId, oldEngineId } = step;
  const guest = view.loadBalancers.find(({ id }) => id === trial?.loadBalancerId);
  // Deleted meanwhile: another one is tried.
  if (!trial || !guest) return { actions: [], next: enter({ ...step, trial: null }, 'making', now) };
  const refusal = guest.refusals[newEngineId];
  if (refusal !== undefined && guest.refusals[oldEngineId] === undefined) {
    return fail(step, `engine ${newEngineId} refuses load balancer ${guest.id}: ${refusal}`);
  }
  const onOld = guest.engineIds.includes(oldEngineId);
  if (onOld || !guest.confirmed.includes(newEngineId)) {
    if (now - step.since >= view.times.move) {
      return fail(
        step,
        `load balancer ${guest.id} has not come to engine ${newEngineId} within ${seconds(view.times.move)}`,
      );
    }
    return { actions: askOff(step, [guest]), next: step };
  }
  const since = trial.since ?? now;
  if (now - since < view.times.soak) return { actions: [], next: { ...step, trial: { ...trial, since } } };
  const worse = isWorse(step, guest);
  return worse === undefined ? prove(stepping) : fail(step, worse);
}

/** Requests of which an error rate can be told. */
const ENOUGH_REQUESTS = 20;
/** An error rate is higher when it is more than twice the old one, and so much besides. */
const MARGIN = 0.01;

function isWorse({ newEngineId, oldEngineId, trial }: UpgradeStep, guest: UpgradeLoadBalancer): string | undefined {
  const lost = guest.membersDown - (trial?.membersDown ?? 0);
  if (lost > 0) return `${lost} members of load balancer ${guest.id} are down since engine ${newEngineId} serves it`;
  const now = guest.traffic[newEngineId] ?? { requests: 0, errors: 0 };
  if (now.requests < ENOUGH_REQUESTS) return undefined;
  const before = guest.traffic[oldEngineId] ?? { requests: 0, errors: 0 };
  const rate = now.errors / now.requests;
  const old = before.requests === 0 ? 0 : before.errors / before.requests;
  if (rate <= 2 * old + MARGIN) return undefined;
  return `${percent(rate)} of the requests to load balancer ${guest.id} fail on engine ${newEngineId}; ${percent(old)} did on engine ${oldEngineId}`;
}

function prove(stepping: Stepping): StepResult {
  const { step, now } = stepping;
  const moved = moveAll({ ...stepping, step: { ...enter(step, 'moving', now), trial: null } });
  return { ...moved, actions: [{ kind: 'prove', newEngineId: step.newEngineId }, ...moved.actions], proven: true };
}

function moveAll({ view, step, now }: Stepping): StepResult {
  const old = engineOf(view, step.oldEngineId);
  if (!old) return { actions: [], next: null, replaced: true };
  const guests = guestsOf(view, step.oldEngineId);
  if (guests.length === 0 && old.slotsUsed === 0) return retireOld(step, now);
  const refused = guests.find((it) => it.refusals[step.newEngineId] !== undefined && it.refusals[old.id] === undefined);
  if (refused) {
    const reason = refused.refusals[step.newEngineId];
    return fail(step, `engine ${step.newEngineId} refuses load balancer ${refused.id}: ${reason}`);
  }
  if (now - step.since >= view.times.move) {
    return fail(
      step,
      `${guests.length} load balancers have not left engine ${old.id} within ${seconds(view.times.move)}`,
    );
  }
  return { actions: askOff(step, guests), next: step };
}

function retireOld(step: UpgradeStep, now: number): StepResult {
  const { oldEngineId, newEngineId } = step;
  const action = { kind: 'retire', engineId: oldEngineId, oldEngineId, newEngineId } as const;
  return { actions: [action], next: enter(step, 'retiring', now) };
}

/** One that was taken up again in the last moment is emptied once more. */
function awaitEnd({ view, step, now }: Stepping): StepResult {
  const old = engineOf(view, step.oldEngineId);
  if (!old) return { actions: [], next: null, replaced: true };
  if (!old.deleting)
    return old.slotsUsed > 0 ? { actions: [], next: enter(step, 'moving', now) } : retireOld(step, now);
  // That a cloud does not let go of its server holds up nobody.
  return now - step.since < view.times.boot ? { actions: [], next: step } : { actions: [], next: null, replaced: true };
}

function takeBack({ view, step }: Stepping): StepResult {
  const { oldEngineId, newEngineId } = step;
  const made = engineOf(view, newEngineId);
  if (!made || made.deleting) return { actions: [], next: null };
  const guests = guestsOf(view, newEngineId);
  if (guests.length === 0 && made.slotsUsed === 0) {
    return { actions: [{ kind: 'retire', engineId: newEngineId, oldEngineId, newEngineId }], next: step };
  }
  const old = engineOf(view, oldEngineId);
  const home = old && !old.deleting ? oldEngineId : null;
  return { actions: askFrom(newEngineId, home, guests), next: step };
}

function askOff({ oldEngineId, newEngineId }: UpgradeStep, guests: readonly UpgradeLoadBalancer[]): UpgradeAction[] {
  return askFrom(oldEngineId, newEngineId, guests);
}

function askFrom(from: string, to: string | null, guests: readonly UpgradeLoadBalancer[]): UpgradeAction[] {
  const staying = guests.filter((it) => it.engineIds.includes(from) && !it.leaving.includes(from));
  const free = staying.filter((it) => to !== null && (!it.engineIds.includes(to) || it.leaving.includes(to)));
  const others = staying.filter((it) => !free.includes(it));
  return [
    ...moves(free, { from, to }),
    // It is there already, for another of its engines.
    ...moves(others, { from, to: null }),
  ];
}

function moves(guests: readonly UpgradeLoadBalancer[], way: { from: string; to: string | null }): UpgradeAction[] {
  return guests.length === 0 ? [] : [{ kind: 'move', loadBalancerIds: guests.map(({ id }) => id), ...way }];
}

function fail(step: UpgradeStep, failure: string): StepResult {
  return { actions: [], next: step, failure };
}

function enter(step: UpgradeStep, phase: UpgradeStep['phase'], now: number): UpgradeStep {
  return { ...step, phase, since: now };
}

function engineOf({ engines }: UpgradeView, id: string): UpgradeEngine | undefined {
  return engines.find((it) => it.id === id);
}

function guestsOf({ loadBalancers }: UpgradeView, engineId: string): readonly UpgradeLoadBalancer[] {
  return loadBalancers.filter(({ engineIds }) => engineIds.includes(engineId));
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)} s`;
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
