import { HINTS_TOPIC } from '../../../driver/bus/port';
import { fromBit, fromJson } from '../../../driver/db/codecs';
import { type Db, inTransaction } from '../../../driver/db/connect';
import { retireEngine } from '../../../driver/db/engines';
import { recordEvents } from '../../../driver/db/events';
import { lockGroup } from '../../../driver/db/groups';
import {
  countEngines,
  deleteGroup,
  insertGroup,
  listGroupReferences,
  updateGroup,
} from '../../../driver/db/groupWrites';
import { type EngineRead, engines, type GroupRead, groups } from '../../../driver/db/read/fleet';
import { readOne } from '../../../driver/db/read/model';
import { ConflictError, NotFoundError, ValidationError } from '../../../driver/domain/errors';
import { type GroupProperties, readGroupProperties } from '../../../driver/domain/group';
import {
  applyGroupFields,
  contradictionIn,
  newGroupProperties,
  refusalOf,
  tenancyRefusal,
} from '../../../driver/domain/groupFields';
import type { Caller, CommandDeps } from '../../changes/deps';
import type { Schemas } from '../../openapi/schemas';
import { inUse, refuseDuplicates, refuseNulls, required } from '../catalogueChecks';

const TITLE = 'Service engine group';

/** @returns the new group's id @throws ServiceError */
export async function createGroup(
  deps: CommandDeps,
  caller: Caller,
  body: Schemas['ServiceEngineGroupCreate'],
): Promise<string> {
  const group = {
    id: deps.newId(),
    name: required(body.name, 'name'),
    description: body.description ?? '',
    properties: propertiesFrom(newGroupProperties({ ...body }, deps.settings.tenancyMode), body, deps),
  };
  await inTransaction(deps.db, async (trx) => {
    await refuseDuplicates(`service engine group of ${group.name}`, () => insertGroup(trx, group));
    await recordCall(trx, caller, { name: 'GROUP_CREATED', groupId: group.id, what: `group ${group.name} is made` });
  });
  return group.id;
}

/**
 * Absent fields stay as they are, null is a field's default. What follows from the change is seen to by housekeeping.
 * @throws ServiceError
 */
export async function changeGroup(
  deps: CommandDeps,
  caller: Caller,
  { id, body }: { id: string; body: Schemas['ServiceEngineGroupUpdate'] },
): Promise<void> {
  refuseNulls(body, ['name']);
  await inTransaction(deps.db, async (trx) => {
    await lockGroup(trx, id);
    const stored = await findGroup(trx, id);
    const { name, description } = body;
    const renamed = typeof name === 'string' && name !== stored.name;
    if (renamed && (await listGroupReferences(trx)).has(stored.name)) throw inUse(TITLE, id);
    const changes = {
      ...(renamed ? { name } : {}),
      ...(description === undefined ? {} : { description: description ?? '' }),
      properties: propertiesFrom(readGroupProperties(fromJson<unknown>(stored.properties)), body, deps),
    };
    await refuseDuplicates(`service engine group of ${name}`, () => updateGroup(trx, id, changes));
    const what = `group ${stored.name} is changed: ${Object.keys(body).join(', ')}`;
    await recordCall(trx, caller, { name: 'GROUP_CHANGED', groupId: id, what });
  });
}

/** Only a group that has no engines, that no profile names and that is not the default. @throws ServiceError */
export async function removeGroup(deps: CommandDeps, caller: Caller, id: string): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    await lockGroup(trx, id);
    const { name, is_default } = await findGroup(trx, id);
    if (fromBit(is_default)) throw new ConflictError(`${TITLE} ${id} is the default group and cannot be deleted.`);
    const named = await listGroupReferences(trx);
    if (named.has(name) || named.has(id) || (await countEngines(trx, id)) > 0) throw inUse(TITLE, id);
    await deleteGroup(trx, id);
    await recordCall(trx, caller, { name: 'GROUP_DELETED', groupId: id, what: `group ${name} is deleted` });
  });
}

/**
 * Wants an engine gone: its load balancers move to others first, then its server goes. One that is leaving already is
 * left alone.
 * @throws NotFoundError
 */
export async function removeServiceEngine(deps: CommandDeps, caller: Caller, id: string): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    const engine = await readOne<EngineRead>(trx, engines, id);
    if (!engine) throw new NotFoundError('Service engine', id);
    if (fromBit(engine.deleting)) return;
    await retireEngine(trx, id);
    const what = `service engine ${engine.name} is to go`;
    await recordCall(trx, caller, { name: 'ENGINE_RETIRED', engineId: id, what });
  });
  // Lost, it is found by the sweep.
  await deps.bus.publish(HINTS_TOPIC, { method: 'engine', args: { id } }).catch((error: unknown) => {
    deps.log.warn({ err: error, engine: id }, 'the sweep will find this engine');
  });
}

async function findGroup(trx: Db, id: string): Promise<GroupRead> {
  const group = await readOne<GroupRead>(trx, groups, id);
  if (!group) throw new NotFoundError(TITLE, id);
  return group;
}

/** @throws ValidationError for a field that does not apply, and for fields that contradict one another */
function propertiesFrom(
  before: GroupProperties,
  body: object,
  { settings }: Pick<CommandDeps, 'settings'>,
): GroupProperties {
  for (const [field, value] of Object.entries(body)) {
    const refusal = refusalOf(field, value);
    if (refusal) throw new ValidationError(`${refusal}.`);
  }
  const properties = applyGroupFields(before, body as Readonly<Record<string, unknown>>);
  const refused = Object.hasOwn(body, 'tenancy') ? tenancyRefusal(properties, settings.tenancyMode) : undefined;
  const contradiction = refused ?? contradictionIn(properties);
  if (contradiction) throw new ValidationError(`${contradiction}.`);
  return properties;
}

interface Call {
  readonly name: string;
  readonly what: string;
  readonly groupId?: string;
  readonly engineId?: string;
}

/** Every call of an operator is an event. */
async function recordCall(trx: Db, caller: Caller, { name, what, groupId, engineId }: Call): Promise<void> {
  const about = groupId === undefined ? {} : { resourceType: 'service_engine_group', resourceId: groupId };
  await recordEvents(trx, [{ name, severity: 'info', message: `${what}, by an operator`, ...about }], {
    engineId: engineId ?? null,
    requestId: caller.requestId,
    userId: caller.identity.userId,
  });
}
