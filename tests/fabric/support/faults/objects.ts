import { change, type FaultCase, first } from './case';

/** What users do to themselves. */
export const OBJECT_CASES: readonly FaultCase[] = [
  {
    fault: 'loadbalancer-disabled',
    title: 'the load balancer is switched off',
    on: 'paired',
    breaks: (scene) =>
      change(scene, `/v2/lbaas/loadbalancers/${scene.balanced.id}`, [
        'loadbalancer',
        { admin_state_up: false },
        { admin_state_up: true },
      ]),
  },
  {
    fault: 'listener-disabled',
    title: 'its only listener is switched off',
    on: 'announced',
    breaks: (scene) =>
      change(scene, `/v2/lbaas/listeners/${scene.listenerId}`, [
        'listener',
        { admin_state_up: false },
        { admin_state_up: true },
      ]),
  },
  {
    fault: 'no-pool',
    title: 'the listener loses its pool',
    on: 'paired',
    breaks: (scene) =>
      change(scene, `/v2/lbaas/listeners/${scene.listenerId}`, [
        'listener',
        { default_pool_id: null },
        { default_pool_id: scene.poolId },
      ]),
  },
  {
    fault: 'members-disabled',
    title: 'all members are switched off',
    on: 'announced',
    async breaks(scene) {
      const path = (id: string) => `/v2/lbaas/pools/${scene.poolId}/members/${id}`;
      const mends: (() => Promise<unknown>)[] = [];
      for (const { id } of scene.members) {
        mends.push(await change(scene, path(id), ['member', { admin_state_up: false }, { admin_state_up: true }]));
      }
      return async () => {
        for (const mend of mends) await mend();
      };
    },
  },
  {
    fault: 'members-down-vip-attracting',
    title: 'all members are down, and the VIP is announced on',
    on: 'announced',
    shown: 'All members are down',
    async breaks({ stage }) {
      for (const member of stage.members) member.stop();
      return async () => {
        for (const member of stage.members) member.start();
      };
    },
  },
  {
    fault: 'floating-ip-dead-vip',
    title: 'all members are down, and the floating IP stays',
    on: 'paired',
    async breaks({ stage }) {
      for (const member of stage.members) member.stop();
      return async () => {
        for (const member of stage.members) member.start();
      };
    },
  },
  {
    fault: 'member-down',
    title: 'one of two members is down',
    on: 'paired',
    async breaks({ stage }) {
      const member = first(stage.members);
      member.stop();
      return async () => member.start();
    },
  },
];
