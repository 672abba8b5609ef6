import type { Network, NetworkDriver, Subnet } from '../../driver/clouds/network/port';
import type { Identity } from '../../driver/domain/identity';

/**
 * Who looks something up in the network service. It is asked with the service's own rights, so what a project may not
 * see is sorted out here.
 */
export interface Beholder {
  readonly identity: Identity;
  /** The project the load balancer belongs to. */
  readonly projectId: string;
}

/** Whether the caller may do as all projects may together. */
export function isOperator({ isAdmin, roles }: Identity): boolean {
  return isAdmin || roles.includes('admin') || roles.includes('load-balancer_admin');
}

/** The network, if it is there and the project may use it: its own, a shared or an external one. */
export async function seeNetwork(
  driver: NetworkDriver,
  { identity, projectId }: Beholder,
  id: string,
): Promise<Network | undefined> {
  const network = await driver.findNetwork(id);
  if (!network || driver.acceptsAnything || isOperator(identity)) return network;
  return network.projectId === projectId || network.shared || network.external ? network : undefined;
}

/** The subnet, if it is there and the project may use its network. */
export async function seeSubnet(driver: NetworkDriver, beholder: Beholder, id: string): Promise<Subnet | undefined> {
  const subnet = await driver.findSubnet(id);
  if (!subnet || driver.acceptsAnything || isOperator(beholder.identity)) return subnet;
  if (subnet.projectId === beholder.projectId) return subnet;
  return (await seeNetwork(driver, beholder, subnet.networkId)) ? subnet : undefined;
}

export async function seesSubnet(driver: NetworkDriver, beholder: Beholder, id: string): Promise<boolean> {
  return (await seeSubnet(driver, beholder, id)) !== undefined;
}
