import { planNic, type Site } from './site';
import type { Nat, Node } from './topology';
import type { Port } from './view';

const INTERFACE = 'network:router_interface';
const GATEWAY = 'network:router_gateway';

/** A namespace a router, as Neutron's L3 agent has them: gateway addresses, and floating IPs by NAT. */
export function planRouters(site: Site): Node[] {
  const byRouter = new Map<string, Port[]>();
  for (const port of site.view.ports) {
    if (port.deviceOwner !== INTERFACE && port.deviceOwner !== GATEWAY) continue;
    byRouter.set(port.deviceId, [...(byRouter.get(port.deviceId) ?? []), port]);
  }
  return [...byRouter].map(([id, ports]) => planRouter(site, id, ports));
}

function planRouter(site: Site, id: string, ports: readonly Port[]): Node {
  const nat = planNat(site, ports);
  const nics = ports.map((port) => {
    const nic = planNic(site, port);
    const floating = nic.device === nat.gateway ? nat.floating.map(({ outer }) => `${outer}/32`) : [];
    return { ...nic, addresses: [...nic.addresses, ...floating] };
  });
  return { namespace: site.names.node('rt', id), nics, routes: planRoutes(site, ports), nat };
}

function planNat(site: Site, ports: readonly Port[]): Nat {
  const { view } = site;
  const gateway = ports.find(({ deviceOwner }) => deviceOwner === GATEWAY);
  if (!gateway) return { gateway: null, floating: [] };
  const inner = new Set(ports.filter((port) => port !== gateway).map(({ networkId }) => networkId));
  const networkOf = new Map(view.ports.map(({ id, networkId }) => [id, networkId]));
  const floating = view.floatingIps.flatMap(({ address, networkId, fixedAddress, portId }) => {
    if (fixedAddress === null || portId === null || networkId !== gateway.networkId) return [];
    return inner.has(networkOf.get(portId) ?? '') ? [{ outer: address, inner: fixedAddress }] : [];
  });
  return { gateway: planNic(site, gateway).device, floating };
}

/** Outwards by the external network's gateway. */
function planRoutes(site: Site, ports: readonly Port[]) {
  const gateway = ports.find(({ deviceOwner }) => deviceOwner === GATEWAY);
  if (!gateway) return [];
  return gateway.fixedIps.flatMap(({ subnetId }) => {
    const subnet = site.subnet(subnetId);
    if (!subnet?.gateway) return [];
    const destination = subnet.cidr.includes(':') ? '::/0' : '0.0.0.0/0';
    return [{ destination, via: subnet.gateway, device: planNic(site, gateway).device }];
  });
}

/** The rules of a router's namespace, for `nft -f -`; replaces what was there. */
export function renderNat({ gateway, floating }: Nat): string {
  const outwards = gateway === null ? [] : [`    oifname "${gateway}" masquerade`];
  return [
    'add table ip nat',
    'delete table ip nat',
    'table ip nat {',
    '  chain inwards {',
    '    type nat hook prerouting priority -100',
    ...floating.map(({ outer, inner }) => `    ip daddr ${outer} dnat to ${inner}`),
    '  }',
    '  chain outwards {',
    '    type nat hook postrouting priority 100',
    ...floating.map(({ outer, inner }) => `    oifname "${gateway}" ip saddr ${inner} snat to ${outer}`),
    ...outwards,
    '  }',
    '}',
    '',
  ].join('\n');
}
