import type { BusMessage } from '../bus/port';
import { listUnconfirmed } from '../db/confirmations';
import { createExpiryWatch, type ExpiryWatch } from './materials/expiry';
import { createParts, type ManagerDeps, type Parts } from './parts';
import type { ServerEvents } from './server';
import { closeSession, openSession, receiveMessage } from './session';

/** A health-manager, apart from its port and its timers. */
export interface Manager extends ServerEvents {
  /** Hints of workers, and what other health-managers say. */
  onBusMessage(message: BusMessage): void;
  /** A load balancer was settled: its statuses may follow from other things now. */
  onSettled(loadBalancerId: string): void;
  /** Finds silent engines. */
  check(): Promise<void>;
  /** Writes what was heard. */
  flush(): Promise<void>;
  /** Brings what is unconfirmed to the engines again: the repair of lost hints. */
  compare(): Promise<void>;
  /** Judges the next slice of all load balancers; `slices` calls are one round. */
  review(slices: number): void;
  /** Looks after the certificates of users: whether they have changed, and whether they end soon. */
  lookAfterCertificates(): Promise<void>;
  /** Ends what is under way; to be called when no engine is connected any more. */
  finish(): Promise<void>;
}

export function createManager(deps: ManagerDeps): Manager {
  const parts = createParts(deps);
  const expiry = createExpiryWatch({ db: deps.db, date: () => new Date() });
  let reviewed: readonly string[] = [];
  return {
    enrol: (hello, socket) => openSession(parts, hello, socket),
    onMessage: (link, message) => receiveMessage(parts, link, message),
    onClose: (link) => closeSession(parts, link),
    onBusMessage: (message) => hear(parts, message),
    onSettled: (id) => {
      if (parts.reports.has(id)) parts.judge.mark([id]);
    },
    check: () => parts.liveness.check(),
    flush: async () => {
      await parts.liveness.flush();
      await parts.loads.flush();
    },
    compare: () => compare(parts),
    review(slices) {
      if (reviewed.length === 0) reviewed = parts.reports.loadBalancers();
      const count = Math.ceil(parts.reports.loadBalancers().length / slices);
      parts.judge.mark(reviewed.slice(0, count));
      reviewed = reviewed.slice(count);
    },
    lookAfterCertificates: () => lookAfterCertificates(parts, expiry),
    async finish() {
      parts.withdrawals.stop();
      await parts.pusher.idle();
      await parts.background.idle();
      await parts.counters.flush();
      await parts.acks.idle();
      await parts.judge.idle();
      await parts.captures.idle();
    },
  };
}

async function lookAfterCertificates({ materials, connections, log }: Parts, expiry: ExpiryWatch): Promise<void> {
  await materials.refresh((id) => connections.all().some(({ held }) => held.has(id)));
  await expiry
    .look(materials.inUse())
    .catch((err: unknown) => log.warn({ err }, 'certificates near their end could not be told of'));
}

function hear(parts: Parts, message: BusMessage): void {
  const { method, args } = message;
  if (method === 'captures') {
    parts.background.start('tell engines of captures', () => parts.captures.look());
    return;
  }
  if (method === 'inspections') {
    parts.background.start('ask engines how they serve', () => parts.inspections.look());
    return;
  }
  if (method === 'networks') {
    const engine = typeof args['engine_id'] === 'string' ? parts.connections.get(args['engine_id']) : undefined;
    if (engine) parts.background.start('tell an engine its networks', () => parts.networks.bring(engine));
    return;
  }
  if (method !== 'placements') {
    parts.peers.receive(message);
    return;
  }
  const { engine_id: engineId, load_balancer_id: loadBalancerId } = args;
  const link = typeof engineId === 'string' ? parts.connections.get(engineId) : undefined;
  if (!link) return;
  if (typeof loadBalancerId === 'string') void parts.pusher.request(link, loadBalancerId);
  else parts.background.start('compare placements', () => compare(parts));
}

async function compare({
  db,
  id,
  connections,
  pusher,
  networks,
  captures,
  inspections,
  log,
  bgp,
}: Parts): Promise<void> {
  try {
    await captures.look();
    await inspections.look();
    await networks.review();
    await bgp.review();
    for (const { engineId, loadBalancerId } of await listUnconfirmed(db, id)) {
      const link = connections.get(engineId);
      if (link) pusher.remind(link, loadBalancerId);
    }
  } catch (err) {
    log.warn({ err }, 'placements could not be compared; they will be again');
  }
}
