import { HINTS_TOPIC } from '../../../driver/bus/port';
import { type PlacementRequest, removeSpareEngine, requestOfPlacement } from '../../../driver/db/placementRequests';
import type { AmphoraRead } from '../../../driver/db/read/amphorae';
import { ImmutableError, NotFoundError } from '../../../driver/domain/errors';
import { claimForChild } from '../../changes/busy';
import { NO_ANSWER, runChange } from '../../changes/change';
import type { Caller, CommandDeps } from '../../changes/deps';

/** Octavia's casts for what can be asked of one amphora. */
const CASTS: Readonly<Record<PlacementRequest, string>> = {
  failover: 'failover_amphora',
  configure: 'update_amphora_agent_config',
  delete: 'delete_amphora',
};

/**
 * Writes the request into the placement; a worker meets it. Failover takes the load balancer for itself, the others
 * leave it as it is.
 * @throws ServiceError; a spare engine can be asked nothing
 */
export async function requestOfAmphora(
  deps: CommandDeps,
  caller: Caller,
  { amphora, request }: { amphora: AmphoraRead; request: PlacementRequest },
): Promise<void> {
  const { id, load_balancer_id: loadBalancerId } = amphora;
  if (loadBalancerId === null) throw new ImmutableError('amphora', id);
  const work = async (trx: CommandDeps['db'], at: Date) => {
    if (request === 'failover') {
      await claimForChild(trx, { loadBalancerId, intent: 'failover', deadline: deps.settings.pendingDeadline, at });
    }
    const asked = { request, requestId: caller.requestId };
    if (!(await requestOfPlacement(trx, id, asked, at))) throw new NotFoundError('Amphora', id);
    return { id, cast: { method: CASTS[request], args: { amphora_id: id } } };
  };
  await runChange(deps, caller, { change: { loadBalancerId, work }, answer: NO_ANSWER });
}

/** Only what is in ERROR may be deleted. @throws ImmutableError, NotFoundError */
export async function deleteAmphora(deps: CommandDeps, caller: Caller, amphora: AmphoraRead): Promise<void> {
  if (amphora.status !== 'ERROR') throw new ImmutableError('amphora', amphora.id);
  if (amphora.load_balancer_id !== null) return requestOfAmphora(deps, caller, { amphora, request: 'delete' });
  if (!(await removeSpareEngine(deps.db, amphora.engine_id, deps.clock()))) {
    throw new ImmutableError('amphora', amphora.id);
  }
  // Lost, it is found by the sweep.
  await deps.bus.publish(HINTS_TOPIC, { method: 'engine', args: { id: amphora.engine_id } }).catch((error: unknown) => {
    deps.log.warn({ err: error, engine: amphora.engine_id }, 'the sweep will find this engine');
  });
}
