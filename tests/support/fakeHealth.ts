import { type Bus, ENGINES_TOPIC, HINTS_TOPIC } from '../../driver/bus/port';
import { confirmPlacement, confirmRemoval, listPlacementsOn } from '../../driver/db/confirmations';
import { type Db, inTransaction } from '../../driver/db/connect';
import { loadTree } from '../../driver/db/tree';
import type { ObjectRefusal } from '../../driver/domain/tree';
import type { LoadBalancerSpec } from '../../driver/protocol/spec';
import { buildSpec } from '../../driver/target/spec';

/** How an engine answers what it is told. */
export interface EngineManner {
  /** `silent`: never. `refuse`: nothing of it can be put in force. */
  readonly answer: 'confirm' | 'refuse' | 'silent';
  readonly refusals?: readonly ObjectRefusal[];
}

/**
 * A health-manager with engines that answer at once and as told, on the real tables: what is between the reconciler and
 * the data plane, for tests of the reconciler.
 */
export interface FakeHealth {
  /** From now on the engine answers so. Engines nobody spoke about confirm everything. */
  behave(engineId: string, manner: EngineManner): void;
  /** The specs each engine has put in force or refused, oldest first. */
  readonly told: ReadonlyMap<string, readonly LoadBalancerSpec[]>;
  /** What an engine serves now: ids of load balancers. */
  serves(engineId: string): string[];
  /** Says again what it says now about a load balancer, as an agent does when a refusal goes away. */
  answerAgain(engineId: string, loadBalancerId: string): Promise<void>;
  close(): Promise<void>;
}

export async function startFakeHealth({ db, bus }: { db: Db; bus: Bus }): Promise<FakeHealth> {
  const manners = new Map<string, EngineManner>();
  const told = new Map<string, LoadBalancerSpec[]>();
  const serving = new Map<string, Set<string>>();

  const answer = async (engineId: string, loadBalancerId: string): Promise<void> => {
    const manner = manners.get(engineId) ?? { answer: 'confirm' };
    if (manner.answer === 'silent') return;
    const from = { engineId, epoch: 1 };
    const placement = (await listPlacementsOn(db, engineId)).find((it) => it.loadBalancerId === loadBalancerId);
    const served = serving.get(engineId) ?? new Set();
    serving.set(engineId, served);
    if (!placement || placement.deleting) {
      served.delete(loadBalancerId);
      const generation = placement?.wantedGeneration ?? 0;
      await inTransaction(db, (trx) => confirmRemoval(trx, from, { loadBalancerId, generation }));
    } else {
      const tree = await loadTree(db, loadBalancerId);
      if (!tree) return;
      const generation = placement.wantedGeneration;
      told.set(engineId, [
        ...(told.get(engineId) ?? []),
        buildSpec(tree, { generation, epoch: placement.wantedEpoch }),
      ]);
      const refused = manner.answer === 'refuse';
      if (!refused) served.add(loadBalancerId);
      const refusals = manner.refusals ?? [];
      await inTransaction(db, (trx) => confirmPlacement(trx, from, { loadBalancerId, generation, refused, refusals }));
    }
    const args = { id: loadBalancerId };
    await bus.publish(HINTS_TOPIC, { method: 'load_balancer', args, loadBalancerId });
  };

  const subscription = await bus.subscribeBroadcast(ENGINES_TOPIC, async ({ method, args }) => {
    if (method === 'placements') await answer(String(args['engine_id']), String(args['load_balancer_id']));
  });
  return {
    behave: (engineId, manner) => void manners.set(engineId, manner),
    told,
    serves: (engineId) => [...(serving.get(engineId) ?? [])],
    answerAgain: answer,
    close: () => subscription.close(),
  };
}
