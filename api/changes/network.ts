import type { Network, NetworkDriver, Port, Subnet } from '../../driver/clouds/network/port';
import type { Identity } from '../../driver/domain/identity';

/**
 * Who looks something up in the network service. It is asked with the service's own rights, so what a project may not
 * see is sorted out here.
 */
export interface Beholder {
  readonly identity: Identity;
  /** The project the load balancer belongs to. */
  readonly projectId: string;
  /** The deployment lets everybody name what is there. */
  readonly seesAll?: boolean;
}

function mayUseAll(driver: NetworkDriver, { identity, seesAll }: Beholder): boolean {
  const { isAdmin, roles } = identity;
  const operates = isAdmin || roles.includes('admin') || roles.includes('load-balancer_admin');
  return operates || seesAll === true || driver.acceptsAnything;
}

/** The network, if it is there and the project may use it: its own, a shared or an external one. */
export async function seeNetwork(driver: NetworkDriver, beholder: Beholder, id: string): Promise<Network | undefined> {
  const network = await driver.findNetwork(id);
  if (!network || mayUseAll(driver, beholder)) return network;
  return network.projectId === beholder.projectId || network.shared || network.external ? network : undefined;
}

/** The subnet, if it is there and the project may use its network. */
export async function seeSubnet(driver: NetworkDriver, beholder: Beholder, id: string): Promise<Subnet | undefined> {
  const subnet = await driver.findSubnet(id);
  if (!subnet || mayUseAll(driver, beholder)) return subnet;
  if (subnet.projectId === beholder.projectId) return subnet;
  return (await seeNetwork(driver, beholder, subnet.networkId)) ? subnet : undefined;
}

export async function seesSubnet(driver: NetworkDriver, beholder: Beholder, id: string): Promise<boolean> {
  return (await seeSubnet(driver, beholder, id)) !== undefined;
}

/** The port, if it is there and the project's own. */
export async function seePort(driver: NetworkDriver, beholder: Beholder, id: string): Promise<Port | undefined> {
  const port = await driver.findPort(id);
  return port && (mayUseAll(driver, beholder) || port.projectId === beholder.projectId) ? port : undefined;
}
