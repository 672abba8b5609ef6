import type { Fault } from '../fault';
import { listed, subject, usedPools } from '../lookup';

/** What the user's own objects say: with these nothing can be answered, and nothing else need be looked at. */

const DATABASE = 'database';

const loadBalancerDisabled: Fault = {
  name: 'loadbalancer-disabled',
  find: ({ tree }) =>
    tree.enabled
      ? []
      : [
          {
            subject: subject.loadBalancer,
            what: 'the load balancer is administratively down (admin_state_up false)',
            read: DATABASE,
            cause: 'somebody has switched it off; engines open none of its ports',
            cure: `openstack loadbalancer set --enable ${tree.id}`,
          },
        ],
};

const noListener: Fault = {
  name: 'no-listener',
  find: ({ tree }) =>
    tree.listeners.some(({ deleting }) => !deleting)
      ? []
      : [
          {
            subject: subject.loadBalancer,
            what: 'the load balancer has no listener: no port of its VIP is open',
            read: DATABASE,
            cause: 'it was made without one, or the last one was deleted',
            cure: 'create a listener',
          },
        ],
};

const listenersDisabled: Fault = {
  name: 'listener-disabled',
  find: ({ tree }) => {
    const listeners = tree.listeners.filter(({ deleting }) => !deleting);
    if (listeners.length === 0 || listeners.some(({ enabled }) => enabled)) return [];
    return listeners.map(({ id, name, protocolPort }) => ({
      subject: subject.listener(id),
      what: `listener ${name || id} (port ${protocolPort}) is administratively down, as are all others`,
      read: DATABASE,
      cause: 'somebody has switched it off',
      cure: `openstack loadbalancer listener set --enable ${id}`,
    }));
  },
};

const noPool: Fault = {
  name: 'no-pool',
  find: ({ tree }) => {
    const idle = tree.listeners.filter(
      ({ enabled, deleting, defaultPoolId, policies, protocol }) =>
        enabled && !deleting && defaultPoolId === null && policies.length === 0 && protocol !== 'PROMETHEUS',
    );
    if (idle.length === 0 || usedPools(tree).length > 0) return [];
    return idle.map(({ id, name }) => ({
      subject: subject.listener(id),
      what: `listener ${name || id} has no default pool and no policies: it answers with an error`,
      read: DATABASE,
      cause: 'no pool was given to it, or its pool was deleted',
      cure: `openstack loadbalancer listener set --default-pool <pool> ${id}`,
    }));
  },
};

const noMembers: Fault = {
  name: 'no-members',
  find: ({ tree }) => {
    const pools = usedPools(tree);
    const hasAny = pools.some(({ members }) => members.some(({ deleting }) => !deleting));
    if (pools.length === 0 || hasAny) return [];
    return pools.map(({ id, name }) => ({
      subject: subject.pool(id),
      what: `pool ${name || id} has no members: there is nobody to answer`,
      read: DATABASE,
      cause: 'none was added, or all were removed',
      cure: `openstack loadbalancer member create --address <address> --protocol-port <port> ${id}`,
    }));
  },
};

const membersDisabled: Fault = {
  name: 'members-disabled',
  find: ({ tree }) => {
    const pools = usedPools(tree).filter(({ members }) => members.some(({ deleting }) => !deleting));
    const isOff = pools.every(
      ({ enabled, members }) =>
        !enabled || members.every(({ enabled: on, deleting, weight }) => !on || deleting || weight === 0),
    );
    if (pools.length === 0 || !isOff) return [];
    return pools.map(({ id, name, enabled, members }) => ({
      subject: subject.pool(id),
      what: enabled
        ? `all members of pool ${name || id} are administratively down or have weight 0: ${listed(members.map((it) => it.name || it.address))}`
        : `pool ${name || id} is administratively down`,
      read: DATABASE,
      cause: 'somebody has switched them off',
      cure: enabled
        ? `openstack loadbalancer member set --enable ${id} <member>`
        : `openstack loadbalancer pool set --enable ${id}`,
    }));
  },
};

export const WANTED_FAULTS: readonly Fault[] = [
  ...[loadBalancerDisabled, noListener, listenersDisabled, noPool, noMembers, membersDisabled],
];
