import { advanceStep, type StepResult } from './upgradeStep';
import {
  type UpgradeAction,
  type UpgradeEngine,
  type UpgradePlan,
  type UpgradeState,
  type UpgradeStep,
  type UpgradeView,
  WORKING,
} from './upgradeView';

export * from './upgradeView';

/**
 * A rolling upgrade of a group's engines: make, move, drain, retire. What is to be done next, as a function of what is seen
 * and of what is kept in its row: whoever comes after a crash finds the same. Pure.
 */
export function planUpgrade(view: UpgradeView, state: UpgradeState, now: number): UpgradePlan {
  if (!WORKING.includes(state.status)) return { actions: [], state };
  const results = state.steps.map((step) => advanceStep(view, state, { step, now }));
  const actions: UpgradeAction[] = results.flatMap((it) => it.actions);
  const failure = results.flatMap((it) => it.failure ?? [])[0];
  const advanced: UpgradeState = {
    ...state,
    proven: state.proven || results.some(({ proven }) => proven),
    replaced: state.replaced + results.filter(({ replaced }) => replaced).length,
    steps: stepsOf(results),
  };
  if (failure !== undefined && state.status !== 'STOPPING') {
    return { actions: [{ kind: 'stop', reason: failure }], state: stopUpgrade(state, failure, now) };
  }
  if (state.status === 'STOPPING') return endStopping(advanced, actions);
  return goOn(view, advanced, { actions, now });
}

function stepsOf(results: readonly StepResult[]): readonly UpgradeStep[] {
  return results.flatMap(({ next }) => next ?? []);
}

/** What is under way is taken back, as far as the old engines are still there. */
export function takeBackSteps(steps: readonly UpgradeStep[], now: number): readonly UpgradeStep[] {
  return steps.map((step) =>
    step.phase === 'retiring' || step.phase === 'failing'
      ? step
      : { ...step, phase: 'failing', since: now, trial: null },
  );
}

function stopUpgrade(state: UpgradeState, reason: string, now: number): UpgradeState {
  return { ...state, status: 'STOPPING', reason, steps: takeBackSteps(state.steps, now) };
}

function endStopping(state: UpgradeState, actions: readonly UpgradeAction[]): UpgradePlan {
  if (state.steps.length > 0) return { actions, state };
  return { actions: [...actions, { kind: 'finish', status: 'STOPPED' }], state: { ...state, status: 'STOPPED' } };
}

/** Begins with the next engines, or is done. */
function goOn(
  view: UpgradeView,
  state: UpgradeState,
  { actions, now }: { actions: readonly UpgradeAction[]; now: number },
): UpgradePlan {
  const waiting = replaceable(view, state);
  if (waiting.length === 0 && state.steps.length === 0) {
    const status = state.status === 'UNDOING' ? 'UNDONE' : 'DONE';
    return { actions: [...actions, { kind: 'finish', status }], state: { ...state, status } };
  }
  const atATime = state.proven ? state.parallel : 1;
  const room = Math.max(0, Math.min(atATime - state.steps.length, view.freshIds.length));
  const begun = waiting.slice(0, room).map((old, index): UpgradeStep => {
    const newEngineId = view.freshIds[index] ?? '';
    return { oldEngineId: old.id, newEngineId, phase: 'making', since: now, trial: null };
  });
  const made = begun.map(({ oldEngineId, newEngineId }) => ({ kind: 'make' as const, oldEngineId, newEngineId }));
  return { actions: [...actions, ...made], state: { ...state, steps: [...state.steps, ...begun] } };
}

/** Engines that are still to be replaced: first those that serve, with the fewest, so that a new one is tried on few. */
export function replaceable({ engines }: Pick<UpgradeView, 'engines'>, state: UpgradeState): readonly UpgradeEngine[] {
  const engaged = new Set(state.steps.flatMap(({ oldEngineId, newEngineId }) => [oldEngineId, newEngineId]));
  return engines
    .filter(({ id, deleting, ownImage, status }) => !engaged.has(id) && !deleting && !ownImage && status !== 'GHOST')
    .filter(({ mark }) => (state.replaces === null ? mark !== state.mark : mark === state.replaces))
    .sort((a, b) => rank(a) - rank(b) || a.slotsUsed - b.slotsUsed || (a.id < b.id ? -1 : 1));
}

function rank({ slotsUsed, status }: UpgradeEngine): number {
  if (status !== 'READY') return 2;
  return slotsUsed > 0 ? 0 : 1;
}

/** How an upgrade begins. */
export function newUpgrade(mark: string, parallel: number): UpgradeState {
  return {
    status: 'RUNNING',
    parallel,
    mark,
    replaces: null,
    proven: false,
    steps: [],
    replaced: 0,
    reason: null,
  };
}

/**
 * The way back: what is under way is taken back, and the engines it has made are replaced by such of the image before,
 * which bear `mark`. That one is known to be good.
 */
export function undoUpgrade(state: UpgradeState, mark: string, now: number): UpgradeState {
  return {
    ...state,
    status: 'UNDOING',
    mark,
    replaces: state.mark,
    proven: true,
    steps: takeBackSteps(state.steps, now),
    replaced: 0,
    reason: null,
  };
}
