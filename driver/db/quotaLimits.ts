import { type Db, DuplicateKeyError } from './connect';
import { emptyQuota } from './quotas';
import { QUOTA_KINDS, type QuotaKind, type QuotaRow } from './rows';

/** The limits of a project; the usage beside them in the row is `quotas.ts`'s business. */
export type Limits = Readonly<Partial<Record<QuotaKind, number | null>>>;

/** Sets limits, null back to the default; the row comes into being if need be. */
export async function setLimits(db: Db, projectId: string, limits: Limits): Promise<void> {
  if (await updateLimits(db, projectId, limits)) return;
  try {
    await db('quotas').insert({ ...emptyQuota(projectId), ...limits });
  } catch (error) {
    // The project's first create came between.
    if (!(error instanceof DuplicateKeyError)) throw error;
    await updateLimits(db, projectId, limits);
  }
}

/** Takes every limit of a project back to the default. @returns false when the project has no row */
export async function resetLimits(db: Db, projectId: string): Promise<boolean> {
  return updateLimits(db, projectId, Object.fromEntries(QUOTA_KINDS.map((kind) => [kind, null])));
}

async function updateLimits(db: Db, projectId: string, limits: Limits): Promise<boolean> {
  const row = db<QuotaRow>('quotas').where({ project_id: projectId });
  return (await row.update(limits)) === 1;
}
