import { inTransaction } from '../db/connect';
import { recordEvents } from '../db/events';
import { renewLease } from '../db/leases';
import { forgetMastership, listGateways, listHeard, listTags, writeGrant } from '../db/masterships';
import { isLive, serves } from '../domain/answers';
import { type Grant, grantMastership, type PairMember } from '../domain/mastership';
import { isLeaving } from '../domain/placementPlan';
import type { Happening } from '../domain/settlement';
import type { LoadBalancerTree, Placement } from '../domain/tree';
import type { Run } from './loadBalancerRun';
import type { Placing } from './placing';

/** The tag, of a load balancer or by its flavor, that takes it to the second engine of its pair. */
const SECOND = 'ACTIVE_STANDBY_SE_2';

/**
 * Sees that a pair has a master: the first time, when the present one is lost, when an engine took over while no
 * controller was there, or when the one that is to have it is back. Gives the tree as it is after that.
 */
export async function keepMastership(run: Run, placing: Placing): Promise<LoadBalancerTree> {
  const { tree } = run;
  const isPair = placing.service.haMode === 'active_standby';
  const term = tree.masterTerm ?? null;
  if (!isPair) return term === null ? tree : endPair(run);
  const present = tree.placements.filter((it) => !it.deleting && !it.draining);
  if (present.length === 0) return tree;
  const preferred = await preferredEngine(run, placing, present);
  const grant =
    term === null
      ? firstGrant(present, preferred)
      : grantMastership(
          {
            members: await membersOf(run, present, preferred),
            term,
            givesBack: placing.group.properties.autoRedistribute,
          },
          Date.now(),
        );
  return grant === undefined ? tree : carryOut(run, grant);
}

function firstGrant(present: readonly Placement[], preferred: string): Grant {
  const engineId = present.some((it) => it.engineId === preferred) ? preferred : (present[0]?.engineId ?? '');
  return { engineId, term: 1, why: 'takeover', reason: 'it is served by a pair from now on' };
}

/** The engines of a pair are first and second by their age. */
async function preferredEngine(
  { parts, tree }: Run,
  { group, seTag }: Placing,
  present: readonly Placement[],
): Promise<string> {
  const age = ({ engine }: Placement): number => engine.madeAt ?? 0;
  const sorted = [...present]
    .filter((it) => !isLeaving(it))
    .sort((a, b) => age(a) - age(b) || (a.engineId < b.engineId ? -1 : 1));
  const [first, second] = sorted.length > 0 ? sorted : present;
  const splits = group.properties.distributeLoad;
  const isSecond = splits && (seTag === SECOND || (await listTags(parts.db, tree.id)).includes(SECOND));
  return ((isSecond ? second : undefined) ?? first)?.engineId ?? '';
}

async function membersOf({ parts }: Run, present: readonly Placement[], preferred: string): Promise<PairMember[]> {
  const ids = present.map(({ engineId }) => engineId);
  const heard = await listHeard(parts.db, ids);
  const gateways = await listGateways(parts.db, ids);
  return present.map((placement) => {
    const { engineId, role, engine, claim = null } = placement;
    const live = isLive(placement) && serves(placement) && !isLeaving(placement);
    return {
      ...{ engineId, primary: role === 'primary', live, claim, preferred: engineId === preferred },
      heard: isLeaving(placement) ? false : (heard.get(engineId) ?? null),
      gateway: gateways.get(engineId) ?? null,
      handsOver: placement.request === 'switchover',
      liveSince: live ? (engine.upSince ?? 0) : null,
    };
  });
}

async function carryOut(run: Run, grant: Grant): Promise<LoadBalancerTree> {
  const { parts, tree, lease, log } = run;
  const { engineId, term, why, reason } = grant;
  await run.before('mastership: grant');
  await inTransaction(parts.db, async (trx) => {
    await renewLease(trx, lease, parts.settings.leaseSeconds);
    await writeGrant(trx, tree.id, grant);
    await recordEvents(trx, (tree.masterTerm ?? null) === null ? [] : [happeningOf(tree, grant)], contextOf(tree));
  });
  log.info({ engine: engineId, term, why }, reason);
  return {
    ...tree,
    masterTerm: term,
    placements: tree.placements.map((it) =>
      it.deleting
        ? it
        : {
            ...it,
            role: it.engineId === engineId ? ('primary' as const) : ('standby' as const),
            request: it.request === null || it.request === 'switchover' ? 'configure' : it.request,
          },
    ),
  };
}

async function endPair(run: Run): Promise<LoadBalancerTree> {
  const { parts, tree, lease } = run;
  await run.before('mastership: end');
  await inTransaction(parts.db, async (trx) => {
    await renewLease(trx, lease, parts.settings.leaseSeconds);
    await forgetMastership(trx, tree.id);
  });
  const placements = tree.placements.map((it) =>
    it.deleting
      ? it
      : { ...it, role: it.role === 'standby' ? ('secondary' as const) : it.role, request: it.request ?? 'configure' },
  );
  return { ...tree, masterTerm: null, placements };
}

function happeningOf({ id }: LoadBalancerTree, { engineId, term, why, reason }: Grant): Happening {
  const severity = why === 'takeover' || why === 'learnt' ? 'warning' : 'info';
  const message = `load balancer ${id}: ${reason}; engine ${engineId} is the master, term ${term}`;
  return { name: EVENTS[why], severity, message, engineId, resourceType: 'load_balancer', resourceId: id };
}

const EVENTS: Readonly<Record<Grant['why'], string>> = {
  learnt: 'MASTERSHIP_LEARNT',
  takeover: 'MASTERSHIP_MOVED',
  giveback: 'MASTERSHIP_GIVEN_BACK',
  again: 'MASTERSHIP_MOVED',
  asked: 'MASTERSHIP_MOVED',
};

function contextOf({ id, projectId }: LoadBalancerTree) {
  return { projectId, loadBalancerId: id };
}
