import type { SurveyedFloatingIp } from '../../domain/survey';
import { contentOf, type TraceFacts } from '../facts';
import type { Fault } from '../fault';
import {
  floatingIpsOf,
  isDead,
  isDown,
  isOffNetwork,
  listed,
  membersSeen,
  networkIn,
  subject,
  VNC,
  vipSides,
} from '../lookup';

/** Floating IPs in front of VIPs. */

const OBJECT = `${VNC}, floating-ip`;

function labelOf({ address, id }: SurveyedFloatingIp): string {
  return `floating IP ${address ?? id}`;
}

const gone: Fault = {
  name: 'floating-ip-gone',
  find: (facts) => {
    const { floatingIpId } = facts.tree;
    if (floatingIpId === null || contentOf(facts.survey) === undefined) return [];
    if (floatingIpsOf(facts).some(({ id }) => id === floatingIpId)) return [];
    return [
      {
        subject: subject.floatingIp(floatingIpId),
        what: `the floating IP that was allocated for the load balancer, ${floatingIpId}, is not there`,
        read: OBJECT,
        cause: 'somebody has deleted it',
        cure: 'an audit allocates one again; its address may be another',
      },
    ];
  },
};

const notExternal: Fault = {
  name: 'floating-network-not-external',
  find: (facts) =>
    floatingIpsOf(facts).flatMap((floatingIp) => {
      const network = networkIn(facts, floatingIp.networkId);
      if (!network || network.external) return [];
      return [
        {
          subject: subject.floatingIp(floatingIp.id),
          what: `${labelOf(floatingIp)} is of network ${network.name}, which is not external`,
          read: `${VNC}, virtual-network router_external`,
          cause: 'somebody has changed the network: it can give no floating IPs, and tenants cannot see it',
          cure: `openstack network set --external ${network.id}`,
        },
      ];
    }),
};

/** A tenant's change, or a deleted port, empties the whole list for everybody. */
const refsLost: Fault = {
  name: 'floating-ip-refs',
  find: (facts) => {
    if (isOffNetwork(facts.tree)) return [];
    return floatingIpsOf(facts).flatMap((floatingIp) => {
      const missing = vipSides(facts).filter(({ portId, port }) => port && !floatingIp.portIds.includes(portId));
      if (missing.length === 0) return [];
      const all = missing.length === vipSides(facts).length;
      return [
        {
          subject: subject.floatingIp(floatingIp.id),
          what: `${labelOf(floatingIp)} does not lead to ${all ? 'any engine' : listed(missing.map(({ engine }) => `engine ${engine.name}`))}`,
          read: `${OBJECT} virtual_machine_interface_refs`,
          cause: 'a Neutron update of the floating IP, or the deletion of a port that had it, emptied its links',
          cure: 'an audit links it to the engines again',
        },
      ];
    });
  },
};

const fixedLost: Fault = {
  name: 'floating-ip-fixed-address',
  find: (facts) =>
    floatingIpsOf(facts).flatMap((floatingIp) => {
      const { fixedAddress } = floatingIp;
      const vips = [facts.tree.vip, ...facts.tree.additionalVips].flatMap(({ ipAddress }) => ipAddress ?? []);
      if (fixedAddress !== null && vips.includes(fixedAddress)) return [];
      return [
        {
          subject: subject.floatingIp(floatingIp.id),
          what: `${labelOf(floatingIp)} is translated to ${fixedAddress ?? "each engine's own address"} and not to the VIP`,
          read: `${OBJECT} fixed_ip_address`,
          cause: 'a Neutron update of the floating IP cleared or changed its fixed address',
          cure: 'an audit sets it to the VIP again',
        },
      ];
    }),
};

/** Nothing ever takes the floating IP from a VIP that nobody answers on, unless the flavor says so. */
const deadVip: Fault = {
  name: 'floating-ip-dead-vip',
  find: (facts) => {
    if (!isDead(facts) || isOffNetwork(facts.tree)) return [];
    const down = membersSeen(facts).filter(isDown);
    return floatingIpsOf(facts)
      .filter(({ portIds }) => portIds.length > 0)
      .map((floatingIp) => ({
        subject: subject.floatingIp(floatingIp.id),
        what: `${labelOf(floatingIp)} attracts traffic for a VIP all of whose members are down: ${listed(down.map(({ member }) => `${member.address}:${member.protocolPort}`))}`,
        read: `${OBJECT}; engines, by their agents`,
        cause: `the members do not pass their checks (${checksOf(facts)}), and the floating IP stays where it is meanwhile`,
        cure: 'mend the members; a flavor with withdraw_vip_on_down takes VIP and floating IP off the network',
      }));
  },
};

export function checksOf(facts: TraceFacts): string {
  const checks = membersSeen(facts).flatMap(({ seen }) => seen.flatMap(({ check }) => check ?? []));
  return [...new Set(checks)].join(', ') || 'no check has ended';
}

export const FLOATING_IP_FAULTS: readonly Fault[] = [gone, notExternal, refsLost, fixedLost];
export const DEAD_VIP_FAULTS: readonly Fault[] = [deadVip];
