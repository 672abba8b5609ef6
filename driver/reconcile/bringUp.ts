import { inTransaction } from '../db/connect';
import type { Group } from '../db/groups';
import { renewLease } from '../db/leases';
import { wantGeneration } from '../db/placements';
import { type EnginePort, listEnginePorts, listWantedPolicies, listWiring, type WiringRecord } from '../db/wiring';
import { type Answers, isInReach, judgeAnswers, serves } from '../domain/answers';
import { isLeaving, type PlacementPlan } from '../domain/placementPlan';
import { type Happening, type Settlement, settleApplied, UNCHANGED } from '../domain/settlement';
import { isWork, type LoadBalancerTree, type Placement } from '../domain/tree';
import { servingEngines, wireContrail } from './contrailWiring';
import { letGo } from './draining';
import { keepFirewall } from './keepFirewall';
import { preparePeers, tellPeers } from './keepPeers';
import { runStages, stageOf } from './kind';
import { addressPairs } from './kinds/addressPairs';
import { engineQos } from './kinds/engineQos';
import { vipPort } from './kinds/vipPort';
import { listLeaving, unwireGone } from './leavingEngines';
import { hintEngines, type Run, type Verdict } from './loadBalancerRun';
import { type ToldOf, tellEngines } from './tellEngines';
import { demandVnics, findNeeds, listUnasked, type Needs, releaseUnneeded } from './vnicNeeds';
import { NO_WIRING } from './wiringTarget';

const VIP_STAGES = [stageOf(vipPort)];
const WIRING_STAGES = [stageOf(addressPairs), stageOf(engineQos)];

/** Brings a load balancer that is to stay to what is wanted, as far as it goes now. */
export async function bringUp(run: Run): Promise<Verdict> {
  const { parts, tree, before } = run;
  if (!parts.network.acceptsAnything) {
    await runStages(VIP_STAGES, { target: { tree, ...NO_WIRING }, clouds: parts, before });
  }
  if (parts.bootsNothing) return settled(settleApplied(tree, []));
  const needs = await findNeeds(run);
  await keepFirewall(run);
  await preparePeers(run, needs);
  const told = await tellEngines(run, needs);
  await tellPeers(run, needs);
  if (told.kind === 'telling') return { kind: 'waiting', reason: told.reason };
  const unasked = await listUnasked(run, needs);
  if (unasked.length > 0) await demandVnics(run, needs, unasked);
  return judge({ ...run, needs }, told, judgeAnswers(tree));
}

/** A run that knows where engines have to be. */
interface PlacedRun extends Run {
  readonly needs: Needs;
}

async function judge(run: PlacedRun, told: ToldOf<'told'>, answers: Answers): Promise<Verdict> {
  const { tree } = run;
  const {
    plan,
    placing: { group },
  } = told;
  if (answers.kind !== 'confirmed' && run.parts.contrail) await unwireGone(run, run.parts.contrail);
  switch (answers.kind) {
    case 'outstanding':
      return { kind: 'waiting', reason: `engine ${answers.placements[0]?.engineId} has not confirmed yet` };
    case 'unreachable':
      return isWork(tree) ? { kind: 'waiting', reason: 'none of its engines can be reached' } : settled(UNCHANGED);
    case 'refused':
      return refused(run, answers.reason);
    case 'confirmed': {
      const waiting = (await wire(run, told)) ?? awaitedBy(run, plan);
      if (waiting !== undefined) return { kind: 'waiting', reason: waiting };
      const drained = await letGo(run, plan.drop, group.properties.scaleinTimeout);
      const lookAgain = drained ?? (tree.placements.some(isForgetting) ? FORGET_LOOK : undefined);
      await releaseUnneeded(run, run.needs);
      const settlement = settleApplied(tree, answers.refusals);
      const happenings = isWork(tree) ? answers.faulty.map(faultOf) : [];
      const verdict = settled({ ...settlement, happenings: [...settlement.happenings, ...happenings] });
      return lookAgain === undefined ? verdict : { ...verdict, lookAgain };
    }
  }
}

/** Seconds until it is looked whether an engine has still not forgotten it: that it has is a hint. */
const FORGET_LOOK = 5;

function isForgetting({ deleting, draining }: Placement): boolean {
  return deleting && draining;
}

function settled(settlement: Settlement): Verdict & { readonly kind: 'settle' } {
  return { kind: 'settle', settlement };
}

/** Engines that refused before are asked again: what they lacked may be there by now. */
async function refused(run: Run, reason: string): Promise<Verdict> {
  const { parts, tree, lease } = run;
  if (!isWork(tree)) return settled(UNCHANGED);
  if (tree.attempts > 0) {
    const present = tree.placements.filter(({ deleting }) => !deleting);
    const ids = present.map(({ id }) => id);
    await run.before('placements: ask again');
    await inTransaction(parts.db, async (trx) => {
      await renewLease(trx, lease, parts.settings.leaseSeconds);
      await wantGeneration(trx, ids, { loadBalancerId: tree.id, generation: tree.generation, epoch: lease.epoch });
    });
    await hintEngines(
      run,
      present.map(({ engineId }) => engineId),
    );
  }
  return { kind: 'failed', reason };
}

/** Lets the engines that serve answer for the VIPs. Why that is not possible yet, or nothing. */
async function wire(run: PlacedRun, { plan, placing }: ToldOf<'told'>): Promise<string | undefined> {
  const { parts, tree, before, needs } = run;
  if (needs.vips.length === 0) return undefined;
  const recorded = await listWiring(parts.db, tree.id);
  const { contrail } = parts;
  const leaving = contrail ? await listLeaving(run, { placing, drop: plan.drop, recorded }) : [];
  const answering = contrail
    ? servingEngines(tree, plan.drop, placing.group)
    : answeringEngines(tree, plan.drop, { recorded, group: placing.group });
  const ports = (await listEnginePorts(parts.db, tree.id, needs)).filter(({ portId }) => portId !== null);
  const lacks = (engineId: string, networkId: string): boolean =>
    !ports.some((it) => it.engineId === engineId && it.networkId === networkId);
  for (const engineId of answering) {
    const missing = needs.vips.find(({ networkId }) => lacks(engineId, networkId));
    if (!missing) continue;
    await demandVnics(run, needs, [engineId]);
    return `engine ${engineId} has no port in network ${missing.networkId} yet`;
  }
  const wanted: EnginePort[] = ports.filter(({ engineId }) => [...answering, ...leaving].includes(engineId));
  if (contrail) return wireContrail(run, { contrail, placing, needs, ports: wanted, leaving, recorded });
  const policies = await findPolicies(run, wanted);
  const target = { tree, ports: wanted, vips: needs.vips, policies, recorded };
  await runStages(WIRING_STAGES, { target, clouds: parts, before });
  return undefined;
}

/** Looked at after a change, and as long as somebody has a policy. */
async function findPolicies(
  { parts, tree, needs }: PlacedRun,
  ports: readonly EnginePort[],
): Promise<ReadonlyMap<string, readonly (string | null)[]>> {
  if (needs.domainId === null) return new Map();
  const vipSide = ports.filter(({ networkId }) => needs.vips.some((vip) => vip.networkId === networkId));
  const found = await listWantedPolicies(
    parts.db,
    vipSide.flatMap(({ portId }) => portId ?? []),
  );
  const isOfInterest = isWork(tree) || [...found.values()].flat().some((policy) => policy !== null);
  return isOfInterest ? found : new Map();
}

/**
 * The network service takes traffic for a VIP to one port at a time, so one engine answers: the one that did, as long as it
 * serves, so that nothing moves without a reason; else the first by role. A silent one keeps the VIP until another serves.
 */
function answeringEngines(
  tree: LoadBalancerTree,
  dropped: readonly Placement[],
  { recorded, group }: { readonly recorded: readonly WiringRecord[]; readonly group: Group },
): string[] {
  // Of a pair both may answer, and only the master does.
  if ((tree.masterTerm ?? null) !== null) return servingEngines(tree, dropped, group);
  const serving = tree.placements.filter((it) => serves(it) && !dropped.includes(it));
  const fresh = serving.filter(isInReach);
  const able = fresh.length > 0 && !group.holdsStill ? fresh : serving;
  const rank = (it: Placement): number =>
    (isLeaving(it) ? 10 : 0) + (recorded.some(({ engineId }) => engineId === it.engineId) ? 0 : 1 + ROLE_RANK[it.role]);
  const [first] = [...able].sort((a, b) => rank(a) - rank(b) || (a.engineId < b.engineId ? -1 : 1));
  return first ? [first.engineId] : [];
}

const ROLE_RANK: Readonly<Record<Placement['role'], number>> = { primary: 0, secondary: 1, standby: 2 };

/** Why a change still waits for the engine that is to take over; nothing once it has. */
function awaitedBy({ tree }: Run, { drop }: PlacementPlan): string | undefined {
  if (drop.length > 0) return undefined;
  const present = tree.placements.filter(({ deleting }) => !deleting);
  const awaited = present.some(isLeaving) && present.some((it) => !isLeaving(it));
  return awaited && isWork(tree) ? 'the engine that is to take over has not confirmed yet' : undefined;
}

function faultOf({ engineId, refusals }: Placement): Happening {
  return {
    name: 'ENGINE_REFUSED',
    severity: 'warning',
    message: refusals.map(({ reason }) => reason).join('; ') || 'the engine refused what others serve',
    engineId,
  };
}
