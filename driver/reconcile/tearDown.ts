import { inTransaction } from '../db/connect';
import { renewLease } from '../db/leases';
import { dropPlacements, forgetPlacements } from '../db/placements';
import { listWiring } from '../db/wiring';
import { isLive } from '../domain/answers';
import { settleDeleted } from '../domain/settlement';
import { unwireContrail } from './contrailWiring';
import { runStages, stageOf } from './kind';
import { addressPairs } from './kinds/addressPairs';
import { vipPort } from './kinds/vipPort';
import { hintEngines, type Run, type Verdict } from './loadBalancerRun';
import { releaseUnneeded } from './vnicNeeds';
import { NO_WIRING } from './wiringTarget';

const WIRING_STAGES = [stageOf(addressPairs)];
const VIP_STAGES = [stageOf(vipPort)];

/**
 * Takes a load balancer away, in the reverse order of bringing it up: first nobody answers for the VIPs any more, then
 * the engines forget it, and the VIPs' addresses are given up last.
 */
export async function tearDown(run: Run): Promise<Verdict> {
  const { parts, tree, before } = run;
  const { network, db } = parts;
  if (parts.contrail) await unwireContrail(run, parts.contrail);
  else if (!network.acceptsAnything) {
    const recorded = await listWiring(db, tree.id);
    if (recorded.length > 0) {
      await runStages(WIRING_STAGES, { target: { tree, ...NO_WIRING, recorded }, clouds: parts, before });
    }
  }
  if (tree.placements.length > 0 && (await takeOff(run))) {
    return { kind: 'waiting', reason: 'its engines have not forgotten it yet' };
  }
  await releaseUnneeded(run, { networks: [] });
  if (!network.acceptsAnything) {
    await runStages(VIP_STAGES, { target: { tree, ...NO_WIRING }, clouds: parts, before });
  }
  return { kind: 'settle', settlement: settleDeleted(tree) };
}

/** True while an engine that can be asked has still to forget it. */
async function takeOff(run: Run): Promise<boolean> {
  const { parts, tree, lease } = run;
  const live = tree.placements.filter(isLive);
  const unasked = live.filter(({ deleting }) => !deleting);
  const dead = tree.placements.filter((it) => !isLive(it));
  if (unasked.length + dead.length > 0) {
    await run.before('placements: take off');
    await inTransaction(parts.db, async (trx) => {
      await renewLease(trx, lease, parts.settings.leaseSeconds);
      const want = { loadBalancerId: tree.id, generation: tree.generation, epoch: lease.epoch };
      await dropPlacements(
        trx,
        unasked.map(({ id }) => id),
        want,
      );
      await forgetPlacements(trx, dead);
    });
  }
  await hintEngines(
    run,
    live.map(({ engineId }) => engineId),
  );
  return live.length > 0;
}
