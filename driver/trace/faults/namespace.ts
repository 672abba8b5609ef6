import ipaddr from 'ipaddr.js';
import type { Fault } from '../fault';
import { listed, membersSeen, subject, tellers } from '../lookup';

/** What is wrong on an engine itself: its namespace, interfaces, routes and daemons. */

const namespaceGone: Fault = {
  name: 'namespace-gone',
  find: (facts) =>
    tellers(facts)
      .filter(({ facts: { namespace } }) => namespace !== null && !namespace.exists)
      .map(({ engine, at, facts: { namespace } }) => ({
        subject: subject.inspection(engine.id),
        what: `the namespace ${namespace?.name ?? ''} of the VIP's network is not on engine ${engine.name}`,
        read: at,
        cause: 'somebody has deleted it there; what runs in it lives on without a name',
        cure: 'the agent makes it again within seconds',
      })),
};

/** A vNIC that Nova has attached, or should have, and that the engine has not. */
const vnicMissing: Fault = {
  name: 'vnic-missing',
  find: (facts) =>
    tellers(facts)
      .filter(({ facts: { namespace } }) => namespace?.exists === true)
      .flatMap(({ engine, at, facts: { interfaces } }) =>
        facts.vnics
          .filter(({ engineId, deleting }) => engineId === engine.id && !deleting)
          .filter(({ macAddress }) => !interfaces.some((it) => it.macAddress === macAddress))
          .map((vnic) => ({
            subject: subject.inspection(engine.id),
            what: `engine ${engine.name} has no interface in network ${vnic.networkId} (MAC ${vnic.macAddress ?? 'not known'})`,
            read: at,
            cause:
              'the port is not attached to its server, or was taken away: after a change of pools its vNICs were not adjusted',
            cure: `openstack server add port ${engine.computeId ?? '<server>'} ${vnic.portId ?? '<port>'}; an audit does so`,
          })),
      ),
};

const interfaceDown: Fault = {
  name: 'interface-down',
  find: (facts) =>
    tellers(facts).flatMap(({ engine, at, facts: { interfaces } }) =>
      interfaces
        .filter(({ vnicId, up }) => vnicId !== null && !up)
        .map(({ name }) => ({
          subject: subject.inspection(engine.id),
          what: `interface ${name} of engine ${engine.name} is down`,
          read: at,
          cause: 'somebody has set it down, or its other end on the host is gone',
          cure: 'the agent sets it up within seconds; else look at the tap on the host',
        })),
    ),
};

const addressMissing: Fault = {
  name: 'vip-address-missing',
  find: (facts) =>
    tellers(facts)
      .filter(
        ({ facts: { namespace, missingAddresses } }) => namespace?.exists !== false && missingAddresses.length > 0,
      )
      .map(({ engine, at, facts: { missingAddresses } }) => ({
        subject: subject.inspection(engine.id),
        what: `engine ${engine.name} does not have the VIP ${listed(missingAddresses)} on any interface`,
        read: at,
        cause: 'somebody has removed it there: what comes for it is not taken in',
        cure: 'the agent puts it back within seconds',
      })),
};

const defaultRouteMissing: Fault = {
  name: 'default-route-missing',
  find: (facts) =>
    tellers(facts).flatMap(({ engine, at, facts: { missingRoutes } }) =>
      missingRoutes
        .filter(({ destination }) => isDefault(destination))
        .map(({ destination, nextHop }) => ({
          subject: subject.inspection(engine.id),
          what: `engine ${engine.name} lacks the default route ${destination} by ${nextHop ?? 'the link'} in its namespace`,
          read: at,
          cause: 'somebody has removed it there: answers to clients of other networks have no way',
          cure: 'the agent puts it back; restart slipstream-agent if it does not',
        })),
    ),
};

const routeMissing: Fault = {
  name: 'route-missing',
  find: (facts) =>
    tellers(facts).flatMap(({ engine, at, facts: { missingRoutes } }) =>
      missingRoutes
        .filter(({ destination }) => !isDefault(destination))
        .map(({ destination, nextHop }) => ({
          subject: subject.inspection(engine.id),
          what: `engine ${engine.name} lacks the route to ${destination} by ${nextHop ?? 'the link'} in its namespace`,
          read: at,
          cause: 'somebody has removed it there',
          cure: 'the agent puts it back; restart slipstream-agent if it does not',
        })),
    ),
};

function isDefault(destination: string): boolean {
  return destination === '0.0.0.0/0' || destination === '::/0';
}

/** A route nobody asked for that covers a member or the VIP's clients more specifically than what was. */
const strayRoute: Fault = {
  name: 'stray-route',
  find: (facts) => {
    const members = membersSeen(facts).map(({ member }) => member.address);
    return tellers(facts).flatMap(({ engine, at, facts: { routes } }) =>
      routes
        .filter(
          ({ wanted, destination }) => !wanted && !destination.startsWith('fe80') && !destination.startsWith('ff00'),
        )
        .map(({ destination, nextHop, device }) => {
          const led = members.filter((it) => covers(destination, it));
          return {
            subject: subject.inspection(engine.id),
            what: `engine ${engine.name} has a route nobody asked for: ${destination} by ${nextHop ?? device ?? 'nothing'}${led.length > 0 ? `, which leads member ${listed(led)} astray` : ''}`,
            read: at,
            cause:
              'somebody has added a static route in the namespace, which overlaps with the way to members or clients',
            cure: `ip -n <namespace> route del ${destination}`,
          };
        }),
    );
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

const gatewaySilent: Fault = {
  name: 'gateway-silent',
  find: (facts) =>
    tellers(facts).flatMap(({ engine, at, facts: { routes, neighbours } }) => {
      const gateways = new Set(routes.flatMap(({ nextHop }) => nextHop ?? []));
      return neighbours
        .filter(({ address, state }) => gateways.has(address) && /FAILED|INCOMPLETE/.test(state))
        .map(({ address, device }) => ({
          subject: subject.inspection(engine.id),
          what: `the gateway ${address} does not answer engine ${engine.name} on ${device} (ARP failed)`,
          read: at,
          cause:
            'the vRouter of its host does not forward on that interface: the agent there is down, or the port is not active',
          cure: `look at the vRouter of host ${engine.host ?? ''}: vif --get, /Snh_ItfReq`,
        }));
    }),
};

const mtu: Fault = {
  name: 'mtu-mismatch',
  find: (facts) =>
    tellers(facts).flatMap(({ engine, at, facts: { interfaces } }) =>
      interfaces
        .filter(({ wantedMtu, mtu: found }) => wantedMtu !== null && wantedMtu !== found)
        .map(({ name, mtu: found, wantedMtu }) => ({
          subject: subject.inspection(engine.id),
          what: `interface ${name} of engine ${engine.name} has an MTU of ${found}, its network ${wantedMtu}`,
          read: at,
          cause: 'somebody has changed it on one side: small answers pass, large ones hang',
          cure: 'set both alike; the agent takes the network’s',
        })),
    ),
};

const reversePath: Fault = {
  name: 'reverse-path-filter',
  find: (facts) =>
    tellers(facts).flatMap(({ engine, at, facts: { interfaces } }) =>
      interfaces
        .filter(({ reversePathCheck, vnicId }) => reversePathCheck && vnicId !== null)
        .map(({ name }) => ({
          subject: subject.inspection(engine.id),
          what: `engine ${engine.name} drops packets on ${name} whose source it would not reach by that interface (rp_filter)`,
          read: at,
          cause: 'somebody has switched strict reverse path filtering on: clients in member networks get no answer',
          cure: 'sysctl -w net.ipv4.conf.all.rp_filter=0 in the namespace; the agent sets it at its start',
        })),
    ),
};

const daemonDead: Fault = {
  name: 'haproxy-dead',
  find: (facts) =>
    tellers(facts).flatMap(({ engine, at, facts: { daemons } }) =>
      daemons
        .filter(({ running }) => !running)
        .map(({ name, detail }) => ({
          subject: subject.inspection(engine.id),
          what: `${name} does not run on engine ${engine.name}: ${detail ?? ''}`,
          read: at,
          cause: 'it was killed or has crashed',
          cure: 'the agent starts it again at once; if it does not stay, see the events of the engine',
        })),
    ),
};

const daemonHung: Fault = {
  name: 'haproxy-hung',
  find: (facts) =>
    tellers(facts).flatMap(({ engine, at, facts: { daemons } }) =>
      daemons
        .filter(({ running, answers }) => running && !answers)
        .map(({ name, detail }) => ({
          subject: subject.inspection(engine.id),
          what: `${name} runs on engine ${engine.name} and does not answer on its socket: ${detail ?? ''}`,
          read: at,
          cause: 'it hangs or was stopped: its port takes connections that nobody serves',
          cure: 'kill it: the agent starts it again',
        })),
    ),
};

const certificates: Fault = {
  name: 'certificate',
  find: (facts) =>
    tellers(facts).flatMap(({ engine, at, facts: { certificates: lacking } }) =>
      lacking.map(({ name, reason }) => ({
        subject: subject.inspection(engine.id),
        what: `engine ${engine.name} has no good certificate for ${name}: ${reason}`,
        read: at,
        cause: 'the key manager does not have it, does not give it, or it has expired',
        cure: 'give the listener another container, or mend what the reason says',
      })),
    ),
};

export const NAMESPACE_FAULTS: readonly Fault[] = [
  ...[namespaceGone, vnicMissing, interfaceDown, addressMissing, defaultRouteMissing, strayRoute, routeMissing],
  ...[gatewaySilent, reversePath, daemonDead, daemonHung, certificates],
];
/** With it small answers pass. */
export const LATE_NAMESPACE_FAULTS: readonly Fault[] = [mtu];
