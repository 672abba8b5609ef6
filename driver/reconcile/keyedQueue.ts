/**
 * Work by key: a key that is added many times before its run starts is run once; one that is added during its run is run
 * once more after it; no key runs twice at a time. Keys of one lane (a project) start in order of arrival, and the lanes
 * take turns, so that a busy project does not hold up the others.
 */
export interface KeyedQueue {
  /** Wants a run of the key as soon as there is room. */
  add(key: string, lane?: string): void;
  /** Wants one after `delay` milliseconds, unless one is wanted sooner. */
  addLater(key: string, delay: number): void;
  /** Keys that wait or run. */
  readonly size: number;
  /** Keys that wait, or are to run again after the run under way. */
  waiting(): readonly string[];
  /** Resolves when nothing waits or runs; what comes by `addLater` is not waited for. */
  idle(): Promise<void>;
  /** Starts nothing more and resolves when no run is left. */
  close(): Promise<void>;
}

export interface KeyedQueueDeps {
  /** One run of a key. Errors are its own to handle: one that gets here goes to `onError`. */
  readonly run: (key: string) => Promise<void>;
  readonly onError: (error: unknown, key: string) => void;
  /** Runs at a time. */
  readonly concurrency: number;
}

interface State {
  readonly lanes: Map<string, Set<string>>;
  /** Lanes with something waiting, the next one first. */
  readonly turns: string[];
  readonly laneOf: Map<string, string>;
  readonly running: Map<string, Promise<void>>;
  /** Running keys that are to run again, and in which lane. */
  readonly again: Map<string, string>;
  readonly timers: Map<string, { readonly at: number; readonly timer: NodeJS.Timeout }>;
  closed: boolean;
}

export function createKeyedQueue(deps: KeyedQueueDeps): KeyedQueue {
  const state: State = {
    lanes: new Map(),
    turns: [],
    laneOf: new Map(),
    running: new Map(),
    again: new Map(),
    timers: new Map(),
    closed: false,
  };
  const add = (key: string, lane = ''): void => {
    if (state.closed) return;
    clearTimer(state, key);
    if (state.running.has(key)) state.again.set(key, lane);
    else enqueue(state, key, lane);
    startRuns(state, deps);
  };
  return {
    add,
    addLater(key, delay) {
      if (state.closed || state.laneOf.has(key) || state.again.has(key)) return;
      const at = performance.now() + delay;
      const planned = state.timers.get(key);
      if (planned && planned.at <= at) return;
      clearTimer(state, key);
      state.timers.set(key, { at, timer: setTimeout(() => add(key), delay) });
    },
    get size() {
      return state.laneOf.size + state.running.size;
    },
    waiting: () => [...state.laneOf.keys(), ...state.again.keys()],
    async idle() {
      while (state.running.size > 0) await Promise.all(state.running.values());
    },
    async close() {
      state.closed = true;
      for (const key of [...state.timers.keys()]) clearTimer(state, key);
      state.lanes.clear();
      state.turns.length = 0;
      state.laneOf.clear();
      state.again.clear();
      await Promise.all(state.running.values());
    },
  };
}

function enqueue(state: State, key: string, lane: string): void {
  if (state.laneOf.has(key)) return;
  state.laneOf.set(key, lane);
  const waiting = state.lanes.get(lane);
  if (waiting) {
    waiting.add(key);
  } else {
    state.lanes.set(lane, new Set([key]));
    state.turns.push(lane);
  }
}

/** The first key of the lane whose turn it is; the lane then goes to the end. */
function dequeue(state: State): string | undefined {
  const lane = state.turns.shift();
  const waiting = lane === undefined ? undefined : state.lanes.get(lane);
  const [key] = waiting ?? [];
  if (lane === undefined || !waiting || key === undefined) return undefined;
  waiting.delete(key);
  state.laneOf.delete(key);
  if (waiting.size > 0) state.turns.push(lane);
  else state.lanes.delete(lane);
  return key;
}

function startRuns(state: State, deps: KeyedQueueDeps): void {
  while (!state.closed && state.running.size < deps.concurrency) {
    const key = dequeue(state);
    if (key === undefined) return;
    state.running.set(key, runOne(state, deps, key));
  }
}

async function runOne(state: State, deps: KeyedQueueDeps, key: string): Promise<void> {
  // Not before the caller has put this run among the running ones.
  await Promise.resolve();
  try {
    await deps.run(key);
  } catch (error) {
    deps.onError(error, key);
  }
  state.running.delete(key);
  const lane = state.again.get(key);
  if (state.again.delete(key)) enqueue(state, key, lane ?? '');
  startRuns(state, deps);
}

function clearTimer(state: State, key: string): void {
  clearTimeout(state.timers.get(key)?.timer);
  state.timers.delete(key);
}
