import type { Logger } from 'pino';
import { type Bus, HINTS_TOPIC } from '../bus/port';
import type { ComputeDriver } from '../clouds/compute/port';
import { type Db, inTransaction } from '../db/connect';
import { listConcernedBy, noteCut, noteCutOver } from '../db/engineReach';
import { recordEvents } from '../db/events';
import { findGroupName } from '../db/groups';
import {
  askToHeal,
  type HealingRows,
  listGroupsInTrouble,
  listUnhealed,
  noteIsolated,
  readHealing,
  retireDeadEngine,
  writeBreaker,
} from '../db/healing';
import { type HealingDecision, type HealingPlan, type HealingSettings, planHealing } from '../domain/healing';

/** What healing works with. */
export interface HealDeps {
  readonly db: Db;
  readonly bus: Bus;
  readonly log: Logger;
  readonly settings: HealingSettings;
  /** Says whether the servers of silent engines run; without it nothing is known of them. */
  readonly compute?: Pick<ComputeDriver, 'findServer' | 'listServers' | 'bootsNothing'>;
}

/** At most so many that wait are hinted at a time. */
const MOST_HINTS = 500;

/** Looks at all groups in which an engine is lost, and does what is to be done. May be done by several at a time. */
export async function healGroups(deps: HealDeps): Promise<void> {
  for (const id of await listGroupsInTrouble(deps.db)) await healGroup(deps, id);
  for (const id of await listUnhealed(deps.db, MOST_HINTS)) await hint(deps, 'load_balancer', id);
}

/** One look at one group. */
export async function healGroup(deps: HealDeps, groupId: string): Promise<void> {
  const rows = await readHealing(deps.db, groupId);
  if (!rows) return;
  const servers = await serversOf(deps, rows);
  const engines = rows.engines.map((engine) => ({ ...engine, server: servers.get(engine.id) ?? ('unknown' as const) }));
  const plan = planHealing({ ...rows, engines }, deps.settings, rows.now);
  if (!(await keepBreaker(deps, { groupId, rows, plan }))) return;
  for (const decision of plan.decisions) await carryOut(deps, decision);
}

type Known = 'running' | 'stopped' | 'gone' | 'unknown';

/** A compute service that does not answer says nothing: what is known without it has to do. */
async function serversOf({ compute, log }: HealDeps, { engines }: HealingRows): Promise<ReadonlyMap<string, Known>> {
  const known = new Map<string, Known>();
  if (!compute || compute.bootsNothing) return known;
  for (const { id, status, deleting, computeId } of engines) {
    if (status !== 'DOWN' || deleting || computeId === null) continue;
    try {
      const server = compute.findServer
        ? await compute.findServer(computeId)
        : (await compute.listServers()).find((it) => it.id === computeId);
      known.set(id, !server ? 'gone' : server.stopped ? 'stopped' : 'running');
    } catch (err) {
      log.info({ err, engine: id }, 'the server of a silent engine could not be asked after');
    }
  }
  return known;
}

interface Look {
  readonly groupId: string;
  readonly rows: HealingRows;
  readonly plan: HealingPlan;
}

/** False: another process is at it. */
async function keepBreaker({ db, log }: HealDeps, { groupId, rows, plan }: Look): Promise<boolean> {
  const { change, breaker } = plan.breaker;
  if (change === null) return true;
  return inTransaction(db, async (trx) => {
    if (!(await writeBreaker(trx, groupId, { from: rows.breaker, to: breaker }))) return false;
    const name = await findGroupName(trx, groupId);
    const silent = rows.engines.filter(({ silentSince, status }) => silentSince !== null && status === 'DOWN');
    const ids = new Set(rows.engines.map(({ id }) => id));
    const troubled = new Set(
      rows.reach.flatMap((it) => (it.state === 'trouble' && ids.has(it.engineId) ? it.engineId : [])),
    );
    const cut = troubled.size > 0 ? `, and ${troubled.size} have lost networks of VIPs` : '';
    const seen = `${silent.length} of ${rows.engines.length} engines of group ${name} are silent${cut}`;
    const happening = { ...BREAKER_EVENTS[change], resourceType: 'service_engine_group', resourceId: groupId };
    const message = `${seen}: ${happening.message}`;
    log.warn({ group: name, event: happening.name }, message);
    await recordEvents(trx, [{ ...happening, message }]);
    return true;
  });
}

const BREAKER_EVENTS = {
  tripped: {
    name: 'HEALING_STOPPED',
    severity: 'error',
    message:
      'too many at once. Engines and VIPs stay as they are until no more are lost for a while, or an operator resumes it',
  },
  resuming: {
    name: 'HEALING_RESUMING',
    severity: 'warning',
    message: 'no more were lost for a while. They are healed one after the other',
  },
  closed: { name: 'HEALING_RESUMED', severity: 'info', message: 'what is lost is healed at once again' },
} as const;

async function carryOut(deps: HealDeps, decision: HealingDecision): Promise<void> {
  const done = await inTransaction(deps.db, async (trx) => {
    if (!(await write(trx, decision))) return false;
    const { engineId, reason } = decision;
    const about =
      decision.kind === 'move' ? { resourceType: 'load_balancer', resourceId: decision.loadBalancerId } : {};
    const told = { ...EVENTS[decision.kind], ...about, engineId, message: messageOf(decision) };
    const loadBalancerId = decision.kind === 'move' ? decision.loadBalancerId : null;
    await recordEvents(trx, [told], { loadBalancerId });
    deps.log.warn({ engine: engineId, event: told.name, ...(loadBalancerId && { lb: loadBalancerId }) }, reason);
    return true;
  });
  if (!done) return;
  if (decision.kind === 'move') await hint(deps, 'load_balancer', decision.loadBalancerId);
  if (decision.kind === 'retire') await hint(deps, 'engine', decision.engineId);
  if (decision.kind === 'cut' || decision.kind === 'cutOver') await hintConcerned(deps, decision);
}

/** They leave its wiring, or give back what they have left it to be judged by. */
async function hintConcerned(deps: HealDeps, decision: Parameters<typeof listConcernedBy>[1]): Promise<void> {
  for (const id of await listConcernedBy(deps.db, decision)) await hint(deps, 'load_balancer', id);
}

function write(trx: Db, decision: HealingDecision): Promise<boolean> {
  switch (decision.kind) {
    case 'move':
      return askToHeal(trx, decision.placementId);
    case 'isolated':
      return noteIsolated(trx, decision.engineId, true);
    case 'rejoined':
      return noteIsolated(trx, decision.engineId, false);
    case 'cut':
      return noteCut(trx, decision);
    case 'cutOver':
      return noteCutOver(trx, decision);
    case 'retire':
      return retireDeadEngine(trx, decision.engineId);
  }
}

const EVENTS = {
  move: { name: 'PLACEMENT_HEALING', severity: 'warning' },
  isolated: { name: 'ENGINE_ISOLATED', severity: 'warning' },
  rejoined: { name: 'ENGINE_REJOINED', severity: 'info' },
  cut: { name: 'ENGINE_CUT', severity: 'error' },
  cutOver: { name: 'ENGINE_CUT_OVER', severity: 'info' },
  retire: { name: 'ENGINE_RETIRED', severity: 'warning' },
} as const;

function messageOf(decision: HealingDecision): string {
  const { reason } = decision;
  if (decision.kind === 'move') return `load balancer ${decision.loadBalancerId} is to have another engine: ${reason}`;
  if (decision.kind === 'cut') return `${reason}: load balancers there leave it, and none come`;
  if (decision.kind === 'cutOver') return `${reason}: it takes load balancers again`;
  return decision.kind === 'retire' ? `${reason}: it is taken down` : reason;
}

async function hint({ bus, log }: HealDeps, method: 'load_balancer' | 'engine', id: string): Promise<void> {
  const about = method === 'load_balancer' ? { loadBalancerId: id } : {};
  await bus
    .publish(HINTS_TOPIC, { method, args: { id }, ...about })
    .catch((err: unknown) => log.info({ err }, 'a hint could not be sent'));
}
