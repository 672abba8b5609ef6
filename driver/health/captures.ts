import type { Logger } from 'pino';
import {
  beginCapturePart,
  type Due,
  endCapturePart,
  endCapturesOf,
  insertCaptureChunk,
  listDueCaptures,
} from '../db/captures';
import { fromBit } from '../db/codecs';
import { type Db, inTransaction } from '../db/connect';
import type { CaptureChunk, CaptureEnd } from '../protocol/messages';
import type { EngineLink } from './connections';

/** Captures of packets between the rows and the engines of this health-manager. */
export interface CaptureDesk {
  /** Tells engines what rows ask of them. */
  look(): Promise<void>;
  /** Writes what an engine sends, in the order it comes. */
  take(link: EngineLink, message: CaptureChunk | CaptureEnd): void;
  /** The engine's connection has ended. */
  left(link: EngineLink): void;
  /** Resolves when everything that came is written, or lost. */
  idle(): Promise<void>;
}

export interface CaptureDeskDeps {
  readonly db: Db;
  readonly log: Logger;
  /** Of this health-manager. */
  readonly id: string;
  readonly linkTo: (engineId: string) => EngineLink | undefined;
}

/** The first version of the protocol that knows of captures. */
const WITH_CAPTURES = 3;

export function createCaptureDesk(deps: CaptureDeskDeps): CaptureDesk {
  const { db, log, id, linkTo } = deps;
  const tails = new Map<string, Promise<void>>();
  /** One after another for each engine. */
  const enqueue = (engineId: string, work: () => Promise<void>): void => {
    const tail = (tails.get(engineId) ?? Promise.resolve())
      .then(work)
      .catch((err: unknown) => log.warn({ err, engine: engineId }, 'a part of a capture is lost'))
      .finally(() => {
        if (tails.get(engineId) === tail) tails.delete(engineId);
      });
    tails.set(engineId, tail);
  };
  return {
    async look() {
      for (const due of await listDueCaptures(db, id)) {
        const link = linkTo(due.engine_id);
        if (link) enqueue(due.engine_id, () => tell(db, link, due));
      }
    },
    take: (link, message) => enqueue(link.engineId, () => keep(db, link, message)),
    left: ({ engineId }) =>
      enqueue(engineId, () => endCapturesOf(db, engineId, 'the connection of the engine ended meanwhile')),
    idle: async () => {
      while (tails.size > 0) await Promise.all(tails.values());
    },
  };
}

async function tell(db: Db, link: EngineLink, due: Due): Promise<void> {
  const part = { captureId: due.id, engineId: due.engine_id };
  if (due.state !== 'asked') {
    link.send({ type: 'stopCapture', captureId: due.id });
    return;
  }
  if (!(await beginCapturePart(db, due.id, due.engine_id))) return;
  const problem = fromBit(due.stopping)
    ? 'it was stopped before it began'
    : link.version < WITH_CAPTURES
      ? 'the agent of the engine is too old to capture packets'
      : null;
  if (problem !== null) {
    await endCapturePart(db, part, { packets: 0, problem });
    return;
  }
  link.send({
    type: 'capture',
    captureId: due.id,
    loadBalancerId: due.load_balancer_id,
    filter: due.filter,
    duration: due.duration * 1000,
    packets: due.packets,
    size: due.size,
  });
}

async function keep(db: Db, link: EngineLink, message: CaptureChunk | CaptureEnd): Promise<void> {
  const { captureId } = message;
  const { engineId } = link;
  if (message.type === 'captureEnd') {
    await endCapturePart(db, { captureId, engineId }, message);
    return;
  }
  const { sequence, data } = message;
  const chunk = { capture_id: captureId, engine_id: engineId, sequence, data };
  const bytes = Buffer.byteLength(data, 'base64');
  const kept = await inTransaction(db, (trx) => insertCaptureChunk(trx, chunk, bytes));
  if (!kept) link.send({ type: 'stopCapture', captureId });
}
