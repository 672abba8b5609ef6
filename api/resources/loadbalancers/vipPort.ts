import { type Port, VIP_PORT_OWNER, vipPortNames } from '../../../driver/clouds/network/port';
import { DbUnavailableError } from '../../../driver/db/connect';
import { recordEvents } from '../../../driver/db/events';
import type { AdditionalVipRow, VipRow } from '../../../driver/db/rows';
import { forgetTakenPort, noteTakenPort } from '../../../driver/db/takenPorts';
import { VIP_PORT_TAKEN, vipPortMark } from '../../../driver/domain/vipPortMark';
import type { CommandDeps } from '../../changes/deps';
import type { VipPlan } from './vip';

/** What the VIP port of a new load balancer is to be like, besides its place. */
export interface VipPortWish {
  readonly loadBalancerId: string;
  readonly projectId: string;
  readonly plan: VipPlan;
  readonly securityGroupIds: readonly string[];
  readonly qosPolicyId: string | null;
  readonly vnicType: string;
}

/** The VIP's rows once its port is there. */
export interface VipRows {
  readonly vip: VipRow;
  readonly additionalVips: readonly AdditionalVipRow[];
}

/**
 * Makes the VIP port, or takes the user's over, runs `use` with its rows and gives the port back if that fails. Where it
 * is not known whether the rows were committed the port is left alone: a leftover is found by the sweep.
 * @throws ServiceError whatever the network service or `use` throws
 */
export async function withVipPort<T>(
  deps: CommandDeps,
  wish: VipPortWish,
  use: (rows: VipRows) => Promise<T>,
): Promise<T> {
  const port = wish.plan.port ? await takeOver(deps, wish, wish.plan.port) : await createPort(deps, wish);
  try {
    return await use(toRows(wish, port));
  } catch (error) {
    if (!(error instanceof DbUnavailableError)) await giveBack(deps, wish, port);
    throw error;
  }
}

/** Bears the load balancer's id before there is a row: that is how a leftover is known. */
async function createPort({ network, settings }: CommandDeps, wish: VipPortWish): Promise<Port> {
  const { loadBalancerId, projectId, plan, securityGroupIds, qosPolicyId } = wish;
  return network.createPort({
    ...vipPortNames(loadBalancerId),
    projectId,
    networkId: plan.networkId,
    fixedIps: [plan.main, ...plan.additional].map(({ subnetId, address }) => ({
      subnetId,
      ...(address && { ipAddress: address }),
    })),
    deviceOwner: VIP_PORT_OWNER,
    description: vipPortMark(settings.ownerTag, loadBalancerId),
    adminStateUp: false,
    ...(securityGroupIds.length > 0 && { securityGroupIds }),
    qosPolicyId,
  });
}

/**
 * A device id keeps others from using the port; everything else of it stays the user's. The event is what tells the sweep
 * that the port was taken by us.
 */
async function takeOver({ db, network }: CommandDeps, wish: VipPortWish, port: Port): Promise<Port> {
  const { projectId, loadBalancerId } = wish;
  const { deviceId } = vipPortNames(loadBalancerId);
  const message = `port ${port.id} of the user is taken for load balancer ${loadBalancerId}`;
  const about = { resourceType: 'port', resourceId: port.id };
  await recordEvents(db, [{ ...about, name: VIP_PORT_TAKEN, severity: 'info', message }], {
    projectId,
    loadBalancerId,
  });
  const { deviceOwner, qosPolicyId, securityGroupIds } = port;
  const had = { deviceOwner, qosPolicyId, securityGroupIds };
  await noteTakenPort(db, { portId: port.id, loadBalancerId, had });
  await network.updatePort(port.id, { deviceId, deviceOwner: VIP_PORT_OWNER });
  return port;
}

async function giveBack(
  { db, network, log }: CommandDeps,
  { plan, loadBalancerId }: VipPortWish,
  port: Port,
): Promise<void> {
  try {
    if (!plan.port) return await network.deletePort(port.id);
    await network.updatePort(port.id, { deviceId: '', deviceOwner: plan.port.deviceOwner });
    await forgetTakenPort(db, port.id, loadBalancerId);
  } catch (error) {
    log.warn({ err: error, loadBalancerId, portId: port.id }, 'a VIP port of a failed create stays for the sweep');
  }
}

function toRows({ loadBalancerId, plan, qosPolicyId, vnicType }: VipPortWish, port: Port): VipRows {
  const addressIn = (subnetId: string, wished: string | null) =>
    wished ?? port.fixedIps.find((ip) => ip.subnetId === subnetId)?.ipAddress ?? null;
  return {
    vip: {
      load_balancer_id: loadBalancerId,
      ip_address: addressIn(plan.main.subnetId, plan.main.address),
      port_id: port.id,
      subnet_id: plan.main.subnetId,
      network_id: plan.networkId,
      qos_policy_id: qosPolicyId,
      octavia_owned: plan.port ? 0 : 1,
      vnic_type: vnicType,
    },
    additionalVips: plan.additional.map(({ subnetId, address }, position) => ({
      load_balancer_id: loadBalancerId,
      subnet_id: subnetId,
      ip_address: addressIn(subnetId, address),
      port_id: port.id,
      network_id: plan.networkId,
      position,
    })),
  };
}
