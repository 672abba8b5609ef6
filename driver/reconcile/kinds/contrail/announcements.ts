import { forgetWiring, recordWiring } from '../../../db/wiring';
import { type ContrailClouds, type ContrailTarget, servedBy } from '../../contrailTarget';
import type { Kind } from '../../kind';

/** That an engine announces a VIP by its session. */
export interface Announcement {
  readonly loadBalancerId: string;
  readonly engineId: string;
  readonly portId: string;
  readonly address: string;
}

/** Nothing is told to the cloud VIP by VIP where engines announce them: this is for whoever looks where a VIP is. */
export const announcements: Kind<Announcement, ContrailTarget, ContrailClouds> = {
  name: 'announcement',
  key: ({ engineId, address }) => `${engineId} ${address}`,
  desired: (target) =>
    target.mode !== 'bgp'
      ? []
      : servedBy(target).map(({ port: { engineId, portId }, vip: { address } }) => ({
          ...{ loadBalancerId: target.tree.id, engineId, portId, address },
        })),
  observed: async ({ tree, recorded }) =>
    recorded.flatMap(({ engineId, portId, address, mode }) =>
      mode === 'bgp' ? [{ loadBalancerId: tree.id, engineId, portId: portId ?? '', address }] : [],
    ),
  same: (want, have) => want.portId === have.portId,
  put: (want, { db }) => recordWiring(db, { ...want, mode: 'bgp' }),
  remove: (item, { db }) => forgetWiring(db, { ...item, mode: 'bgp' }),
};
