import type { NetworkDriver, SecurityGroup } from '../clouds/network/port';
import type { Db } from '../db/connect';
import { hasEngines } from '../db/engines';
import { engineGroupIn } from '../domain/engine';

export interface SecurityGroupSearch {
  readonly db: Db;
  readonly network?: NetworkDriver;
  readonly ownerTag: string;
}

/**
 * Our security groups that nothing has: of service engine groups without engines, and one of two that were made at the
 * same time. What bears our tag alone is not ours: its description has to say so too, and no port may have it.
 */
export async function findLeftoverSecurityGroups({
  db,
  network,
  ownerTag,
}: SecurityGroupSearch): Promise<readonly { readonly group: SecurityGroup; readonly why: string }[]> {
  if (!network || network.acceptsAnything) return [];
  const found: { group: SecurityGroup; why: string }[] = [];
  const tagged = await network.listSecurityGroups({ tag: ownerTag });
  const ours = tagged.filter(({ description }) => engineGroupIn(ownerTag, description) !== undefined);
  for (const group of ours) {
    // Engines have the first of their groups by id.
    const isSecond = ours.some((it) => it.description === group.description && it.id < group.id);
    const { groupId = '', projectId = null } = engineGroupIn(ownerTag, group.description) ?? {};
    if (!isSecond && (await hasEngines(db, groupId, projectId))) continue;
    if ((await network.listPorts({ securityGroupId: group.id })).length > 0) continue;
    found.push({
      group,
      why: isSecond
        ? 'was made twice'
        : `is of service engine group ${groupId}, which has no engines${projectId === null ? '' : ` in project ${projectId}`}`,
    });
  }
  return found;
}
