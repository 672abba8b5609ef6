import type { NetworkDriver, SecurityGroup } from '../clouds/network/port';
import type { Db } from '../db/connect';
import { findEngine } from '../db/engines';
import { hasVnics } from '../db/vnics';
import { type Engine, engineGroupDescription, engineGroupName } from '../domain/engine';
import type { SecurityGroupRule } from '../domain/securityGroup';
import type { Vnic } from '../domain/vnic';
import { createMutex } from './wiringTarget';

export interface EngineGroupDeps {
  readonly db: Db;
  readonly network: NetworkDriver;
  readonly ownerTag: string;
}

/** The part of an engine's unit that is about security groups. */
export interface EngineGroups {
  /** What the port of a vNIC is made with. */
  vnicPort(vnic: Vnic): Promise<{ readonly securityGroupIds?: readonly string[] }>;
  /** An engine is gone, or vNICs of it: with the last one of its group in a project goes their security group there. */
  onGone(engine: Pick<Engine, 'groupId' | 'ownerProjectId'>): Promise<void>;
}

const ANYTHING = {
  direction: 'ingress',
  protocol: null,
  portMin: null,
  portMax: null,
  remotePrefix: null,
  remoteGroupId: null,
  remoteAddressGroupId: null,
} as const;
const OPEN: readonly SecurityGroupRule[] = [
  { ...ANYTHING, etherType: 'IPv4' },
  { ...ANYTHING, etherType: 'IPv6' },
];

/**
 * The security group of the ports of a service engine group in a project: one of ours, made when it is first needed. It lets in
 * everything, for the network service cannot tell apart the VIPs on one port: what each of them lets in (its listeners,
 * allowed CIDRs, the user's groups) the engine enforces itself, and drops the rest.
 */
export function createEngineGroups(deps: EngineGroupDeps): EngineGroups {
  // Engines that are plugged in at the same time are not to make one each.
  const alone = createMutex();
  return {
    async vnicPort({ engineId }) {
      if (deps.network.acceptsAnything) return {};
      const engine = await findEngine(deps.db, engineId);
      if (!engine) return {};
      const group = await alone(`${engine.groupId} ${engine.ownerProjectId}`, () => ensureGroup(deps, engine));
      return { securityGroupIds: [group.id] };
    },
    async onGone({ groupId, ownerProjectId }) {
      const { db, network, ownerTag } = deps;
      if (network.acceptsAnything || (await hasVnics(db, groupId, { ownerProjectId }))) return;
      for (const { id } of await network.listSecurityGroups({
        description: engineGroupDescription(ownerTag, groupId, ownerProjectId),
      })) {
        await network.deleteSecurityGroup(id);
      }
    },
  };
}

async function ensureGroup(
  { network, ownerTag }: EngineGroupDeps,
  { groupId, ownerProjectId }: Engine,
): Promise<SecurityGroup> {
  const description = engineGroupDescription(ownerTag, groupId, ownerProjectId);
  const ours = await network.listSecurityGroups({ description });
  const group =
    // Of several, made at the same time, everybody chooses the same; the others are swept.
    [...ours].sort((a, b) => (a.id < b.id ? -1 : 1))[0] ??
    (await network.createSecurityGroup({
      name: engineGroupName(groupId),
      description,
      projectId: ownerProjectId,
      tags: [ownerTag],
    }));
  for (const rule of OPEN) {
    if (!group.rules.some((have) => isOpen(have, rule))) await network.addSecurityGroupRule(group.id, rule);
  }
  return group;
}

function isOpen(have: SecurityGroupRule, rule: SecurityGroupRule): boolean {
  const keys = Object.keys(rule) as (keyof SecurityGroupRule)[];
  return keys.every((key) => have[key] === rule[key]);
}
