import { HINTS_TOPIC } from '../bus/port';
import type { ComputeDriver } from '../clouds/compute/port';
import { inTransaction } from '../db/connect';
import { endReboot, isLeft, listReboots, noteRebootAsked, type Reboot, startRebootStep } from '../db/engineReboots';
import { enableEngine, listOnEngine } from '../db/engineVerbs';
import { recordEvents } from '../db/events';
import { listGroups } from '../db/fleet';
import { PassedThroughError } from '../domain/errors';
import { nextReboot, type RebootTimes, type RebootView } from '../domain/reboot';
import type { Happening } from '../domain/settlement';
import type { FleetDeps } from './ensureFleet';

/** How long a guest has to shut down and to come back by itself, unless tests say otherwise. Milliseconds. */
const SOFT = 180_000;

export interface RebootDeps extends FleetDeps {
  readonly compute: Pick<ComputeDriver, 'findServer' | 'listServers' | 'rebootServer'>;
  /** Over those of the configuration. */
  readonly times?: Partial<RebootTimes>;
}

/** Carries on with every reboot that an operator has asked for: what is decided is in the rows before it is done. */
export async function advanceReboots(deps: RebootDeps): Promise<void> {
  const reboots = await listReboots(deps.db);
  if (reboots.length === 0) return;
  const groups = new Map((await listGroups(deps.db)).map(({ id, properties }) => [id, properties]));
  for (const reboot of reboots) {
    if (reboot.deleting) continue;
    try {
      const times = timesOf(deps, groups.get(reboot.groupId)?.scaleinTimeout ?? 0);
      await advance(deps, reboot, times);
    } catch (err) {
      deps.log.warn({ err, engine: reboot.engineId }, 'a reboot could not be carried on with; it is tried again');
    }
  }
}

function timesOf({ config, times }: RebootDeps, scaleinTimeout: number): RebootTimes {
  const { pending_deadline: deadline } = config.controller_worker;
  const drain = (2 * deadline + 2 * scaleinTimeout + 60) * 1000;
  return { drain, soft: SOFT, hard: config.service_engine.se_create_timeout * 1000, ...times };
}

async function advance(deps: RebootDeps, reboot: Reboot, times: RebootTimes): Promise<void> {
  const { db } = deps;
  const left = reboot.step !== 'draining' || (await isLeft(db, reboot));
  const view: RebootView = { ...reboot, isLeft: left, server: await serverOf(deps, reboot) };
  const move = nextReboot(view, times, reboot.now);
  switch (move.kind) {
    case 'wait':
      return;
    case 'ask':
      return ask(deps, reboot, move.how);
    case 'finish': {
      const took = Math.round((reboot.now - reboot.beganAt) / 1000);
      return end(deps, reboot, {
        ...{ name: 'ENGINE_REBOOTED', severity: 'info' },
        message: `service engine ${reboot.engineName} is rebooted (${reboot.step}), and is what it was, after ${took} s`,
      });
    }
    case 'giveUp':
      return end(deps, reboot, {
        ...{ name: 'ENGINE_REBOOT_FAILED', severity: 'error' },
        message: `service engine ${reboot.engineName} is not rebooted (${reboot.step}): ${move.reason}`,
      });
  }
}

async function serverOf({ compute, log }: RebootDeps, { engineId, computeId }: Reboot): Promise<RebootView['server']> {
  if (computeId === null) return 'gone';
  try {
    const server = compute.findServer
      ? await compute.findServer(computeId)
      : (await compute.listServers()).find(({ id }) => id === computeId);
    if (!server) return 'gone';
    if (server.rebooting) return 'rebooting';
    return server.stopped ? 'stopped' : 'running';
  } catch (err) {
    log.info({ err, engine: engineId }, 'the server of an engine that is rebooted could not be asked after');
    return undefined;
  }
}

/** Conflicts of Nova: it reboots already, or is in no state to be rebooted softly. */
const CONFLICT = 409;

async function ask(deps: RebootDeps, reboot: Reboot, how: 'soft' | 'hard'): Promise<void> {
  const { db, compute, log } = deps;
  const { engineId, computeId, engineName } = reboot;
  if (!compute.rebootServer || computeId === null) return;
  if (!(await startRebootStep(db, reboot, how))) return;
  try {
    await compute.rebootServer(computeId, how);
  } catch (error) {
    if (!(error instanceof PassedThroughError) || error.status !== CONFLICT) throw error;
    log.info({ engine: engineId, how, reason: error.message }, 'the compute service does not reboot an engine so');
    const server = await serverOf(deps, reboot);
    if (server !== 'rebooting') {
      if (how === 'soft') await startRebootStep(db, { engineId, step: 'soft' }, 'hard');
      return;
    }
  }
  await noteRebootAsked(db, engineId);
  const message = `service engine ${engineName}: the compute service reboots its server ${computeId} (${how})`;
  await recordEvents(db, [{ name: 'ENGINE_REBOOTING', severity: 'info', message }], contextOf(reboot));
}

async function end(deps: RebootDeps, reboot: Reboot, happening: Happening): Promise<void> {
  const { db, log } = deps;
  const { engineId } = reboot;
  const concerned = await inTransaction(db, async (trx) => {
    const enables = await endReboot(trx, engineId);
    if (enables === undefined) return undefined;
    if (enables) await enableEngine(trx, engineId);
    await recordEvents(trx, [happening], contextOf(reboot));
    return listOnEngine(trx, engineId);
  });
  if (!concerned) return;
  log.info({ engine: engineId, event: happening.name }, happening.message);
  await hint(deps, 'engine', engineId);
  for (const id of concerned) await hint(deps, 'load_balancer', id);
}

function contextOf({ engineId, requestId }: Reboot) {
  return { engineId, requestId };
}

async function hint({ bus, log }: RebootDeps, method: 'engine' | 'load_balancer', id: string): Promise<void> {
  const about = method === 'load_balancer' ? { loadBalancerId: id } : {};
  await bus.publish(HINTS_TOPIC, { method, args: { id }, ...about }).catch((err: unknown) => {
    log.warn({ err, id }, 'the sweep will find it');
  });
}
