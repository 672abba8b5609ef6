import type { ContrailDriver, HostPair, PairChange } from '../clouds/contrail/port';
import type { Db } from '../db/connect';
import { createPortLock } from '../db/portLocks';
import { PassedThroughError } from '../domain/errors';

/**
 * Changes address pairs of ports. A port's list is read and written whole, under a lock, so what several load balancers
 * want of one port goes into one write: while one is under way, the next one gathers. Made once a process.
 */
export interface PairWriter {
  /** Gives the ports that are not there. @throws what the write meets; a refusal is thrown to whoever caused it alone */
  change(changes: readonly PairChange[]): Promise<readonly string[]>;
}

export type WritePairs = ContrailDriver['changePairs'];

/** Writes under the lock that other processes look at too. */
export function createPairWriter(db: Db, driver: Pick<ContrailDriver, 'changePairs'>): PairWriter {
  const lock = createPortLock(db);
  return gatherChanges((changes) => lock(portsOf(changes), () => driver.changePairs(changes)));
}

interface Wish {
  readonly changes: readonly PairChange[];
  readonly ports: readonly string[];
  readonly answer: (missing: readonly string[]) => void;
  readonly fail: (error: unknown) => void;
}

/** One write at a time a port; writes of ports that have nothing to do with each other wait for nobody. */
export function gatherChanges(write: WritePairs): PairWriter {
  let waiting: readonly Wish[] = [];
  const busy = new Set<string>();
  const start = (): void => {
    const { ready, left } = takeReady(waiting, busy);
    waiting = left;
    for (const batch of joinByPorts(ready)) void run(batch);
  };
  const run = async (batch: readonly Wish[]): Promise<void> => {
    const ports = portsOf(batch.flatMap(({ changes }) => changes));
    for (const port of ports) busy.add(port);
    await carryOut(batch, write);
    for (const port of ports) busy.delete(port);
    start();
  };
  return {
    change: (changes) =>
      changes.length === 0
        ? Promise.resolve([])
        : new Promise((answer, fail) => {
            waiting = [...waiting, { changes, ports: portsOf(changes), answer, fail }];
            start();
          }),
  };
}

/** A wish that has to wait keeps later ones off its ports, so that it is not passed by for ever. */
function takeReady(wishes: readonly Wish[], busy: ReadonlySet<string>): { ready: Wish[]; left: Wish[] } {
  const taken = new Set(busy);
  const ready: Wish[] = [];
  const left: Wish[] = [];
  for (const wish of wishes) {
    if (wish.ports.some((port) => taken.has(port))) {
      for (const port of wish.ports) taken.add(port);
      left.push(wish);
    } else {
      ready.push(wish);
    }
  }
  return { ready, left };
}

function joinByPorts(wishes: readonly Wish[]): Wish[][] {
  let batches: Wish[][] = [];
  for (const wish of wishes) {
    const touches = (batch: readonly Wish[]): boolean =>
      batch.some(({ ports }) => ports.some((port) => wish.ports.includes(port)));
    batches = [...batches.filter((it) => !touches(it)), [...batches.filter(touches).flat(), wish]];
  }
  return batches;
}

/** Never throws. What is refused of several is tried one by one: the others are not to suffer for it. */
async function carryOut(batch: readonly Wish[], write: WritePairs): Promise<void> {
  try {
    const missing = await write(mergeChanges(batch.flatMap(({ changes }) => changes)));
    for (const { ports, answer } of batch) answer(missing.filter((port) => ports.includes(port)));
  } catch (error) {
    if (batch.length === 1 || !(error instanceof PassedThroughError)) {
      for (const { fail } of batch) fail(error);
      return;
    }
    for (const wish of batch) await carryOut([wish], write);
  }
}

/** One change a port; of what is said twice about an address the latter holds. */
export function mergeChanges(changes: readonly PairChange[]): PairChange[] {
  return portsOf(changes).map((portId) => {
    const wanted = new Map<string, HostPair | undefined>();
    for (const { put, remove } of changes.filter((it) => it.portId === portId)) {
      for (const address of remove) wanted.set(address, undefined);
      for (const pair of put) wanted.set(pair.address, pair);
    }
    const put = [...wanted.values()].filter((pair) => pair !== undefined);
    return { portId, put, remove: [...wanted.keys()].filter((address) => wanted.get(address) === undefined) };
  });
}

function portsOf(changes: readonly PairChange[]): string[] {
  return [...new Set(changes.map(({ portId }) => portId))];
}
