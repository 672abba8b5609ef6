import { QuotaError } from '../domain/errors';
import { change, type Db, DuplicateKeyError, inTransaction, prepared } from './connect';
import { QUOTA_KINDS, type QuotaKind, type QuotaRow } from './rows';

/** Limits and usage of projects: `quotas` holds both, and usage changes by conditional UPDATE alone. */

export type Amounts = Readonly<Partial<Record<QuotaKind, number>>>;
/** What holds for a project that has no limit of its own; -1: none. */
export type DefaultQuotas = Readonly<Record<QuotaKind, number>>;

/** What a change takes of its project's quota. */
export interface QuotaDemand {
  readonly projectId: string;
  /** Rows that come into being. */
  readonly add: Amounts;
  /** Rows that the same change wants gone: they make room at once, and leave the usage when settle removes them. */
  readonly freed?: Amounts;
}

/** Octavia's names, as in the error's text; the order in which a create of several kinds is checked. */
const NAMES: Readonly<Record<QuotaKind, string>> = {
  load_balancer: 'Load Balancer',
  pool: 'Pool',
  listener: 'Listener',
  member: 'Member',
  health_monitor: 'Health Monitor',
  l7policy: 'L7 Policy',
  l7rule: 'L7 Rule',
};
const CHECK_ORDER = Object.keys(NAMES) as QuotaKind[];

/**
 * Looks before anything is done; what decides is `raiseQuota`.
 * @throws QuotaError
 */
export async function checkQuota(db: Db, demand: QuotaDemand, defaults: DefaultQuotas): Promise<void> {
  const row = await findQuota(db, demand.projectId);
  const over = firstOverLimit(row, demand, defaults);
  if (over) throw new QuotaError(NAMES[over]);
}

/**
 * Takes the amounts, as the last statement before commit: the row is every writer's of the project, so it is held for
 * as short as can be. The project's first create makes the row.
 * @throws QuotaError
 */
export async function raiseQuota(db: Db, demand: QuotaDemand, defaults: DefaultQuotas): Promise<void> {
  if (await raiseIfWithin(db, demand, defaults)) return;
  const row = await findQuota(db, demand.projectId);
  const over = firstOverLimit(row, demand, defaults);
  if (over) throw new QuotaError(NAMES[over]);
  if (!row && (await insertUsage(db, demand))) return;
  if (await raiseIfWithin(db, demand, defaults)) return;
  throw new QuotaError(NAMES[kindsOf(demand.add)[0] ?? 'load_balancer']);
}

/** Gives back what has been removed; usage never falls below zero. */
export async function lowerQuota(db: Db, projectId: string, amounts: Amounts): Promise<void> {
  const kinds = kindsOf(amounts);
  if (kinds.length === 0) return;
  const changes = kinds.map((kind) => {
    const column = `in_use_${kind}`;
    const amount = amounts[kind] ?? 0;
    return [column, db.raw('case when ?? > ? then ?? - ? else 0 end', [column, amount, column, amount])];
  });
  await db('quotas').where({ project_id: projectId }).update(Object.fromEntries(changes));
}

async function findQuota(db: Db, projectId: string): Promise<QuotaRow | undefined> {
  const [row] = await prepared<QuotaRow>(db, 'select * from quotas where project_id = ?', [projectId]);
  return row;
}

/** A row with no limits and nothing in use. */
export function emptyQuota(projectId: string): QuotaRow {
  const columns = QUOTA_KINDS.flatMap((kind) => [
    [kind, null],
    [`in_use_${kind}`, 0],
  ]);
  return { project_id: projectId, ...Object.fromEntries(columns) } as QuotaRow;
}

function kindsOf(amounts: Amounts): QuotaKind[] {
  return CHECK_ORDER.filter((kind) => (amounts[kind] ?? 0) > 0);
}

function firstOverLimit(
  row: QuotaRow | undefined,
  demand: QuotaDemand,
  defaults: DefaultQuotas,
): QuotaKind | undefined {
  return kindsOf(demand.add).find((kind) => {
    const limit = row?.[kind] ?? defaults[kind];
    const more = needed(demand, kind);
    return limit >= 0 && more > 0 && (row?.[`in_use_${kind}`] ?? 0) + more > limit;
  });
}

function needed({ add, freed = {} }: QuotaDemand, kind: QuotaKind): number {
  return (add[kind] ?? 0) - (freed[kind] ?? 0);
}

async function raiseIfWithin(db: Db, demand: QuotaDemand, defaults: DefaultQuotas): Promise<boolean> {
  const kinds = kindsOf(demand.add);
  if (kinds.length === 0) return true;
  const sets = kinds.map((kind) => `in_use_${kind} = in_use_${kind} + ?`);
  const limited = kinds.filter((kind) => needed(demand, kind) > 0);
  const within = limited.map((kind) => `(coalesce(${kind}, ?) < 0 or in_use_${kind} + ? <= coalesce(${kind}, ?))`);
  const sql = `update quotas set ${sets.join(', ')} where ${['project_id = ?', ...within].join(' and ')}`;
  const changed = await change(db, sql, [
    ...kinds.map((kind) => demand.add[kind] ?? 0),
    demand.projectId,
    ...limited.flatMap((kind) => [defaults[kind], needed(demand, kind), defaults[kind]]),
  ]);
  return changed === 1;
}

/** False if another create of the project was first. */
async function insertUsage(db: Db, { projectId, add }: QuotaDemand): Promise<boolean> {
  const row = emptyQuota(projectId);
  for (const kind of kindsOf(add)) row[`in_use_${kind}`] = add[kind] ?? 0;
  try {
    await db('quotas').insert(row);
    return true;
  } catch (error) {
    if (error instanceof DuplicateKeyError) return false;
    throw error;
  }
}

/**
 * Counts every project's rows anew: repairs what a bug or an operator's hand made wrong. One short transaction a
 * project. Returns the projects whose usage was wrong.
 */
export async function recountQuotas(db: Db): Promise<string[]> {
  const projects: string[] = await db('quotas').orderBy('project_id').pluck('project_id');
  const wrong: string[] = [];
  for (const projectId of projects) {
    if (await inTransaction(db, (trx) => recountProject(trx, projectId))) wrong.push(projectId);
  }
  return wrong;
}

/**
 * Counts one project's rows anew; true if its usage was wrong. The first statement takes the row's lock, so that the
 * counts see every create that has raised the usage.
 */
export async function recountProject(db: Db, projectId: string): Promise<boolean> {
  const quota = () => db<QuotaRow>('quotas').where({ project_id: projectId });
  await quota().update({ project_id: projectId });
  const before = await quota().first();
  const counts = QUOTA_KINDS.map((kind) => {
    const rows = db(kind).where({ project_id: projectId }).whereNot({ provisioning_status: 'DELETED' }).count('*');
    return [`in_use_${kind}`, rows];
  });
  await quota().update(Object.fromEntries(counts));
  const after = await quota().first();
  return QUOTA_KINDS.some((kind) => before?.[`in_use_${kind}`] !== after?.[`in_use_${kind}`]);
}
