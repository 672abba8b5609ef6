import { inTransaction } from '../../../driver/db/connect';
import { type Limits, resetLimits, setLimits } from '../../../driver/db/quotaLimits';
import { BadRequestError, NotFoundError, ValidationError } from '../../../driver/domain/errors';
import type { CommandDeps } from '../../changes/deps';
import type { Schemas } from '../../openapi/schemas';

/** Longest id of a project. */
const MAX_ID = 36;

/** Gives a project limits of its own; null takes one back to the default. @throws ServiceError */
export async function updateQuota(
  { db }: Pick<CommandDeps, 'db'>,
  { projectId, body }: { projectId: string; body: Schemas['QuotaUpdate'] },
): Promise<void> {
  if (projectId.length > MAX_ID) throw new BadRequestError(`${projectId} is not a valid option for project_id`);
  const limits = limitsOf(body);
  if (Object.keys(limits).length === 0) throw new ValidationError('No quotas object supplied.');
  await inTransaction(db, (trx) => setLimits(trx, projectId, limits));
}

/** Of the two names of a kind the short one counts if it says anything. */
function limitsOf(body: Schemas['QuotaUpdate']): Limits {
  const { loadbalancer, load_balancer, healthmonitor, health_monitor, ...others } = body;
  const given = {
    load_balancer: loadbalancer ?? load_balancer ?? (loadbalancer === null ? null : load_balancer),
    health_monitor: healthmonitor ?? health_monitor ?? (healthmonitor === null ? null : health_monitor),
    ...others,
  };
  return Object.fromEntries(Object.entries(given).filter(([, limit]) => limit !== undefined)) as Limits;
}

/** Takes a project back to the defaults; its row stays, for its usage. @throws NotFoundError */
export async function deleteQuota({ db }: Pick<CommandDeps, 'db'>, projectId: string): Promise<void> {
  if (!(await resetLimits(db, projectId))) throw new NotFoundError('Quotas', projectId);
}
