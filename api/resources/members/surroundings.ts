import type { Db } from '../../../driver/db/connect';
import { findFlavor } from '../../../driver/db/flavors';
import { findLoadBalancer, listVipAddresses } from '../../../driver/db/loadBalancers';
import type { PoolRow } from '../../../driver/db/rows';
import { isDatagram } from '../../../driver/domain/protocols';
import type { MemberGraph } from '../../changes/bodies';
import type { MemberSurroundings } from './rules';

/** What `checkMemberFits` needs; what the members at hand do not make it look at is not read. */
export async function readSurroundings(
  db: Db,
  { load_balancer_id: loadBalancerId, protocol }: PoolRow,
  members: readonly MemberGraph[],
): Promise<MemberSurroundings> {
  const sriov = members.some(({ request_sriov }) => request_sriov);
  return {
    poolProtocol: protocol,
    vips: isDatagram(protocol) ? await listVipAddresses(db, loadBalancerId) : [],
    allowsSriov: !sriov || (await allowsSriovMembers(db, loadBalancerId)),
  };
}

async function allowsSriovMembers(db: Db, loadBalancerId: string): Promise<boolean> {
  const flavorId = (await findLoadBalancer(db, loadBalancerId))?.flavor_id;
  const flavor = flavorId ? await findFlavor(db, flavorId) : undefined;
  return flavor?.data['allow_member_sriov'] === true;
}
