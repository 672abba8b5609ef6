import { type Damped, damp, SHOWN } from '../../domain/damp';
import { isUsableId } from '../haproxy/admitValue';
import { monotonicNow } from '../process/monotonic';
import type { Unit } from './unit';

/**
 * Ports that are closed while all members are down (`whenDown: close`): haproxy's frontends are paused, so that the kernel
 * answers a SYN with a reset and health checks go on. UDP has no such answer: its datagrams are dropped, as before.
 */

/** Milliseconds all members have to have been down, where the spec does not say. Ports open with the first that is up. */
const CLOSE_DELAY = 3000;

/** Of a load balancer that has just been opened. */
export function newGate(): { open: Damped } {
  return { open: SHOWN };
}

/** Opens or closes the ports as the last report says. A worker that has just come has all of them open. */
export async function keepGate(unit: Unit): Promise<void> {
  const { running, gate, report, inForce } = unit;
  const closes = inForce?.whenDown === 'close';
  const delays = { upDelay: 0, downDelay: inForce?.closeDelay ?? CLOSE_DELAY, now: monotonicNow() };
  gate.open = closes ? damp(gate.open, report?.usable ?? gate.open.shown, delays) : { ...SHOWN };
  if (running === null || running.layout === null) return;
  const names = new Set(running.layout.frontends.map(({ listener }) => listener.id).filter(isUsableId));
  const wrong = unit.rows.filter(
    ({ server, proxy, status }) => server === 'FRONTEND' && names.has(proxy) && isPaused(status) === gate.open.shown,
  );
  if (wrong.length === 0) return;
  const verb = gate.open.shown ? 'enable' : 'disable';
  await running.daemon.runtime.run(wrong.map(({ proxy }) => `${verb} frontend ${proxy}`));
}

function isPaused(status: string): boolean {
  return status === 'PAUSED';
}
