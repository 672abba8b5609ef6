import type { ContrailParts } from './contrailTarget';

/** The health check of the ports of a group. */
export function healthCheckName({ ownerTag }: Pick<ContrailParts, 'ownerTag'>, groupId: string): string {
  return `${ownerTag}-${groupId}`;
}

/** The service of BGP with that id. */
export function bgpServiceName({ ownerTag }: Pick<ContrailParts, 'ownerTag'>, id: string): string {
  return `${ownerTag}-bgp-${id}`;
}
