import type { ControlRoute } from '../../domain/introspect';
import { contentOf, type TraceFacts } from '../facts';
import type { Fault } from '../fault';
import { floatingIpsOf, hostPrefix, isDead, isOffNetwork, portLabel, subject, vipSides, vipsOf } from '../lookup';

/** What control-nodes and vRouters really do. Where they are not asked there is nothing to find. */

/** Announced VIPs of dead load balancers are not to be there. */
function isExpected(facts: TraceFacts): boolean {
  return !isOffNetwork(facts.tree) && !(facts.tree.vipMode === 'bgp' && isDead(facts)) && vipSides(facts).length > 0;
}

/** Hosts that traffic is led to. */
function nextHopsOf({ paths }: ControlRoute): ReadonlySet<string> {
  return new Set(paths.filter(({ usable }) => usable).map(({ nextHop }) => nextHop));
}

const healthCheckFailing: Fault = {
  name: 'health-check-failing',
  find: (facts) =>
    facts.vRouters.flatMap(({ interfaces }) =>
      (contentOf(interfaces) ?? [])
        .filter(({ healthCheckActive }) => healthCheckActive === false)
        .flatMap(({ portId }) => {
          const side = vipSides(facts).find((it) => it.portId === portId);
          return side
            ? [
                {
                  subject: subject.vRouterInterface(portId),
                  what: `the vRouter takes ${portLabel(side)} for dead: its service health check fails`,
                  read: interfaces.at,
                  cause:
                    'the engine does not answer pings on that interface: it hangs, filters them, or has lost its address',
                  cure: `look at engine ${side.engine.name}`,
                },
              ]
            : [];
        }),
    ),
};

const interfaceInactive: Fault = {
  name: 'vrouter-interface-inactive',
  find: (facts) =>
    facts.vRouters.flatMap(({ host, interfaces }) => {
      const seen = contentOf(interfaces);
      if (!seen) return [];
      return vipSides(facts)
        .filter(({ engine, port }) => (port?.host ?? engine.host) === host)
        .filter(({ portId }) => !seen.some((it) => it.portId === portId && it.active))
        .map((side) => ({
          subject: subject.vRouterInterface(side.portId),
          what: `${portLabel(side)} is not active in the vRouter of ${host}`,
          read: interfaces.at,
          cause: 'its tap is not there, or the vRouter agent has not got its configuration',
          cure: `look at host ${host}: vif --list, and whether the server runs`,
        }));
    }),
};

const routeAbsent: Fault = {
  name: 'control-node-route-missing',
  find: (facts) => {
    if (!isExpected(facts)) return [];
    const prefixes = vipsOf(facts.tree).map(({ address }) => hostPrefix(address));
    const outer = floatingIpsOf(facts).flatMap(({ address }) => (address === null ? [] : [hostPrefix(address)]));
    return facts.controlNodes.flatMap(({ name, routes }) => {
      const seen = contentOf(routes);
      if (!seen) return [];
      return [...prefixes, ...outer]
        .filter((prefix) => !seen.some((it) => it.prefix === prefix && nextHopsOf(it).size > 0))
        .map((prefix) => ({
          subject: subject.controlRoute(name, prefix),
          what: `control-node ${name} has no route for ${prefix}`,
          read: routes.at,
          cause: 'no vRouter exports it, and no engine announces it there',
          cure: 'follow the lines above it: pairs, sessions, health checks',
        }));
    });
  },
};

/** Fewer next hops than engines: some get no traffic. Those on one host share one by BGP. */
const pathsFewer: Fault = {
  name: 'ecmp-paths-missing',
  find: (facts) => {
    if (!isExpected(facts)) return [];
    const hosts = new Set(vipSides(facts).flatMap(({ port, engine }) => port?.host ?? engine.host ?? []));
    return facts.controlNodes.flatMap(({ name, routes }) =>
      (contentOf(routes) ?? [])
        .map((route) => ({ prefix: route.prefix, nextHops: nextHopsOf(route).size }))
        .filter(({ nextHops }) => nextHops > 0 && nextHops < hosts.size)
        .map(({ prefix, nextHops }) => ({
          subject: subject.controlRoute(name, prefix),
          what: `control-node ${name} has ${nextHops} next hops for ${prefix}, with engines on ${hosts.size} hosts`,
          read: routes.at,
          cause: 'an engine has left the route: its session is down, its health check fails, or its pair is standby',
          cure: 'follow the lines of the engine whose host is missing',
        })),
    );
  },
};

export const PATH_FAULTS: readonly Fault[] = [healthCheckFailing, interfaceInactive, routeAbsent, pathsFewer];
