/**
 * What the VIP port of a load balancer says in its description when it is made: which installation's it is. Its name, device id
 * and owner are Octavia's, and Octavia may work beside us in the same cloud: they alone do not make a port ours.
 * @param ownerTag `[service_engine] owner_tag`
 */
export function vipPortMark(ownerTag: string, loadBalancerId: string): string {
  return `${ownerTag} load balancer ${loadBalancerId}`;
}

/** The event of a user's port that is about to be taken: such a port bears no mark of ours, since all of it is the user's. */
export const VIP_PORT_TAKEN = 'VIP_PORT_TAKEN';
