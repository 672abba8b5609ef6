import { HINTS_TOPIC } from '../../../driver/bus/port';
import { fromBit } from '../../../driver/db/codecs';
import { type Db, inTransaction } from '../../../driver/db/connect';
import { forgetCuts } from '../../../driver/db/engineReach';
import { countGuests, endReboot, findRebootStep, insertReboot, REBOOTABLE } from '../../../driver/db/engineReboots';
import {
  askAllToLeave,
  askForSwitchover,
  enableEngine,
  listOnEngine,
  takeOutOfService,
} from '../../../driver/db/engineVerbs';
import { recordEvents } from '../../../driver/db/events';
import { resumeHealing } from '../../../driver/db/healing';
import { type EngineRead, engines, type GroupRead, groups } from '../../../driver/db/read/fleet';
import { readOne } from '../../../driver/db/read/model';
import { isUpgrading } from '../../../driver/db/upgrades';
import { ConflictError, NotFoundError } from '../../../driver/domain/errors';
import type { Caller, CommandDeps } from '../../changes/deps';

/** What operators do with an engine; each is an event, and what follows from it is done under the leases of its load balancers. */
export type EngineVerb = 'enable' | 'disable' | 'migrate' | 'switchover' | 'reboot';

/** @throws NotFoundError; ConflictError for an engine that is on its way out, is rebooted, or has nobody to hand over to */
export async function commandEngine(
  deps: CommandDeps,
  caller: Caller,
  { id, verb }: { readonly id: string; readonly verb: EngineVerb },
): Promise<void> {
  const concerned = await inTransaction(deps.db, async (trx) => {
    const engine = await readOne<EngineRead>(trx, engines, id);
    if (!engine) throw new NotFoundError('Service engine', id);
    if (fromBit(engine.deleting)) throw new ConflictError(`Service engine ${id} is on its way out.`);
    await refuseRebooting(trx, engine, verb);
    const { enginesAreAlike: isEmbedded } = deps.settings;
    const done = await DEEDS[verb](trx, { engine, requestId: caller.requestId, isEmbedded });
    const message = `service engine ${engine.name} ${done}, by an operator`;
    await recordEvents(trx, [{ name: EVENTS[verb], severity: 'info', message }], {
      ...{ engineId: id, requestId: caller.requestId, userId: caller.identity.userId },
    });
    return listOnEngine(trx, id);
  });
  await hint(deps, 'engine', id);
  for (const loadBalancerId of concerned) await hint(deps, 'load_balancer', loadBalancerId);
}

interface Asked {
  readonly engine: EngineRead;
  readonly requestId: string;
  /** Engines are processes of this host. */
  readonly isEmbedded: boolean;
}

/** Until its server is about to be rebooted an engine can be enabled again, which calls the reboot off. */
async function refuseRebooting(trx: Db, { id }: EngineRead, verb: EngineVerb): Promise<void> {
  const step = await findRebootStep(trx, id);
  if (step === undefined) return;
  if (verb !== 'enable' || step !== 'draining') throw new ConflictError(`Service engine ${id} is being rebooted.`);
  await endReboot(trx, id);
}

type Deed = (trx: Db, asked: Asked) => Promise<string>;

/** Each gives what has been done. */
const DEEDS: Readonly<Record<EngineVerb, Deed>> = {
  enable: async (trx, { engine: { id, status } }) => {
    if (status === 'DRAINING') await enableEngine(trx, id);
    await forgetCuts(trx, id);
    return 'is to take load balancers again';
  },
  disable: async (trx, { engine: { id, status } }) => {
    const done = status === 'DRAINING' || (await takeOutOfService(trx, id));
    if (!done) throw new ConflictError(`Service engine ${id} is ${status}: it cannot be disabled.`);
    return 'is to take nothing, and to be left by what is on it';
  },
  migrate: async (trx, { engine: { id }, requestId }) => {
    const count = await askAllToLeave(trx, id, requestId);
    return `is to be left by ${count} load balancers`;
  },
  switchover: async (trx, { engine: { id }, requestId }) => {
    const { asked, alone } = await askForSwitchover(trx, { engineId: id }, requestId);
    if (asked === 0) {
      const why = alone > 0 ? 'no standby of its pairs is there' : 'it is the master of no pair';
      throw new ConflictError(`Service engine ${id} cannot hand over: ${why}.`);
    }
    return `is to hand over ${asked} load balancers to their standbys`;
  },
  reboot,
};

async function reboot(trx: Db, { engine, requestId, isEmbedded }: Asked): Promise<string> {
  const { id, status, compute_id: computeId, connected_to: connectedTo } = engine;
  if (isEmbedded) {
    throw new ConflictError(`Service engine ${id} is a process of the embedded site: it has no server to be rebooted.`);
  }
  if (!REBOOTABLE.includes(status) || computeId === null) {
    throw new ConflictError(`Service engine ${id} is ${status}: it cannot be rebooted.`);
  }
  if (await isUpgrading(trx, engine.service_engine_group_id)) {
    throw new ConflictError(`Service engine ${id} cannot be rebooted: its group is being upgraded.`);
  }
  const { others } = await countGuests(trx, id);
  // Of a pair the other one has all it needs. Who does not call is waited for by nobody: what is on it is healed.
  const moves = others > 0 || connectedTo === null;
  if (moves) {
    await takeOutOfService(trx, id);
  } else {
    const { alone } = await askForSwitchover(trx, { engineId: id }, requestId);
    if (alone > 0) throw new ConflictError(`Service engine ${id} cannot hand over: no standby of its pairs is there.`);
  }
  await insertReboot(trx, { engineId: id, moves, enables: moves && status !== 'DRAINING', requestId });
  return moves ? 'is to be rebooted once all have left it' : 'is to be rebooted once it has handed over';
}

const EVENTS: Readonly<Record<EngineVerb, string>> = {
  enable: 'ENGINE_ENABLED',
  disable: 'ENGINE_DISABLED',
  migrate: 'ENGINE_MIGRATE_REQUESTED',
  switchover: 'ENGINE_SWITCHOVER_REQUESTED',
  reboot: 'ENGINE_REBOOT_REQUESTED',
};

/** Heals a group at once that a mass failure has stopped. @throws NotFoundError */
export async function resumeGroup(deps: CommandDeps, caller: Caller, id: string): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    const group = await readOne<GroupRead>(trx, groups, id);
    if (!group) throw new NotFoundError('Service engine group', id);
    const changed = await resumeHealing(trx, id);
    const what = changed ? 'is healed again' : 'was not stopped from being healed';
    const about = { resourceType: 'service_engine_group', resourceId: id };
    const message = `group ${group.name} ${what}, by an operator`;
    await recordEvents(trx, [{ name: 'HEALING_RESUMED', severity: 'info', message, ...about }], {
      ...{ requestId: caller.requestId, userId: caller.identity.userId },
    });
  });
}

/** Lost, it is found by a sweep or an audit. */
async function hint(
  { bus, log }: Pick<CommandDeps, 'bus' | 'log'>,
  method: 'engine' | 'load_balancer',
  id: string,
): Promise<void> {
  const about = method === 'load_balancer' ? { loadBalancerId: id } : {};
  await bus
    .publish(HINTS_TOPIC, { method, args: { id }, ...about })
    .catch((error: unknown) => log.warn({ err: error, id }, 'the sweep will find it'));
}
