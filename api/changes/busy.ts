import { type Claim, claimLoadBalancer } from '../../driver/db/changes';
import type { Db } from '../../driver/db/connect';
import { ImmutableError, LoadBalancerStateError, NotFoundError, type ServiceError } from '../../driver/domain/errors';
import type { ProvisioningStatus } from '../../driver/domain/status';

/** Another change owns what this one needs. `runChange` waits if that may pass soon, else the client gets `answer`. */
export class BusyError extends Error {
  constructor(
    readonly answer: ServiceError,
    readonly worthWaiting: boolean,
  ) {
    super(answer.message);
  }
}

/** What is created or updated is soon mutable again; what is deleted never is. */
function passesSoon(status: ProvisioningStatus): boolean {
  return status === 'PENDING_CREATE' || status === 'PENDING_UPDATE';
}

/** ACTIVE is claimed by everybody, so when that was tried it was not there yet: the change before has settled since. */
function maySoonBeClaimed(met: ProvisioningStatus): boolean {
  return passesSoon(met) || met === 'ACTIVE';
}

/**
 * Claims the load balancer for its own PUT, DELETE or failover.
 * @throws BusyError, NotFoundError
 */
export async function claimOwn(db: Db, claim: Claim): Promise<void> {
  const outcome = await claimLoadBalancer(db, claim);
  if (outcome === 'claimed') return;
  const id = claim.loadBalancerId;
  if (outcome === 'absent' || outcome === 'DELETED') throw new NotFoundError('Load Balancer', id);
  throw new BusyError(new LoadBalancerStateError(outcome, id), maySoonBeClaimed(outcome));
}

/**
 * Claims the load balancer for a change of something below it.
 * @throws BusyError, NotFoundError
 */
export async function claimForChild(db: Db, claim: Claim): Promise<void> {
  const outcome = await claimLoadBalancer(db, claim);
  if (outcome === 'claimed') return;
  const id = claim.loadBalancerId;
  if (outcome === 'absent') throw new NotFoundError('Load Balancer', id);
  throw new BusyError(new ImmutableError('Load Balancer', id), maySoonBeClaimed(outcome));
}

/** A parent between the load balancer and the object: members and monitors test their pool first, rules their policy. */
export interface Parent {
  readonly id: string;
  readonly provisioning_status: ProvisioningStatus;
}

/** @throws BusyError unless the parent is ACTIVE */
export function requireMutable(resource: 'Pool' | 'L7Policy', parent: Parent): void {
  const { id, provisioning_status: status } = parent;
  if (status !== 'ACTIVE') throw new BusyError(new ImmutableError(resource, id), passesSoon(status));
}

/**
 * A delete that could not be done yet is carried on with until it is; it is not called off by an update.
 * @throws ImmutableError
 */
export function refuseDeleting(resource: string, object: { readonly id: string; readonly deleting: number }): void {
  if (object.deleting) throw new ImmutableError(resource, object.id);
}
