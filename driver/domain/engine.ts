import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Sealer } from './sealing';

/** A service engine's life and the names it goes by. */

export type EngineStatus = 'BUILDING' | 'READY' | 'DRAINING' | 'DELETING' | 'DOWN' | 'GHOST';

/**
 * The status after the engine has called and proved itself. Whoever calls is alive: also one that was given up, unless
 * it is on its way out.
 */
export function statusAfterHello(status: EngineStatus): EngineStatus {
  switch (status) {
    case 'BUILDING':
    case 'DOWN':
    case 'GHOST':
    case 'READY':
      return 'READY';
    case 'DRAINING':
    case 'DELETING':
      return status;
  }
}

/** The statuses in which silence means that the engine is down. One that is on its way out keeps its status. */
export const DOWN_AFTER_SILENCE: readonly EngineStatus[] = ['READY'];

/** The statuses in which an engine may serve; its reports then count. */
export function mayServe(status: EngineStatus): boolean {
  return status === 'READY' || status === 'DRAINING' || status === 'DELETING';
}

/** True once it has called home: it has load balancers then, and what its server holds is more than what it was made with. */
export function hasServed({ status }: Pick<Engine, 'status'>): boolean {
  return status !== 'BUILDING' && status !== 'GHOST';
}

/** What an engine proves itself with, in clear: handed to the compute service and kept nowhere else. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Whose token it is, and what the configuration has to seal it with. */
export interface TokenOwner {
  readonly engineId: string;
  readonly sealer?: Pick<Sealer, 'digest'> | undefined;
}

/**
 * What the database keeps of a token, hex. With a key of the configuration who can write the database cannot make one up;
 * without it SHA-256: a token is 256 random bits, so no salt and no slow hash.
 */
export function hashToken(token: string, owner?: TokenOwner): string {
  if (owner?.sealer) return owner.sealer.digest(token, `engine token ${owner.engineId}`);
  return createHash('sha256').update(token).digest('hex');
}

/** Compares in constant time; a missing hash matches nothing. */
export function tokenMatches(token: string, hash: string | null, owner?: TokenOwner): boolean {
  if (hash === null) return false;
  const given = Buffer.from(hashToken(token, owner));
  const wanted = Buffer.from(hash);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** The server's and the row's name. */
export function engineName(prefix: string, engineId: string): string {
  return `${prefix}-${engineId.slice(0, 8)}`;
}

/** Name of a vNIC's port: carries the id of its row, by which a port made by a lost call is found again. */
export function vnicPortName(vnicId: string): string {
  return `slipstream-vnic-${vnicId}`;
}

/** Name of the port that an engine calls home by: one an engine, so that its id is enough. */
export function managementPortName(engineId: string): string {
  return `slipstream-mgmt-${engineId}`;
}

/** What the ports of an engine say in their description: whose they are, plugged in or not, and which installation's. */
export function enginePortDescription(ownerTag: string, engineId: string): string {
  return `${ownerTag} engine ${engineId}`;
}

/** Name of the security group that the ports of a service engine group have. */
export function engineGroupName(groupId: string): string {
  return `slipstream-engines-${groupId}`;
}

/**
 * What that security group says in its description: by it the group is found again, and known as this installation's.
 * Engines in a project of their users have one there.
 */
export function engineGroupDescription(ownerTag: string, groupId: string, projectId: string | null = null): string {
  return `${ownerTag} engines of group ${groupId}${projectId === null ? '' : ` in project ${projectId}`}`;
}

/** What a security group's description says it is for, if it is one of this installation's. */
export function engineGroupIn(ownerTag: string, description: string): EngineGroupName | undefined {
  const prefix = engineGroupDescription(ownerTag, '');
  if (!description.startsWith(prefix)) return undefined;
  const [groupId = '', projectId = null] = description.slice(prefix.length).split(' in project ');
  return groupId === '' ? undefined : { groupId, projectId };
}

export interface EngineGroupName {
  readonly groupId: string;
  /** Null: the project of this service. */
  readonly projectId: string | null;
}

/** The engine that a port's description names, if it is one of this installation's. */
export function engineIdIn(ownerTag: string, description: string): string | undefined {
  const prefix = enginePortDescription(ownerTag, '');
  return description.startsWith(prefix) && description.length > prefix.length
    ? description.slice(prefix.length)
    : undefined;
}

/** An engine as its unit of reconciliation, the health-manager and the fleet see it. */
export interface Engine {
  readonly id: string;
  readonly groupId: string;
  readonly name: string;
  readonly status: EngineStatus;
  /** Wanted gone: carried on with until it is, whatever `status` says. */
  readonly deleting: boolean;
  /** The compute service's id of its server. */
  readonly computeId: string | null;
  readonly managementAddress: string | null;
  readonly host: string | null;
  readonly tokenHash: string | null;
  /** The health-manager that holds its connection. */
  readonly connectedTo: string | null;
  /** Number of its newest connection. */
  readonly connectionEpoch: number;
  readonly slots: number;
  readonly slotsUsed: number;
  readonly generation: number;
  readonly settledGeneration: number;
  readonly attempts: number;
  readonly leaseEpoch: number;
  /** Seconds since the last change of its status or server, by the database's clock. */
  readonly unchangedFor: number;
  /** Compute availability zone its server has to be in; null: any. */
  readonly availabilityZone: string | null;
  /** What its server has to be made of, by name or id; null: as the configuration says. */
  readonly computeFlavor: string | null;
  readonly imageTag: string | null;
  /** What it is made of where `imageTag` says nothing: the image of its group when it was made. */
  readonly groupImageTag?: string | null;
  /** Of the rolling upgrade by which, or during which, it was made. */
  readonly upgradeMark?: string | null;
  /** The project whose load balancers alone it serves; null: several, or none. */
  readonly projectId: string | null;
  /** The project its server and ports are in, which alone it serves; null: that of this service. */
  readonly ownerProjectId: string | null;
  /** When its server was last built, in the compute service's writing. */
  readonly serverLaunchedAt: string | null;
  /** It serves load balancers whose flavor gives them engines of their own. */
  readonly perApp: boolean;
  /** It is cut from all VIP networks it is in. Absent: it is not. */
  readonly cutOff?: boolean;
}
