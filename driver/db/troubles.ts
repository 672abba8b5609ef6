import type { Happening } from '../domain/settlement';
import { fromDbTime, fromJson, toJson } from './codecs';
import { type Db, DuplicateKeyError, dbNow, inTransaction, nowSql } from './connect';
import { type EventContext, recordEvents } from './events';
import type { TroubleRow } from './rows';

/**
 * Troubles that last: operators are told once when one begins, by whichever process finds it first, and once when it is
 * over.
 */

/** What a trouble is about, kept for the event of its end. */
export interface About {
  readonly what: string;
  readonly resourceType?: string;
  readonly resourceId?: string;
  readonly context: EventContext;
}

/** That the sessions of BGP as a Service come to an end. */
export const BGP_POOL = 'bgp-pool';
/** That engines and control nodes are of one AS. */
export const BGP_AS = 'bgp-as';

export interface Trouble {
  /** What makes it the same trouble; at most 255 characters. */
  readonly cause: string;
  readonly about: About;
  /** Seconds since it was told. */
  readonly age: number;
}

/** Tells of a trouble unless it has been told already. True: it was news. */
export async function openTrouble(
  db: Db,
  { cause, about }: Pick<Trouble, 'cause' | 'about'>,
  told: Happening,
): Promise<boolean> {
  if (await db('trouble').where({ cause }).first('cause')) return false;
  try {
    await inTransaction(db, async (trx) => {
      await trx('trouble').insert({ cause, about: toJson(about), opened_at: dbNow(trx) });
      await recordEvents(trx, [told], about.context);
    });
    return true;
  } catch (error) {
    if (error instanceof DuplicateKeyError) return false;
    throw error;
  }
}

/** Tells that a trouble is over, if it was told. Undefined: it was not, or another process was first. */
export async function closeTrouble(
  db: Db,
  cause: string,
  tell: (trouble: Trouble) => Happening | undefined,
): Promise<Trouble | undefined> {
  return inTransaction(db, async (trx) => {
    const [trouble] = await select(trx, (query) => query.where({ cause }));
    if (!trouble || (await trx('trouble').where({ cause }).delete()) === 0) return undefined;
    const told = tell(trouble);
    if (told) await recordEvents(trx, [told], trouble.about.context);
    return trouble;
  });
}

/** Those whose causes begin with the prefix. */
export async function listTroubles(db: Db, prefix: string): Promise<readonly Trouble[]> {
  return select(db, (query) => query.where('cause', 'like', `${prefix}%`));
}

type Selection = ReturnType<typeof selection>;

function selection(db: Db) {
  return db<TroubleRow>('trouble').select('*', db.raw(`${nowSql(db)} as db_now`));
}

async function select(db: Db, narrow: (query: Selection) => Selection): Promise<Trouble[]> {
  const rows = (await narrow(selection(db))) as (TroubleRow & { db_now: string })[];
  return rows.map(({ cause, about, opened_at, db_now }) => ({
    ...{ cause, about: fromJson<About>(about) },
    age: (fromDbTime(db_now).getTime() - fromDbTime(opened_at).getTime()) / 1_000,
  }));
}
