import { parse as parseIp } from 'ipaddr.js';
import {
  BadRequestError,
  ConflictError,
  InvalidOptionError,
  InvalidReferenceError,
  UnsupportedOptionError,
} from '../../../driver/domain/errors';
import { isDatagram } from '../../../driver/domain/protocols';
import type { MemberGraph } from '../../changes/bodies';
import type { Caller, CommandDeps } from '../../changes/deps';
import { seesSubnet } from '../../changes/network';
import type { ChangeSettings } from '../../changes/settings';

/**
 * Checks what a POST gives of a member, apart from its pool.
 * @throws ServiceError
 */
export function checkMember(body: MemberGraph, settings: ChangeSettings): void {
  if (!body.address) throw new InvalidOptionError('None', 'address');
  if (body.protocol_port === null) throw new InvalidOptionError('None', 'protocol_port');
  const address = parseIp(body.address);
  const reserved = settings.reservedIps.some((ip) => parseIp(ip).toNormalizedString() === address.toNormalizedString());
  if (reserved) throw new InvalidOptionError(body.address, 'member address');
}

/**
 * Looks every named subnet up, once.
 * @throws InvalidReferenceError for one that is unknown, or not the project's to see
 */
export async function checkMemberSubnets(
  { network, settings }: CommandDeps,
  { identity }: Caller,
  { members, projectId }: { members: readonly MemberGraph[]; projectId: string },
): Promise<void> {
  const ids = new Set(members.flatMap(({ subnet_id: id }) => id ?? []));
  const beholder = { identity, projectId, seesAll: settings.allowInvisibleResources };
  for (const id of ids) {
    if (!(await seesSubnet(network, beholder, id))) throw new InvalidReferenceError('Subnet', id);
  }
}

/** What members need to know of their load balancer. */
export interface MemberSurroundings {
  readonly poolProtocol: string;
  readonly vips: readonly string[];
  readonly allowsSriov: boolean;
}

/**
 * Whether members fit their load balancer.
 * @throws ServiceError
 */
export function checkMemberFits(
  members: readonly Pick<MemberGraph, 'address' | 'request_sriov'>[],
  { poolProtocol, vips, allowsSriov }: MemberSurroundings,
  settings: ChangeSettings,
): void {
  if (!allowsSriov && members.some(({ request_sriov }) => request_sriov)) {
    throw new BadRequestError('The load balancer flavor does not allow SR-IOV member ports.');
  }
  if (!isDatagram(poolProtocol)) return;
  const kinds = vips.map((vip) => parseIp(vip).kind());
  if (members.every(({ address }) => !address || kinds.includes(parseIp(address).kind()))) return;
  throw new UnsupportedOptionError(
    settings.defaultProvider,
    `a member of a ${poolProtocol} pool must have the IP version of one of the load balancer's VIPs.`,
  );
}

/** The text for an address and port that the pool has already. */
export function memberTaken(address: string, port: number): ConflictError {
  return new ConflictError(`Another member on this pool is already using ip ${address} on protocol_port ${port}`);
}
