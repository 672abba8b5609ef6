import type { Network, Port, Subnet } from '../clouds/network/port';
import { listVnics, recordVnicFacts } from '../db/vnics';
import type { Route, Vnic, VnicFacts } from '../domain/vnic';
import type { EngineParts, EngineRun } from './engineRun';
import { hintEngineNetworks } from './loadBalancerRun';

/**
 * Asks the network service about the places of an engine's vNICs (addresses, gateways, routes, MTU) and notes what is
 * news, for the health-manager to tell the engine: nothing is asked by DHCP there. Also keeps their security groups.
 */
export async function learnPlaces(run: EngineRun): Promise<void> {
  const { parts, engine } = run;
  const vnics = (await listVnics(parts.db, engine.id)).filter((it) => it.domainId !== null && it.portId !== null);
  const known = createLookUp(run);
  let news = false;
  for (const vnic of vnics) {
    const facts = vnic.deleting ? undefined : await known.factsOf(vnic);
    if (!facts || (vnic.facts && isSame(facts, vnic.facts))) continue;
    await recordVnicFacts(parts.db, vnic.id, facts);
    news = true;
  }
  if (news) await hintEngineNetworks({ parts, log: run.log }, [engine.id]);
}

/** Looks everything up once a run. */
function createLookUp({ parts }: EngineRun) {
  const { network } = parts;
  const networks = once((id: string) => network.findNetwork(id));
  const subnets = once((id: string) => network.findSubnet(id));
  // The same for all vNICs of an engine.
  let groups: ReturnType<NonNullable<EngineParts['vnicPort']>> | undefined;
  return {
    /** Undefined while the network service does not show the port and its network. */
    async factsOf(vnic: Vnic): Promise<VnicFacts | undefined> {
      const port = vnic.portId === null ? undefined : await network.findPort(vnic.portId);
      const place = await networks(vnic.networkId);
      if (!port || !place) return undefined;
      await keepGroups(vnic, port);
      const found = await Promise.all(port.fixedIps.map(({ subnetId }) => subnets(subnetId)));
      const present = found.flatMap((subnet) => subnet ?? []);
      return describePlace(port, place, present);
    },
  };

  async function keepGroups(vnic: Vnic, port: Port): Promise<void> {
    groups ??= parts.vnicPort?.(vnic);
    const wanted = (await groups)?.securityGroupIds;
    if (!wanted || wanted.every((id) => port.securityGroupIds.includes(id))) return;
    await network.updatePort(port.id, { securityGroupIds: [...new Set([...port.securityGroupIds, ...wanted])] });
  }

  function describePlace(port: Port, { mtu }: Network, present: readonly Subnet[]): VnicFacts {
    const own = new Map(present.map((subnet) => [subnet.id, subnet]));
    const routes = parts.routing?.staticRoutes ?? [];
    return {
      subnetIds: [...own.keys()],
      mtu,
      addresses: port.fixedIps.flatMap(({ subnetId, ipAddress }) => {
        const prefix = own.get(subnetId)?.cidr.split('/')[1];
        return prefix === undefined ? [] : [`${ipAddress}/${prefix}`];
      }),
      gateways: [...own.values()].flatMap(({ gatewayIp }) => gatewayIp ?? []),
      hostRoutes: [...own.values()].flatMap(({ hostRoutes }) => hostRoutes),
      staticRoutes: routes.filter(({ subnetId }) => own.has(subnetId)).map(toRoute),
    };
  }
}

function toRoute({ destination, nextHop }: Route): Route {
  return { destination, nextHop };
}

function once<T>(find: (id: string) => Promise<T>): (id: string) => Promise<T> {
  const found = new Map<string, Promise<T>>();
  return (id) => {
    const known = found.get(id) ?? find(id);
    found.set(id, known);
    return known;
  };
}

/** Order counts for nobody, but what a service lists differently each time is still the same. */
function isSame(one: VnicFacts, other: VnicFacts): boolean {
  const sorted = (facts: VnicFacts): string =>
    JSON.stringify([
      facts.mtu,
      [...facts.subnetIds].sort(),
      [...facts.addresses].sort(),
      [...facts.gateways].sort(),
      facts.hostRoutes.map((it) => `${it.destination} ${it.nextHop}`).sort(),
      facts.staticRoutes.map((it) => `${it.destination} ${it.nextHop}`).sort(),
    ]);
  return sorted(one) === sorted(other);
}
