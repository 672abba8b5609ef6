import { toApiTime } from '../../../driver/db/codecs';
import { type Db, inTransaction } from '../../../driver/db/connect';
import { recordEvents } from '../../../driver/db/events';
import { type FleetGroup, listGroups } from '../../../driver/db/fleet';
import { lockGroup } from '../../../driver/db/groups';
import { updateGroup } from '../../../driver/db/groupWrites';
import {
  findUpgradeOf,
  insertUpgrade,
  keepUpgrade,
  readUpgradeEngines,
  type Upgrade,
} from '../../../driver/db/upgrades';
import { ConflictError, NotFoundError } from '../../../driver/domain/errors';
import {
  newUpgrade,
  replaceable,
  type UpgradeState,
  type UpgradeStatus,
  undoUpgrade,
} from '../../../driver/domain/upgrade';
import type { Caller, CommandDeps } from '../../changes/deps';
import type { Schemas } from '../../openapi/schemas';

type View = Schemas['UpgradeView'];

/** Rolling upgrades of groups: rows are written here, and housekeeping does the work. */

/** @throws NotFoundError for an unknown group, and for one that never was upgraded */
export async function showUpgrade(db: Db, groupId: string): Promise<View> {
  return view(await latest(db, groupId));
}

/** @throws ServiceError */
export async function startUpgrade(
  deps: CommandDeps,
  caller: Caller,
  { groupId, body }: { groupId: string; body: Schemas['UpgradeStart'] },
): Promise<View> {
  return inTransaction(deps.db, async (trx) => {
    await lockGroup(trx, groupId);
    const group = await groupOf(trx, groupId);
    const before = await findUpgradeOf(trx, groupId);
    if (before && !ENDED.includes(before.state.status)) {
      throw new ConflictError(
        `${TITLE} ${groupId} has an upgrade that is ${before.state.status}: undo it or let it end.`,
      );
    }
    const state = newUpgrade(deps.newId(), body.parallel ?? 1);
    const { imageTag, upgradeMark } = group.properties;
    const { engines } = await readUpgradeEngines(trx, groupId);
    await insertUpgrade(trx, {
      ...{
        id: deps.newId(),
        groupId,
        imageTag: body.image_tag,
        state,
        engines: replaceable({ engines }, state).length,
      },
      ...{ previousImageTag: imageTag, previousMark: upgradeMark },
    });
    await record(trx, caller, { group, what: `is to be upgraded to image ${body.image_tag}`, name: 'UPGRADE_STARTED' });
    return view(await latest(trx, groupId));
  });
}

const TITLE = 'Service engine group';
const ENDED: readonly UpgradeStatus[] = ['DONE', 'UNDONE'];

type Action = Schemas['UpgradeAction']['action'];

/** From which statuses an upgrade can be told to do what. */
const FROM: Readonly<Record<Action, readonly UpgradeStatus[]>> = {
  pause: ['RUNNING'],
  resume: ['PAUSED', 'STOPPED'],
  undo: ['RUNNING', 'PAUSED', 'STOPPED', 'STOPPING', 'DONE'],
};
const EVENT: Readonly<Record<Action, string>> = {
  pause: 'UPGRADE_PAUSED',
  resume: 'UPGRADE_RESUMED',
  undo: 'UPGRADE_UNDO',
};

/** @throws ServiceError */
export async function actOnUpgrade(
  deps: CommandDeps,
  caller: Caller,
  { groupId, body: { action } }: { groupId: string; body: Schemas['UpgradeAction'] },
): Promise<View> {
  return inTransaction(deps.db, async (trx) => {
    await lockGroup(trx, groupId);
    const group = await groupOf(trx, groupId);
    const upgrade = await latest(trx, groupId);
    const { state } = upgrade;
    if (!FROM[action].includes(state.status)) {
      throw new ConflictError(
        `The upgrade of service engine group ${groupId} is ${state.status}: it cannot be told to ${action}.`,
      );
    }
    const { now } = await readUpgradeEngines(trx, groupId);
    await keepUpgrade(trx, upgrade, next(deps, state, { action, now }));
    if (action === 'undo') {
      // Whoever makes an engine from now on makes it of the image before.
      const properties = { ...group.properties, imageTag: upgrade.previousImageTag, upgradeMark: upgrade.previousMark };
      await updateGroup(trx, groupId, { properties });
    }
    await record(trx, caller, { group, what: `has its upgrade told to ${action}`, name: EVENT[action] });
    return view(await latest(trx, groupId));
  });
}

function next(deps: CommandDeps, state: UpgradeState, { action, now }: { action: Action; now: number }): UpgradeState {
  switch (action) {
    case 'pause':
      return { ...state, status: 'PAUSED' };
    case 'resume':
      return { ...state, status: 'RUNNING', reason: null };
    case 'undo':
      return undoUpgrade(state, deps.newId(), now);
  }
}

async function groupOf(db: Db, id: string): Promise<FleetGroup> {
  const group = (await listGroups(db)).find((it) => it.id === id);
  if (!group) throw new NotFoundError(TITLE, id);
  return group;
}

async function latest(db: Db, groupId: string): Promise<Upgrade> {
  const upgrade = await findUpgradeOf(db, groupId);
  if (upgrade) return upgrade;
  await groupOf(db, groupId);
  throw new NotFoundError('Upgrade of service engine group', groupId);
}

async function record(
  trx: Db,
  { requestId, identity: { userId } }: Caller,
  { group, what, name }: { group: FleetGroup; what: string; name: string },
): Promise<void> {
  const message = `group ${group.name} ${what}, by an operator`;
  const about = { resourceType: 'service_engine_group', resourceId: group.id };
  await recordEvents(trx, [{ name, severity: 'info', message, ...about }], { requestId, userId });
}

function view({ state, ...upgrade }: Upgrade): View {
  return {
    id: upgrade.id,
    service_engine_group_id: upgrade.groupId,
    image_tag: upgrade.imageTag,
    previous_image_tag: upgrade.previousImageTag,
    status: state.status,
    reason: state.reason,
    parallel: state.parallel,
    proven: state.proven,
    engines: upgrade.engines,
    engines_replaced: state.replaced,
    steps: state.steps.map(({ oldEngineId, newEngineId, phase }) => ({
      old_engine_id: oldEngineId,
      new_engine_id: newEngineId,
      phase,
    })),
    created_at: toApiTime(upgrade.createdAt),
    updated_at: toApiTime(upgrade.updatedAt),
  };
}
