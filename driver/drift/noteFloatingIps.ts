import { isDeepStrictEqual } from 'node:util';
import type { Db } from '../db/connect';
import { noteSeenFloatingIp, type SeenFloatingIp } from '../db/wiredFleet';
import { isEmptied, ownersOfVipPorts, wantedLinks } from './compareFloatingIps';
import type { Audited } from './drift';

/**
 * Notes where floating IPs lead: of one that Neutron has emptied nothing else tells whose it was.
 * What is noted stays as long as the row of its load balancer: an older database may bring it back.
 */
export async function noteFloatingIps(db: Db, audited: Audited): Promise<void> {
  const { fleet, inventory } = audited;
  const owners = ownersOfVipPorts(fleet);
  for (const { id, portIds, fixedAddress } of inventory.floatingIps) {
    const vipPort = portIds.find((it) => owners.has(it));
    const lb = vipPort === undefined ? undefined : owners.get(vipPort);
    const known = fleet.seenFloatingIps.get(id);
    if (lb && vipPort !== undefined && lb.isQuiet) {
      const address = fixedAddress ?? known?.address ?? null;
      const ports = { [vipPort]: null, ...Object.fromEntries(wantedLinks(lb, address)) };
      const seen: SeenFloatingIp = { id, loadBalancerId: lb.id, address, ports };
      if (!isDeepStrictEqual(known, seen)) await noteSeenFloatingIp(db, id, seen);
    }
    // A user has it lead elsewhere now, or nowhere.
    const isLost = known !== undefined && isEmptied(known, { portIds }, audited);
    if (!lb && known && !isLost && fleet.loadBalancers.has(known.loadBalancerId))
      await noteSeenFloatingIp(db, id, null);
  }
}
