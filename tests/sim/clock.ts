/** Simulated time: milliseconds from 0, which pass as fast as events can be carried out. */

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** An event that is to come; gone is one that was called off. */
export interface Planned {
  readonly at: number;
  readonly order: number;
  readonly what: string;
  act: (() => void) | null;
}

/** A clock and what is to happen: earlier things first, and of one moment those that were planned first. */
export class SimClock {
  now = 0;
  /** Events carried out. */
  steps = 0;
  private readonly heap: Planned[] = [];
  private planned = 0;

  /** `delay` in milliseconds from now, at least 0. */
  after(delay: number, what: string, act: () => void): Planned {
    this.planned += 1;
    const event = { at: this.now + Math.max(0, delay), order: this.planned, what, act };
    this.push(event);
    return event;
  }

  /** Again and again, the first time after one interval, until the end. */
  every(interval: number, what: string, act: () => void): void {
    const tick = (): void => {
      act();
      this.after(interval, what, tick);
    };
    this.after(interval, what, tick);
  }

  cancel(event: Planned | null): void {
    if (event) event.act = null;
  }

  /** Carries out everything up to the moment; `look` is called after each event. */
  runUntil(end: number, look: (what: string) => void): void {
    for (let next = this.heap[0]; next !== undefined && next.at <= end; next = this.heap[0]) {
      this.pop();
      if (next.act === null) continue;
      this.now = next.at;
      this.steps += 1;
      next.act();
      look(next.what);
    }
    this.now = end;
  }

  private push(event: Planned): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || isBefore(parent, event)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = event;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const child = this.smallerChild(at);
      if (child === undefined || isBefore(last, child.event)) break;
      heap[at] = child.event;
      at = child.index;
    }
    heap[at] = last;
  }

  private smallerChild(at: number): { readonly index: number; readonly event: Planned } | undefined {
    const index = 2 * at + 1;
    const left = this.heap[index];
    if (left === undefined) return undefined;
    const right = this.heap[index + 1];
    return right !== undefined && isBefore(right, left) ? { index: index + 1, event: right } : { index, event: left };
  }
}

function isBefore(a: Planned, b: Planned): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
