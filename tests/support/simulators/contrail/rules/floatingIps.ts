import { allocate, release } from '../addresses';
import type { Database, Entity } from '../database';
import { textOf } from '../json';
import type { Rules } from './rules';

export const FLOATING_IP_RULES: Rules = {
  check({ db }, draft) {
    const network = networkOf(db, draft);
    if (network) {
      const { address } = allocate(db, network, {
        owner: draft.uuid,
        address: textOf(draft.properties.get('floating_ip_address')),
        subnetUuid: textOf(draft.properties.get('floating_ip_subnet_uuid')),
        // Whatever the family is said to be.
        family: 'v4',
        whenFull: 500,
      });
      draft.properties.set('floating_ip_address', address);
      const project = network.parent?.uuid;
      if (!draft.refs.has('project') && project) {
        draft.refs.set('project', new Map([[project, { attr: null, relaxed: false }]]));
      }
    }
  },
  leave({ db }, floatingIp) {
    release(
      db,
      networkOf(db, floatingIp),
      textOf(floatingIp.properties.get('floating_ip_address')) ?? '',
      floatingIp.uuid,
    );
  },
};

/** The network whose pool it is of; undefined for one that hangs below an instance IP. */
function networkOf(db: Database, { parent }: Entity): Entity | undefined {
  if (parent?.type !== 'floating-ip-pool') return undefined;
  return db.get(db.get(parent.uuid)?.parent?.uuid ?? '');
}
