import { setTimeout as sleep } from 'node:timers/promises';
import type { Layout } from '../haproxy/layout';
import { sharingOf } from '../haproxy/peers';
import { monotonicNow } from '../process/monotonic';
import type { RuntimeSocket } from '../process/runtimeSocket';

/** Milliseconds a haproxy that starts may take to learn from other engines. Seen: 20 to 300, for 20,000 clients, too. */
const LONGEST = 2000;
const LOOK = 20;
/**
 * haproxy's flags of a section of peers, 2.6 to 3.0: nothing is to be learnt any more (REMOTE), somebody has told all it
 * knows (REMOTEFINISHED), or all it has learnt yet itself (REMOTEPARTIAL).
 */
const LEARNT = 0x2 | 0x200 | 0x800;

/**
 * Waits until a haproxy that has just been started knows what the load balancer's other engines do, so that no client comes
 * to it before. Gives up after a while: they may be gone, or know nothing of this one yet; what they tell later counts, too.
 */
export async function learnFromPeers(runtime: RuntimeSocket, layout: Layout): Promise<void> {
  if ((sharingOf(layout)?.others ?? []).length === 0) return;
  const deadline = monotonicNow() + LONGEST;
  while (monotonicNow() < deadline) {
    const [answer = ''] = await runtime.run(['show peers']);
    if (hasLearnt(answer)) return;
    await sleep(LOOK);
  }
}

/** By what haproxy says of its peers. */
export function hasLearnt(peers: string): boolean {
  const flags = Number(/^\S+: \[.*\] id=\S+ disabled=\d+ flags=(0x[0-9a-f]+)/m.exec(peers)?.[1]);
  return (flags & LEARNT) !== 0;
}
