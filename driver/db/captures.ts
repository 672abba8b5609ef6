import { type Db, dbNow, nowPlus } from './connect';
import type { CaptureChunkRow, CapturePartRow, CaptureRow } from './rows';

/**
 * Captures of packets: the API writes what is asked, health-managers what engines answer. Rows and not messages, for they
 * are different processes, and either may be started again meanwhile. Times are the database's.
 */

/** What an operator asks for. */
export interface NewCapture {
  readonly id: string;
  readonly loadBalancerId: string;
  readonly projectId: string;
  readonly filter: string;
  /** Seconds. */
  readonly duration: number;
  /** Of each engine. */
  readonly packets: number;
  /** Bytes, of each engine. */
  readonly size: number;
  readonly userId: string | null;
  readonly requestId: string;
  readonly engines: readonly { readonly id: string; readonly name: string }[];
}

/** Seconds an engine has, beyond a capture's own time, to be told of it and to answer. */
const GRACE = 30;
/** Seconds a capture is kept. */
const KEPT = 3_600;

export async function insertCapture(trx: Db, it: NewCapture): Promise<void> {
  await trx('capture').insert({
    id: it.id,
    load_balancer_id: it.loadBalancerId,
    project_id: it.projectId,
    filter: it.filter,
    duration: it.duration,
    packets: it.packets,
    size: it.size,
    stopping: 0,
    user_id: it.userId,
    request_id: it.requestId,
    created_at: dbNow(trx),
    ends_at: nowPlus(trx, it.duration + GRACE),
    expires_at: nowPlus(trx, it.duration + KEPT),
  });
  const part = { state: 'asked', packets: 0, bytes: 0, problem: null };
  await trx('capture_part').insert(
    it.engines.map(({ id, name }) => ({ capture_id: it.id, engine_id: id, engine_name: name, ...part })),
  );
}

/** The engines that may be asked: those that live and are told of the load balancer. */
export function listCaptureEngines(db: Db, loadBalancerId: string): Promise<{ id: string; name: string }[]> {
  return db('placement as p')
    .join('service_engine as e', 'e.id', 'p.service_engine_id')
    .where({ 'p.load_balancer_id': loadBalancerId, 'p.deleting': 0 })
    .whereNotNull('e.connected_to')
    .orderBy('e.name')
    .select('e.id', 'e.name');
}

/** Captures that engines may be at work on, and those whose data is kept; of one project and of all. */
export async function countCaptures(db: Db, projectId: string): Promise<CaptureCounts> {
  const rows: { project_id: string; running: number }[] = await db('capture as c').select(
    'c.project_id',
    db.raw(
      `(case when c.ends_at > ? and exists (select 1 from capture_part p where p.capture_id = c.id and p.state <> 'done')
        then 1 else 0 end) as running`,
      [dbNow(db)],
    ),
  );
  const running = rows.filter((row) => Number(row.running) === 1);
  return {
    kept: rows.length,
    running: running.length,
    runningOfProject: running.filter(({ project_id }) => project_id === projectId).length,
  };
}

export interface CaptureCounts {
  readonly kept: number;
  readonly running: number;
  readonly runningOfProject: number;
}

/** A capture with its engines; `overdue`: whoever has not told by now will not. */
export type CaptureRead = CaptureRow & { readonly overdue: number; readonly parts: readonly CapturePartRow[] };

/** By id, or of a load balancer, the latest first. */
export async function listCaptures(db: Db, by: { id: string } | { load_balancer_id: string }): Promise<CaptureRead[]> {
  const rows: (CaptureRow & { overdue: number })[] = await db('capture')
    .where(by)
    .orderBy('created_at', 'desc')
    .select('*', db.raw('(case when ends_at <= ? then 1 else 0 end) as overdue', [dbNow(db)]));
  const parts: CapturePartRow[] = await db('capture_part')
    .whereIn(
      'capture_id',
      rows.map(({ id }) => id),
    )
    .orderBy('engine_name')
    .select('*');
  return rows.map((row) => ({ ...row, parts: parts.filter(({ capture_id }) => capture_id === row.id) }));
}

/** An engine's file, as far as it has come. */
export async function readCaptureFile(db: Db, captureId: string, engineId: string): Promise<Buffer> {
  const rows: Pick<CaptureChunkRow, 'data'>[] = await db('capture_chunk')
    .where({ capture_id: captureId, engine_id: engineId })
    .orderBy('sequence')
    .select('data');
  return Buffer.concat(rows.map(({ data }) => Buffer.from(data, 'base64')));
}

/** Wants it ended. */
export async function stopCapture(db: Db, id: string): Promise<void> {
  await db('capture').where({ id }).update({ stopping: 1 });
}

export async function deleteCapture(db: Db, id: string): Promise<void> {
  await db('capture').where({ id }).delete();
}

/** What an engine of a health-manager has still to be told of a capture. */
export type Due = Pick<
  CaptureRow,
  'id' | 'load_balancer_id' | 'filter' | 'duration' | 'packets' | 'size' | 'stopping'
> &
  Pick<CapturePartRow, 'engine_id' | 'state'>;

export function listDueCaptures(db: Db, connectedTo: string): Promise<Due[]> {
  return db('capture as c')
    .join('capture_part as p', 'p.capture_id', 'c.id')
    .join('service_engine as e', 'e.id', 'p.engine_id')
    .where('e.connected_to', connectedTo)
    .where('c.ends_at', '>', dbNow(db))
    .where((due) => due.where('p.state', 'asked').orWhere({ 'p.state': 'running', 'c.stopping': 1 }))
    .select(
      ...['c.id', 'c.load_balancer_id', 'c.filter', 'c.duration', 'c.packets', 'c.size', 'c.stopping'],
      ...['p.engine_id', 'p.state'],
    );
}

/** Takes an asked part for one that has been told. False when somebody else was faster. */
export async function beginCapturePart(db: Db, captureId: string, engineId: string): Promise<boolean> {
  const part = { capture_id: captureId, engine_id: engineId, state: 'asked' };
  return (await db('capture_part').where(part).update({ state: 'running' })) === 1;
}

/**
 * Keeps a piece of what an engine sends, if it was asked for it and keeps to the size. False if not: it is to stop.
 * @param bytes of the piece
 */
export async function insertCaptureChunk(trx: Db, chunk: CaptureChunkRow, bytes: number): Promise<boolean> {
  const { capture_id, engine_id } = chunk;
  const taken = await trx('capture_part')
    .where({ capture_id, engine_id, state: 'running' })
    .whereExists(
      trx('capture').whereRaw('capture.id = capture_part.capture_id and capture.size >= capture_part.bytes + ?', [
        bytes,
      ]),
    )
    .update({ bytes: trx.raw('bytes + ?', [bytes]) });
  if (taken !== 1) return false;
  await trx('capture_chunk').insert(chunk);
  return true;
}

/** An engine has ended its part, or was lost. */
export async function endCapturePart(
  db: Db,
  { captureId, engineId }: { captureId: string; engineId: string },
  { packets, problem }: { packets: number; problem: string | null },
): Promise<void> {
  await db('capture_part')
    .where({ capture_id: captureId, engine_id: engineId, state: 'running' })
    .update({ state: 'done', packets, problem });
}

/** The connection of an engine has ended, and with it what it was capturing. */
export async function endCapturesOf(db: Db, engineId: string, problem: string): Promise<void> {
  await db('capture_part').where({ engine_id: engineId, state: 'running' }).update({ state: 'done', problem });
}

/** Deletes captures, with their data, whose time is over. */
export async function purgeCaptures(db: Db): Promise<void> {
  await db('capture').where('expires_at', '<=', dbNow(db)).delete();
}
