import { markPendingDelete } from '../../../driver/db/changes';
import type { Db } from '../../../driver/db/connect';
import {
  findListener,
  findStoredListener,
  insertListeners,
  listListenersOnPort,
  type NewListener,
  updateListener as writeListener,
} from '../../../driver/db/listeners';
import { listSecurityGroupIds, listVipAddresses } from '../../../driver/db/loadBalancers';
import { findPool } from '../../../driver/db/pools';
import { listenerDict } from '../../../driver/db/providerDicts';
import { checkQuota } from '../../../driver/db/quotas';
import type { ListenerRow } from '../../../driver/db/rows';
import { insertTags, replaceTags, tagRows } from '../../../driver/db/tags';
import { BadRequestError, ConflictError, InvalidOptionError, NotFoundError } from '../../../driver/domain/errors';
import { transportOf } from '../../../driver/domain/protocols';
import type { Given, ListenerCreate, ListenerUpdate } from '../../changes/bodies';
import { claimForChild, refuseDeleting } from '../../changes/busy';
import { updatesOf } from '../../changes/casts';
import { checkCertificates, referencesOfListener } from '../../changes/certificates';
import { NO_ANSWER, runChange } from '../../changes/change';
import type { Answer, Caller, CommandDeps } from '../../changes/deps';
import { found, foundParent } from '../../changes/found';
import { checkCarried } from '../../changes/provider';
import { readTags } from '../../changes/tags';
import { applyListenerChange, buildListener, changeListener } from './build';
import { checkAllowedCidrs, checkListenerCreate, checkListenerUpdate, checkPoolProtocol } from './rules';

/** @throws ServiceError */
export async function createListener<T>(
  deps: CommandDeps,
  caller: Caller,
  { body }: { body: ListenerCreate },
  answer: Answer<T>,
): Promise<T> {
  const { settings } = deps;
  refuseNestedObjects(body);
  const tags = readTags(body.tags);
  const loadBalancerId = body.loadbalancer_id;
  if (!loadBalancerId) throw new InvalidOptionError('None', 'loadbalancer_id');
  await lookAtCertificates(deps, caller, { body, check: () => checkListenerCreate(body, settings) });

  const work = async (trx: Db, at: Date) => {
    const projectId = await foundParent(trx, loadBalancerId);
    const quota = { projectId, add: { listener: 1 } };
    await checkQuota(trx, quota, settings.defaultQuotas);
    await checkDefaultPool(trx, { loadBalancerId, protocol: body.protocol, poolId: body.default_pool_id });
    checkListenerCreate(body, settings);
    await claimForChild(trx, { loadBalancerId, intent: 'update', deadline: settings.pendingDeadline, at });
    const parents = { id: deps.newId(), projectId, loadBalancerId, defaultPoolId: body.default_pool_id ?? null };
    const listener = buildListener(body, parents, settings);
    await checkBesideOthers(trx, listener);
    checkCarried([body.protocol], settings);
    await insertListeners(trx, [listener], at);
    await insertTags(trx, tagRows(parents.id, tags));
    return { id: parents.id, quota, cast: { method: 'create_listener', args: { listener: listenerDict(listener) } } };
  };
  return runChange(deps, caller, { change: { loadBalancerId, work }, answer });
}

/** What is wrong with the body itself is said first; the key manager is asked only by those who refer to it. */
async function lookAtCertificates(
  deps: CommandDeps,
  caller: Caller,
  { body, stored, check }: { body: ListenerCreate | ListenerUpdate; stored?: ListenerRow; check: () => void },
): Promise<void> {
  const references = referencesOfListener(body, stored);
  if (references.certificates.length === 0 && references.ca === null) return;
  check();
  await checkCertificates(deps, caller, [references]);
}

/** Only a load balancer's own POST builds trees; Octavia's types accept these fields here and then fail. */
function refuseNestedObjects(body: ListenerCreate): void {
  for (const field of ['default_pool', 'l7policies'] as const) {
    const value = body[field];
    if (value && !(Array.isArray(value) && value.length === 0)) {
      throw new BadRequestError(`${field} can only be given when a load balancer is created with its whole tree.`);
    }
  }
}

/** @throws ServiceError where the load balancer's other objects do not admit the listener */
async function checkBesideOthers(db: Db, { row, cidrs }: NewListener): Promise<void> {
  const { load_balancer_id: loadBalancerId, protocol, protocol_port: port } = row;
  const others = await listListenersOnPort(db, loadBalancerId, port);
  const taken = others.find((other) => transportOf(other.protocol) === transportOf(protocol));
  if (taken) throw portTaken(taken);
  await checkCidrs(db, loadBalancerId, cidrs);
}

/** The text names the listener that is there already. */
export function portTaken({ protocol, protocol_port: port }: Pick<ListenerRow, 'protocol' | 'protocol_port'>) {
  return new ConflictError(
    `Another Listener on this Load Balancer is already using protocol ${protocol} and protocol_port ${port}`,
  );
}

interface DefaultPoolUse {
  readonly loadBalancerId: string;
  /** The listener's; null has been or will be refused elsewhere. */
  readonly protocol: string | null;
  readonly poolId: Given<string>;
}

async function checkDefaultPool(db: Db, { loadBalancerId, protocol, poolId }: DefaultPoolUse): Promise<void> {
  if (!poolId) return;
  const pool = await findPool(db, poolId);
  if (!pool || pool.deleting || pool.load_balancer_id !== loadBalancerId) throw new NotFoundError('Pool', poolId);
  checkPoolProtocol(protocol ?? '', pool.protocol);
}

async function checkCidrs(db: Db, loadBalancerId: string, cidrs: readonly string[]): Promise<void> {
  if (cidrs.length === 0) return;
  const vips = await listVipAddresses(db, loadBalancerId);
  const groups = await listSecurityGroupIds(db, loadBalancerId);
  checkAllowedCidrs(cidrs, { vips, hasSecurityGroups: groups.length > 0 });
}

/** @throws ServiceError */
export async function updateListener<T>(
  deps: CommandDeps,
  caller: Caller,
  { id, body }: { id: string; body: ListenerUpdate },
  answer: Answer<T>,
): Promise<T> {
  const { settings } = deps;
  const tags = body.tags === undefined ? undefined : readTags(body.tags);
  const before = found(await findListener(deps.db, id), 'Listener', id);
  const { load_balancer_id: loadBalancerId } = before;
  const check = () => checkListenerUpdate(body, before, settings);
  await lookAtCertificates(deps, caller, { body, stored: before, check });

  const work = async (trx: Db, at: Date) => {
    await claimForChild(trx, { loadBalancerId, intent: 'update', deadline: settings.pendingDeadline, at });
    const stored = found(await findStoredListener(trx, id), 'Listener', id);
    refuseDeleting('Listener', stored.row);
    checkListenerUpdate(body, stored.row, settings);
    const { protocol } = stored.row;
    await checkDefaultPool(trx, { loadBalancerId, protocol, poolId: body.default_pool_id });
    const change = changeListener(body, settings);
    await checkCidrs(trx, loadBalancerId, change.cidrs ?? []);
    await writeListener(trx, id, change, at);
    if (tags) await replaceTags(trx, id, tags);
    const after = listenerDict(applyListenerChange(stored, change));
    const args = {
      original_listener: listenerDict(stored),
      listener_updates: { listener_id: id, ...updatesOf(after, body) },
    };
    return { id, cast: { method: 'update_listener', args } };
  };
  return runChange(deps, caller, { change: { loadBalancerId, work }, answer });
}

/** @throws ServiceError */
export async function deleteListener(deps: CommandDeps, caller: Caller, { id }: { id: string }): Promise<void> {
  const { load_balancer_id: loadBalancerId } = found(await findListener(deps.db, id), 'Listener', id);
  const work = async (trx: Db, at: Date) => {
    const deadline = deps.settings.pendingDeadline;
    await claimForChild(trx, { loadBalancerId, intent: 'update', deadline, at });
    const stored = found(await findStoredListener(trx, id), 'Listener', id);
    await markPendingDelete(trx, 'listener', [id], at);
    return { id, cast: { method: 'delete_listener', args: { listener: listenerDict(stored) } } };
  };
  await runChange(deps, caller, { change: { loadBalancerId, work }, answer: NO_ANSWER });
}
