/** Octavia's two status fields and the rules about which may follow which. */

export const PROVISIONING_STATUSES = [
  'ACTIVE',
  'PENDING_CREATE',
  'PENDING_UPDATE',
  'PENDING_DELETE',
  'ERROR',
  'DELETED',
] as const;
/** Where a change stands, as users are shown it. What is still to be done never hides here: see `deleting`, `generation`. */
export type ProvisioningStatus = (typeof PROVISIONING_STATUSES)[number];

export const OPERATING_STATUSES = ['ONLINE', 'OFFLINE', 'DEGRADED', 'ERROR', 'DRAINING', 'NO_MONITOR'] as const;
/** What the data plane says of an object. */
export type OperatingStatus = (typeof OPERATING_STATUSES)[number];

export const PENDING_STATUSES = ['PENDING_CREATE', 'PENDING_UPDATE', 'PENDING_DELETE'] as const;
/** The statuses a claim sets. */
export type PendingStatus = (typeof PENDING_STATUSES)[number];

/**
 * From which provisioning statuses of the load balancer a change may claim it. A DELETE also works from a PENDING whose
 * deadline has passed; that is decided beside the clock, in the claim itself.
 */
export const CLAIMABLE_FROM: Readonly<Record<ClaimIntent, readonly ProvisioningStatus[]>> = {
  update: ['ACTIVE'],
  delete: ['ACTIVE', 'ERROR'],
  failover: ['ACTIVE', 'ERROR'],
};

/** Why a load balancer is claimed; decides from where, and which PENDING status it takes. */
export type ClaimIntent = 'update' | 'delete' | 'failover';

/** The PENDING status a claim with this intent sets. */
export const CLAIM_STATUS: Readonly<Record<ClaimIntent, PendingStatus>> = {
  update: 'PENDING_UPDATE',
  delete: 'PENDING_DELETE',
  failover: 'PENDING_UPDATE',
};

/** True for PENDING_CREATE, PENDING_UPDATE and PENDING_DELETE. */
export function isPending(status: ProvisioningStatus): status is PendingStatus {
  return (PENDING_STATUSES as readonly string[]).includes(status);
}
