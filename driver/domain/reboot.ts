/**
 * How an engine is rebooted: what it serves leaves it first, or is handed over; the compute service reboots its server,
 * softly, then hard; when it has called home it is what it was before. Pure; times are milliseconds on one clock.
 */

export type RebootStep = 'draining' | 'soft' | 'hard';

export interface RebootTimes {
  /** For load balancers to leave. */
  readonly drain: number;
  /** For the guest to shut down and come back by itself. */
  readonly soft: number;
  /** For it to come back from a hard reboot. */
  readonly hard: number;
}

export interface RebootView {
  readonly step: RebootStep;
  /** When the step began. */
  readonly since: number;
  /** The compute service has been asked for this step. */
  readonly isAsked: boolean;
  /** Nobody is served by it, or depends on it. */
  readonly isLeft: boolean;
  readonly isConnected: boolean;
  /** It has called since before it was rebooted. */
  readonly hasCalled: boolean;
  /** What the compute service says of its server; undefined: it does not answer. */
  readonly server: 'rebooting' | 'stopped' | 'running' | 'gone' | undefined;
}

export type RebootMove =
  | { readonly kind: 'wait' }
  /** Has the compute service reboot it: also when it was asked before and the answer is not known. */
  | { readonly kind: 'ask'; readonly how: 'soft' | 'hard' }
  | { readonly kind: 'finish' }
  | { readonly kind: 'giveUp'; readonly reason: string };

const WAIT: RebootMove = { kind: 'wait' };

export function nextReboot(view: RebootView, times: RebootTimes, now: number): RebootMove {
  const passed = now - view.since;
  if (view.server === 'gone') return { kind: 'giveUp', reason: 'its server is gone' };
  switch (view.step) {
    case 'draining':
      // A guest that does not call does not listen to a soft reboot either.
      if (view.isLeft) return { kind: 'ask', how: view.isConnected && view.server !== 'stopped' ? 'soft' : 'hard' };
      return passed < times.drain ? WAIT : giveUp(`load balancers have not left it within ${seconds(times.drain)} s`);
    case 'soft':
      if (isBack(view)) return { kind: 'finish' };
      if (passed >= times.soft) return { kind: 'ask', how: 'hard' };
      return view.isAsked ? WAIT : { kind: 'ask', how: 'soft' };
    case 'hard':
      if (isBack(view)) return { kind: 'finish' };
      if (passed >= times.hard) return giveUp(`it has not called within ${seconds(times.hard)} s of a hard reboot`);
      return view.isAsked ? WAIT : { kind: 'ask', how: 'hard' };
  }
}

/** A connection that was lost for another reason is new, too: the compute service is done with it as well. */
function isBack({ isAsked, isConnected, hasCalled, server }: RebootView): boolean {
  return isAsked && isConnected && hasCalled && server === 'running';
}

function giveUp(reason: string): RebootMove {
  return { kind: 'giveUp', reason };
}

function seconds(time: number): number {
  return Math.round(time / 1000);
}
