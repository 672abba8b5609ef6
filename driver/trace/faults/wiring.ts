import ipaddr from 'ipaddr.js';
import type { SurveyedPort, SurveyedRule } from '../../domain/survey';
import { contentOf, type TraceFacts } from '../facts';
import type { Fault } from '../fault';
import {
  hostPrefix,
  isOffNetwork,
  networkIn,
  portLabel,
  subject,
  type VipSide,
  VNC,
  vipSides,
  vipsOf,
} from '../lookup';

/** Ports of engines and VIPs, and the pairs on them. */

const PAIRS = `${VNC}, virtual-machine-interface allowed_address_pairs`;

function vipPortIds({ vip, additionalVips }: TraceFacts['tree']): string[] {
  return [vip, ...additionalVips].flatMap(({ portId }) => portId ?? []);
}

const vipPortGone: Fault = {
  name: 'vip-port-gone',
  find: ({ tree, ports }) => {
    const found = contentOf(ports);
    if (!found) return [];
    return [...new Set(vipPortIds(tree))]
      .filter((id) => !found.some((port) => port.id === id))
      .map((id) => ({
        subject: subject.vipPort(id),
        what: `the port that holds the VIP's address, ${id}, is not there`,
        read: ports.at,
        cause: 'somebody has deleted it: the address is free for others to take',
        cure: 'an audit makes it again with the same address; if that is taken, the load balancer needs another VIP',
      }));
  },
};

const vipPortMoved: Fault = {
  name: 'vip-port-address',
  find: ({ tree, ports }) =>
    [tree.vip, ...tree.additionalVips].flatMap(({ portId, ipAddress }) => {
      const port = contentOf(ports)?.find(({ id }) => id === portId);
      if (!port || ipAddress === null || port.fixedIps.some((it) => it.ipAddress === ipAddress)) return [];
      return [
        {
          subject: subject.vipPort(port.id),
          what: `the VIP's port has ${port.fixedIps.map((it) => it.ipAddress).join(', ') || 'no address'} and not ${ipAddress}`,
          read: ports.at,
          cause: 'somebody has changed its fixed_ips',
          cure: `openstack port set --fixed-ip ip-address=${ipAddress} ${port.id}`,
        },
      ];
    }),
};

const enginePortGone: Fault = {
  name: 'engine-port-gone',
  find: (facts) => {
    const found = contentOf(facts.ports);
    if (!found) return [];
    return vipSides(facts)
      .filter(({ portId }) => !found.some(({ id }) => id === portId))
      .map((side) => ({
        subject: subject.port(side.portId),
        what: `${portLabel(side)} is not there`,
        read: facts.ports.at,
        cause: 'somebody has deleted it',
        cure: `the engine is given another one within an audit; else slipstream engine delete ${side.engine.name}`,
      }));
  },
};

const portDown: Fault = {
  name: 'port-disabled',
  find: (facts) =>
    vipSides(facts).flatMap((side) => {
      const port = contentOf(facts.ports)?.find(({ id }) => id === side.portId);
      if (port?.adminStateUp !== false) return [];
      return [
        {
          subject: subject.port(side.portId),
          what: `${portLabel(side)} is administratively down`,
          read: facts.ports.at,
          cause: 'somebody has switched it off: the vRouter forwards nothing on it',
          cure: `openstack port set --enable ${side.portId}`,
        },
      ];
    }),
};

const portUnbound: Fault = {
  name: 'port-unbound',
  find: (facts) =>
    vipSides(facts)
      .filter(({ port }) => port !== undefined && port.host === null)
      .map((side) => ({
        subject: subject.port(side.portId),
        what: `${portLabel(side)} is bound to no host: no vRouter has it`,
        read: `${VNC}, virtual-machine-interface bindings host_id`,
        cause: 'it was detached from its server, or its binding was cleared',
        cure: 'attach it again: the engine does so within an audit',
      })),
};

const portNoAddress: Fault = {
  name: 'port-without-address',
  find: (facts) =>
    vipSides(facts)
      .filter(({ port }) => port !== undefined && port.addresses.length === 0)
      .map((side) => ({
        subject: subject.port(side.portId),
        what: `${portLabel(side)} has no address of its own`,
        read: `${VNC}, instance-ips of the port`,
        cause: 'its instance-ip was deleted: it has neither a route nor a health check nor a session',
        cure: `openstack port set --fixed-ip subnet=<subnet> ${side.portId}`,
      })),
};

interface Wished {
  readonly side: VipSide;
  readonly port: SurveyedPort;
  readonly prefix: string;
}

/** The pairs that are to be: none by BGP, none in another network, and none while the VIP is off the network. */
function wishedPairs(facts: TraceFacts): readonly Wished[] {
  const { tree } = facts;
  if (tree.vipMode !== 'aap' || isOffNetwork(tree)) return [];
  return vipSides(facts).flatMap((side) =>
    vipsOf(tree)
      .filter(({ networkId }) => networkId === side.vnic.networkId)
      .flatMap(({ address }) => (side.port ? [{ side, port: side.port, prefix: hostPrefix(address) }] : [])),
  );
}

const pairMissing: Fault = {
  name: 'pair-missing',
  find: (facts) =>
    wishedPairs(facts)
      .filter(({ port, prefix }) => !port.pairs.some((pair) => isSame(pair.prefix, prefix)))
      .map(({ side, prefix }) => ({
        subject: subject.port(side.portId),
        what: `${portLabel(side)} has no address pair ${prefix}`,
        read: PAIRS,
        cause: 'somebody has removed it: the vRouter leads nothing for the VIP there, and drops what comes from it',
        cure: 'an audit puts it back ([house_keeping] audit_interval)',
      })),
};

const pairStandby: Fault = {
  name: 'pair-standby',
  find: (facts) => {
    if (facts.group?.haMode === 'active_standby') return [];
    return wishedPairs(facts)
      .filter(({ port, prefix }) =>
        port.pairs.some((pair) => isSame(pair.prefix, prefix) && pair.mode === 'active-standby'),
      )
      .map(({ side, prefix }) => ({
        subject: subject.port(side.portId),
        what: `the address pair ${prefix} of ${portLabel(side)} is active-standby: only the engine that was seen last gets traffic`,
        read: `${PAIRS} address_mode`,
        cause: 'a Neutron update of the port with allowed_address_pairs takes all of them back to active-standby',
        cure: 'an audit makes it active-active again; whoever writes these pairs by Neutron should stop',
      }));
  },
};

function isSame(one: string, other: string): boolean {
  if (one === other) return true;
  const [a = '', b = ''] = [one.split('/')[0], other.split('/')[0]];
  return ipaddr.isValid(a) && ipaddr.isValid(b) && normal(a) === normal(b) && one.split('/')[1] === other.split('/')[1];
}

function normal(address: string): string {
  return ipaddr.parse(address).toNormalizedString();
}

const duplicateVip: Fault = {
  name: 'duplicate-vip',
  find: (facts) => {
    const own = new Set([...vipPortIds(facts.tree), ...facts.vnics.flatMap(({ portId }) => portId ?? [])]);
    const claims = (contentOf(facts.survey)?.claims ?? []).filter(
      ({ portId, by }) => !own.has(portId) && by !== 'route',
    );
    return claims.map(({ address, portId, portName, by }) => ({
      subject: subject.vipPort(facts.tree.vip.portId ?? ''),
      what: `port ${portName} (${portId}) claims the VIP ${address} as well, by ${by === 'pair' ? 'an address pair' : 'an instance-ip'}`,
      read: `${VNC}, ${by === 'pair' ? 'virtual-machine-interfaces' : 'instance-ips'} of the VIP's network`,
      cause: 'somebody else has the address: part of the traffic goes there',
      cure: `take the address from port ${portId}`,
    }));
  },
};

/** More specific routes of a vRouter win over nothing; equal ones are shared. Both lead traffic of the VIP astray. */
const staticRoute: Fault = {
  name: 'overlapping-static-route',
  find: (facts) => {
    const { tree } = facts;
    const own = new Set(facts.vnics.flatMap(({ portId }) => portId ?? []));
    const claims = (contentOf(facts.survey)?.claims ?? [])
      .filter(({ portId, by }) => by === 'route' && !own.has(portId))
      .map(({ address, portId, portName, prefix }) => ({
        subject: subject.network(tree.vip.networkId ?? ''),
        what: `a static route for ${prefix}, which covers the VIP ${address}, leads to port ${portName} (${portId})`,
        read: `${VNC}, interface-route-tables in the VIP's network`,
        cause: 'somebody routes the VIP, or its whole subnet, elsewhere',
        cure: `take the route table from port ${portId}, or the prefix from it`,
      }));
    const hosts = vipsOf(tree).flatMap(({ address, networkId }) => {
      const network = networkIn(facts, networkId);
      const routes = network?.subnets.flatMap(({ hostRoutes }) => hostRoutes) ?? [];
      const members = tree.pools.flatMap((pool) => pool.members.map((member) => member.address));
      return routes.flatMap(({ prefix, nextHop }) =>
        [address, ...members]
          .filter((it) => prefix !== '0.0.0.0/0' && prefix !== '::/0' && covers(prefix, it))
          .slice(0, 1)
          .map((it) => ({
            subject: subject.network(networkId ?? ''),
            what: `a host route of network ${network?.name} leads ${prefix}, which covers ${it}, to ${nextHop}`,
            read: `${VNC}, virtual-network network_ipam_refs host_routes`,
            cause: 'it overlaps with the VIP or with members, whose traffic leaves by another way than it comes',
            cure: `openstack subnet unset --host-route destination=${prefix},gateway=${nextHop} <subnet>`,
          })),
      );
    });
    return [...claims, ...hosts];
  },
};

function covers(prefix: string, address: string): boolean {
  try {
    const [network, bits] = ipaddr.parseCIDR(prefix);
    const one = ipaddr.parse(address);
    return one.kind() === network.kind() && one.match(network, bits);
  } catch {
    return false;
  }
}

const healthCheckUnlinked: Fault = {
  name: 'health-check-unlinked',
  find: (facts) =>
    !facts.wanted.healthCheck
      ? []
      : vipSides(facts)
          .filter(({ port }) => port !== undefined && port.healthChecks.length === 0)
          .map((side) => ({
            subject: subject.port(side.portId),
            what: `${portLabel(side)} has no service health check`,
            read: `${VNC}, virtual-machine-interface service_health_check_refs`,
            cause: 'somebody has unlinked or deleted it: a dead engine keeps its routes, and traffic',
            cure: 'an audit links it again',
          })),
};

const healthCheckDisabled: Fault = {
  name: 'health-check-disabled',
  find: (facts) =>
    vipSides(facts).flatMap((side) =>
      (side.port?.healthChecks ?? [])
        .filter(({ enabled }) => !enabled)
        .map(({ name }) => ({
          subject: subject.port(side.portId),
          what: `the service health check ${name} of ${portLabel(side)} is disabled`,
          read: `${VNC}, service-health-check properties`,
          cause: 'somebody has switched it off: a dead engine keeps its routes, and traffic',
          cure: 'enable it; an audit does',
        })),
    ),
};

/** What clients send passes the engine's port first: its groups have to let the listeners' ports in. */
const securityGroup: Fault = {
  name: 'security-group',
  find: (facts) => {
    const groups = contentOf(facts.survey)?.securityGroups ?? [];
    const listeners = facts.tree.listeners.filter(({ enabled, deleting }) => enabled && !deleting);
    return vipSides(facts).flatMap((side) => {
      if (!side.port || side.port.portSecurity === false) return [];
      const own = groups.filter(({ id }) => side.port?.securityGroupIds.includes(id));
      const rules = own.flatMap((it) => it.rules);
      const shut = listeners.filter(
        ({ protocol, protocolPort }) => !rules.some((rule) => lets(rule, protocol, protocolPort)),
      );
      return shut.slice(0, 1).map(({ protocol, protocolPort }) => ({
        subject: subject.port(side.portId),
        what: `the security groups of ${portLabel(side)} (${own.map(({ name }) => name).join(', ') || 'none'}) do not let port ${protocolPort} of ${protocol} in`,
        read: `${VNC}, security-group entries`,
        cause: 'the port was given another group, or a rule was removed from it',
        cure: 'an audit gives the port its group again; or openstack port set --security-group',
      }));
    });
  },
};

function lets({ ingress, protocol, portMin, portMax, sources }: SurveyedRule, listener: string, port: number): boolean {
  const wanted = listener === 'UDP' ? 'udp' : listener === 'SCTP' ? 'sctp' : 'tcp';
  return (
    ingress &&
    (protocol === 'any' || protocol === wanted || protocol === { tcp: '6', udp: '17', sctp: '132' }[wanted]) &&
    (portMin <= port || portMin === -1) &&
    (portMax >= port || portMax === -1) &&
    sources.length > 0
  );
}

const policyDisabled: Fault = {
  name: 'policy-disabled',
  find: (facts) =>
    vipSides(facts)
      .filter(({ port }) => port?.policyDisabled === true)
      .map((side) => ({
        subject: subject.port(side.portId),
        what: `${portLabel(side)} has policy disabled: the vRouter keeps no flows for it, so neither floating IPs nor ECMP work`,
        read: `${VNC}, virtual-machine-interface disable_policy`,
        cause: 'somebody has set virtual_machine_interface_disable_policy',
        cure: 'set it back to false',
      })),
};

export const WIRING_FAULTS: readonly Fault[] = [
  ...[vipPortGone, vipPortMoved, enginePortGone, portDown, portUnbound, portNoAddress, duplicateVip, staticRoute],
  ...[pairMissing, pairStandby, securityGroup, policyDisabled],
];
/** With these a VIP works until an engine dies. */
export const LATE_WIRING_FAULTS: readonly Fault[] = [healthCheckUnlinked, healthCheckDisabled];
