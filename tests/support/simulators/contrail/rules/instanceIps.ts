import { allocate, release, subnetsOf } from '../addresses';
import type { Database, Entity } from '../database';
import { badRequest } from '../fault';
import { textOf } from '../json';
import { type Rules, targetsOf } from './rules';

export const INSTANCE_IP_RULES: Rules = {
  body(members) {
    if (!Array.isArray(members['virtual_network_refs'])) throw badRequest('can only join an iterable');
  },
  check({ db }, draft) {
    const network = db.get(targetsOf(draft, 'virtual-network')[0] ?? '');
    if (!network) throw badRequest('can only join an iterable');
    const asked = textOf(draft.properties.get('instance_ip_address'));
    refuseGateway(db, network, asked, targetsOf(draft, 'virtual-machine-interface'));
    const { address, subnetUuid } = allocate(db, network, {
      owner: draft.uuid,
      address: asked,
      subnetUuid: textOf(draft.properties.get('subnet_uuid')),
      family: textOf(draft.properties.get('instance_ip_family')),
      whenFull: 400,
    });
    draft.properties.set('instance_ip_address', address);
    draft.properties.set('subnet_uuid', subnetUuid);
  },
  change(_site, ip, { properties }) {
    const address = properties.get('instance_ip_address');
    if (address !== undefined && address !== ip.properties.get('instance_ip_address')) {
      throw badRequest('Instance IP Address can not be changed');
    }
  },
  links({ db }, ip, refType, uuids) {
    if (refType !== 'virtual-machine-interface') return;
    const network = db.get(targetsOf(ip, 'virtual-network')[0] ?? '');
    refuseGateway(db, network, textOf(ip.properties.get('instance_ip_address')), uuids);
  },
  leave({ db }, ip) {
    const network = db.get(targetsOf(ip, 'virtual-network')[0] ?? '');
    release(db, network, textOf(ip.properties.get('instance_ip_address')) ?? '', ip.uuid);
  },
};

function refuseGateway(
  db: Database,
  network: Entity | undefined,
  address: string | undefined,
  ports: readonly string[],
): void {
  if (!network || !subnetsOf(network).some(({ gateway }) => gateway === address)) return;
  const ofMachine = ports.some((uuid) => (db.get(uuid)?.refs.get('virtual-machine')?.size ?? 0) > 0);
  if (ofMachine) throw badRequest('Gateway IP cannot be used by VM port');
}
