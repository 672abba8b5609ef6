import type { Logger } from 'pino';
import { type Bus, HINTS_TOPIC } from '../bus/port';
import { confirmPlacement, confirmRemoval } from '../db/confirmations';
import { type Db, inTransaction } from '../db/connect';
import type { EngineConnection } from '../db/engineConnections';
import type { Ack } from '../protocol/messages';

/** Writes acknowledgements into the placements and hints the load balancers: all that came meanwhile in one transaction. */
export interface AckWriter {
  /** What cannot be written now is lost: the comparison of placements with confirmations brings it again. */
  take(from: EngineConnection, ack: Ack): void;
  /** Resolves when everything taken so far is written, or lost. */
  idle(): Promise<void>;
}

export interface AckWriterDeps {
  readonly db: Db;
  readonly bus: Bus;
  readonly log: Logger;
  /** Before placements go: what their engines counted is to be stored first. */
  readonly beforeRemovals: () => Promise<void>;
  /** The placement is gone, and whatever is remembered of it may go too. */
  readonly onRemoved: (engineId: string, loadBalancerId: string) => void;
}

interface Taken {
  readonly from: EngineConnection;
  readonly ack: Ack;
}

const BATCH = 100;

export function createAckWriter(deps: AckWriterDeps): AckWriter {
  let queue: Taken[] = [];
  let running: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = queue.slice(0, BATCH);
      queue = queue.slice(BATCH);
      await writeBatch(batch, deps).catch((err: unknown) =>
        deps.log.warn({ err, count: batch.length }, 'acknowledgements could not be written; they will come again'),
      );
    }
    running = undefined;
  };
  return {
    take(from, ack) {
      queue.push({ from, ack });
      running ??= drain();
    },
    idle: () => running ?? Promise.resolve(),
  };
}

async function writeBatch(batch: readonly Taken[], deps: AckWriterDeps): Promise<void> {
  if (batch.some(({ ack }) => ack.outcome === 'removed')) await deps.beforeRemovals();
  const changed = await inTransaction(deps.db, async (trx) => {
    const done: Taken[] = [];
    for (const taken of batch) if (await writeAck(trx, taken)) done.push(taken);
    return done;
  });
  for (const { from, ack } of changed) if (ack.outcome === 'removed') deps.onRemoved(from.engineId, ack.id);
  const ids = new Set(changed.map(({ ack }) => ack.id));
  await Promise.all([...ids].map((id) => hintLoadBalancer(deps.bus, id)));
}

/** Longest reason of a refusal that is kept: daemons' error output can be endless. */
const REASON_LIMIT = 2_000;

function writeAck(trx: Db, { from, ack }: Taken): Promise<boolean> {
  const { id: loadBalancerId, generation, outcome } = ack;
  const refusals = ack.refusals.map((it) => ({ ...it, reason: it.reason.slice(0, REASON_LIMIT) }));
  return outcome === 'removed'
    ? confirmRemoval(trx, from, { loadBalancerId, generation })
    : confirmPlacement(trx, from, { loadBalancerId, generation, refused: outcome === 'refused', refusals });
}

/** Has a worker look at the load balancer. */
export function hintLoadBalancer(bus: Bus, id: string): Promise<void> {
  return bus.publish(HINTS_TOPIC, { method: 'load_balancer', args: { id }, loadBalancerId: id });
}

/** Has a worker look at the engine. */
export function hintEngine(bus: Bus, id: string): Promise<void> {
  return bus.publish(HINTS_TOPIC, { method: 'engine', args: { id } });
}
