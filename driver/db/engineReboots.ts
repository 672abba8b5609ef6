import type { RebootStep } from '../domain/reboot';
import { fromBit, fromDbTime, toBit, toNumber } from './codecs';
import { type Db, dbNow, nowSql, prepared } from './connect';
import type { Bit, EngineRebootRow, EngineStatus, Time } from './rows';

/** Engines that are being rebooted. Times are milliseconds by the database's clock. */

export interface Reboot {
  readonly engineId: string;
  readonly engineName: string;
  readonly groupId: string;
  readonly step: RebootStep;
  /** What it serves moves off it; false: it is handed over, and stays. */
  readonly moves: boolean;
  readonly isAsked: boolean;
  readonly since: number;
  readonly beganAt: number;
  readonly now: number;
  readonly requestId: string | null;
  /** Of its engine. */
  readonly deleting: boolean;
  readonly computeId: string | null;
  readonly isConnected: boolean;
  readonly hasCalled: boolean;
}

export interface NewReboot {
  readonly engineId: string;
  readonly moves: boolean;
  /** It is to take load balancers again afterwards. */
  readonly enables: boolean;
  readonly requestId: string;
}

export async function insertReboot(trx: Db, { engineId, moves, enables, requestId }: NewReboot): Promise<void> {
  await trx('engine_reboot').insert({
    ...{ service_engine_id: engineId, step: 'draining', moves: toBit(moves), enables: toBit(enables) },
    ...{ connection_epoch: null, asked_at: null, request_id: requestId },
    ...{ since: dbNow(trx), began_at: dbNow(trx) },
  });
}

/** How far the reboot of the engine is; undefined: it is not being rebooted. */
export async function findRebootStep(db: Db, engineId: string): Promise<RebootStep | undefined> {
  const row: Pick<EngineRebootRow, 'step'> | undefined = await db('engine_reboot')
    .where({ service_engine_id: engineId })
    .first('step');
  return row?.step;
}

interface Row extends EngineRebootRow {
  name: string;
  service_engine_group_id: string;
  deleting: Bit;
  compute_id: string | null;
  connected_to: string | null;
  epoch_now: number;
  db_now: Time;
}

export async function listReboots(db: Db): Promise<readonly Reboot[]> {
  const rows = await prepared<Row>(
    db,
    `select r.*, e.name, e.service_engine_group_id, e.deleting, e.compute_id, e.connected_to,
      e.connection_epoch as epoch_now, ${nowSql(db)} as db_now
      from engine_reboot r join service_engine e on e.id = r.service_engine_id order by r.began_at, r.service_engine_id`,
  );
  return rows.map((row) => ({
    engineId: row.service_engine_id,
    engineName: row.name,
    groupId: row.service_engine_group_id,
    step: row.step,
    moves: fromBit(row.moves),
    isAsked: row.asked_at !== null,
    since: fromDbTime(row.since).getTime(),
    beganAt: fromDbTime(row.began_at).getTime(),
    now: fromDbTime(row.db_now).getTime(),
    requestId: row.request_id,
    deleting: fromBit(row.deleting),
    computeId: row.compute_id,
    isConnected: row.connected_to !== null,
    hasCalled: row.connection_epoch !== null && toNumber(row.epoch_now) > toNumber(row.connection_epoch),
  }));
}

/**
 * Whether nothing depends on the engine any more. Of one that everything moves off: nothing is placed on it. Of pairs:
 * of each the other one says that it is the master, or the engine has never been it.
 */
export async function isLeft(db: Db, { engineId, moves }: Pick<Reboot, 'engineId' | 'moves'>): Promise<boolean> {
  const here = db('placement as p').where({ 'p.service_engine_id': engineId });
  if (moves) return (await here.first('p.id')) === undefined;
  const held = await here
    .where({ 'p.deleting': 0 })
    .where((it) =>
      it
        .where('p.role', 'primary')
        .orWhereNotExists(
          db('placement as o')
            .whereRaw('o.load_balancer_id = p.load_balancer_id and o.service_engine_id <> p.service_engine_id')
            .where({ 'o.deleting': 0, 'o.stale': 0, 'o.claimed_master': 1 })
            .select('o.id'),
        ),
    )
    .first('p.id');
  return held === undefined;
}

/** Goes on to a step. False: somebody else has gone on meanwhile. */
export async function startRebootStep(
  db: Db,
  { engineId, step }: Pick<Reboot, 'engineId' | 'step'>,
  next: RebootStep,
): Promise<boolean> {
  if (step === next) return true;
  // What the engine calls with from now on counts; of a second try, what it has called with since the first.
  const epoch = `coalesce(connection_epoch, (select e.connection_epoch from service_engine e where e.id = service_engine_id))`;
  const moved = await db('engine_reboot')
    .where({ service_engine_id: engineId, step })
    .update({ step: next, since: dbNow(db), asked_at: null, connection_epoch: db.raw(epoch) });
  return moved === 1;
}

/** The compute service has been asked. */
export async function noteRebootAsked(db: Db, engineId: string): Promise<void> {
  await db('engine_reboot')
    .where({ service_engine_id: engineId })
    .update({ asked_at: dbNow(db) });
}

/** Ends the reboot. Gives whether the engine is to take load balancers again; undefined: somebody else has ended it. */
export async function endReboot(trx: Db, engineId: string): Promise<boolean | undefined> {
  const row: Pick<EngineRebootRow, 'enables'> | undefined = await trx('engine_reboot')
    .where({ service_engine_id: engineId })
    .first('enables');
  const ended = await trx('engine_reboot').where({ service_engine_id: engineId }).delete();
  return row && ended === 1 ? fromBit(row.enables) : undefined;
}

/** What is on the engine, as far as a reboot minds. */
export interface Guests {
  readonly pairs: number;
  readonly others: number;
}

export async function countGuests(db: Db, engineId: string): Promise<Guests> {
  const rows: { is_pair: number | string; n: number | string }[] = await db('placement as p')
    .join('load_balancer as lb', 'lb.id', 'p.load_balancer_id')
    .where({ 'p.service_engine_id': engineId, 'p.deleting': 0 })
    .groupByRaw('case when lb.master_term is null then 0 else 1 end')
    .select(db.raw('case when lb.master_term is null then 0 else 1 end as is_pair'), db.raw('count(*) as n'));
  const count = (isPair: boolean): number => Number(rows.find((it) => (Number(it.is_pair) === 1) === isPair)?.n ?? 0);
  return { pairs: count(true), others: count(false) };
}

/** Statuses of engines that can be rebooted: those that have come up once, and are to stay. */
export const REBOOTABLE: readonly EngineStatus[] = ['READY', 'DRAINING', 'DOWN'];
