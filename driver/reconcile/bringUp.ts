import { randomUUID } from 'node:crypto';
import { inTransaction } from '../db/connect';
import { renewLease } from '../db/leases';
import { dropPlacements, forgetPlacements, wantGeneration } from '../db/placements';
import { needVnic } from '../db/vnics';
import { type EnginePort, listEnginePorts, listWiring } from '../db/wiring';
import { type Answers, isLive, judgeAnswers, serves } from '../domain/answers';
import { isLeaving, type PlacementPlan } from '../domain/placementPlan';
import { type Happening, type Settlement, settleApplied, UNCHANGED } from '../domain/settlement';
import { isWork, type LoadBalancerTree, type Placement } from '../domain/tree';
import { runStages, stageOf } from './kind';
import { addressPairs } from './kinds/addressPairs';
import { vipPort } from './kinds/vipPort';
import { hintEngines, hintEngineUnits, type Run, type Verdict } from './loadBalancerRun';
import { tellEngines } from './tellEngines';

const VIP_STAGES = [stageOf(vipPort)];
const WIRING_STAGES = [stageOf(addressPairs)];

/** Brings a load balancer that is to stay to what is wanted, as far as it goes now. */
export async function bringUp(run: Run): Promise<Verdict> {
  const { parts, tree, before } = run;
  if (!parts.network.acceptsAnything) {
    await runStages(VIP_STAGES, { target: { tree, ports: [], recorded: [] }, clouds: parts, before });
  }
  if (parts.bootsNothing) return settled(settleApplied(tree, []));
  const told = await tellEngines(run);
  if (told.kind === 'telling') return { kind: 'waiting', reason: told.reason };
  return judge(run, told.plan, judgeAnswers(tree));
}

async function judge(run: Run, plan: PlacementPlan, answers: Answers): Promise<Verdict> {
  const { tree } = run;
  switch (answers.kind) {
    case 'outstanding':
      return { kind: 'waiting', reason: `engine ${answers.placements[0]?.engineId} has not confirmed yet` };
    case 'unreachable':
      return isWork(tree) ? { kind: 'waiting', reason: 'none of its engines can be reached' } : settled(UNCHANGED);
    case 'refused':
      return refused(run, answers.reason);
    case 'confirmed': {
      const waiting = (await wire(run, plan)) ?? (await replace(run, plan));
      if (waiting !== undefined) return { kind: 'waiting', reason: waiting };
      const settlement = settleApplied(tree, answers.refusals);
      const happenings = isWork(tree) ? answers.faulty.map(faultOf) : [];
      return settled({ ...settlement, happenings: [...settlement.happenings, ...happenings] });
    }
  }
}

function settled(settlement: Settlement): Verdict {
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
async function wire(run: Run, plan: PlacementPlan): Promise<string | undefined> {
  const { parts, tree, before } = run;
  const { networkId } = tree.vip;
  if (parts.network.acceptsAnything || networkId === null) return undefined;
  const answering = answeringEngines(tree, plan.drop);
  const ports = await listEnginePorts(parts.db, tree.id, networkId);
  const missing = answering.filter((engineId) => !ports.some((it) => it.engineId === engineId && it.portId !== null));
  if (missing.length > 0) {
    await stateNeeds(run, missing);
    return `engine ${missing[0]} has no port in network ${networkId} yet`;
  }
  const wanted: EnginePort[] = ports.filter(({ engineId }) => answering.includes(engineId));
  const target = { tree, ports: wanted, recorded: await listWiring(parts.db, tree.id) };
  await runStages(WIRING_STAGES, { target, clouds: parts, before });
  return undefined;
}

/** A silent engine keeps the VIP until another one serves. */
function answeringEngines(tree: LoadBalancerTree, dropped: readonly Placement[]): string[] {
  const serving = tree.placements.filter((it) => serves(it) && !dropped.includes(it));
  const fresh = serving.filter(({ stale }) => !stale);
  return (fresh.length > 0 ? fresh : serving).map(({ engineId }) => engineId);
}

async function stateNeeds(run: Run, engineIds: readonly string[]): Promise<void> {
  const { parts, tree, lease } = run;
  const { networkId, subnetId } = tree.vip;
  if (networkId === null) return;
  await run.before('vnics: need');
  await inTransaction(parts.db, async (trx) => {
    await renewLease(trx, lease, parts.settings.leaseSeconds);
    for (const engineId of engineIds) await needVnic(trx, { id: randomUUID(), engineId, networkId, subnetId });
  });
  await hintEngineUnits(run, engineIds);
}

/** Takes off the placements that others have replaced. Why a replacement is still awaited, or nothing. */
async function replace(run: Run, { drop }: PlacementPlan): Promise<string | undefined> {
  const { parts, tree, lease } = run;
  if (drop.length > 0) {
    const live = drop.filter(isLive);
    const want = { loadBalancerId: tree.id, generation: tree.generation, epoch: lease.epoch };
    await run.before('placements: drop');
    await inTransaction(parts.db, async (trx) => {
      await renewLease(trx, lease, parts.settings.leaseSeconds);
      await dropPlacements(
        trx,
        live.map(({ id }) => id),
        want,
      );
      await forgetPlacements(
        trx,
        drop.filter((it) => !isLive(it)),
      );
    });
    await hintEngines(
      run,
      live.map(({ engineId }) => engineId),
    );
    return undefined;
  }
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
