import type { Db } from '../../../driver/db/connect';
import { findFlavor } from '../../../driver/db/flavors';
import { findGroupFor } from '../../../driver/db/groups';
import { askToLeave, writeFlavor } from '../../../driver/db/placementRequests';
import { ConflictError, DisabledOptionError, ValidationError } from '../../../driver/domain/errors';
import { readService } from '../../../driver/domain/placementDemand';
import type { LoadBalancerTree } from '../../../driver/domain/tree';
import { readVipWishes } from '../../../driver/domain/vipWishes';
import type { Caller, CommandDeps } from '../../changes/deps';
import type { Schemas } from '../../openapi/schemas';
import { type Deed, type Scaled, scale } from './scaling';

/**
 * Gives a live load balancer another flavor: it goes to the service engine group and HA mode of that, make before break.
 * Octavia's own update takes no flavor. @throws ServiceError
 */
export function changeFlavor(
  deps: CommandDeps,
  caller: Caller,
  { id, body }: { id: string; body: Schemas['FlavorChange'] },
): Promise<Schemas['PlacementPlanView']> {
  const flavorId = body.flavor_id;
  return scale(deps, caller, {
    id,
    async work(scaled): Promise<Deed> {
      const { trx, tree } = scaled;
      const data = flavorId === null ? {} : await usable(trx, flavorId, tree.provider);
      refuseOtherWiring(tree, data);
      await writeFlavor(trx, tree.id, flavorId);
      const leaving = await leaveMisplaced(scaled, { caller, flavorId });
      const name = flavorId === null ? 'no flavor' : `flavor ${flavorId}`;
      const what = leaving === 0 ? 'it stays on its engines' : `it is to leave ${leaving} engines for others`;
      return { name: 'FLAVOR_CHANGED', message: `it has ${name} from now on: ${what}` };
    },
  });
}

async function usable(trx: Db, id: string, provider: string): Promise<Readonly<Record<string, unknown>>> {
  const flavor = await findFlavor(trx, id);
  if (!flavor) throw new ValidationError('Invalid flavor_id.');
  if (!flavor.enabled) throw new DisabledOptionError('flavor', id);
  if (flavor.provider !== provider) {
    throw new ConflictError(`Flavor ${id} is of provider ${flavor.provider}, and the load balancer of ${provider}.`);
  }
  return flavor.data;
}

/** How VIPs are wired is chosen once: there would be a moment with both, or with none. */
function refuseOtherWiring({ id, vipMode }: LoadBalancerTree, data: Readonly<Record<string, unknown>>): void {
  const { mode } = readVipWishes(data);
  if (mode === null || vipMode === null || mode === vipMode) return;
  throw new ConflictError(
    `Load Balancer ${id} is wired by ${vipMode}: a flavor with vip_mode ${mode} needs a new one.`,
  );
}

/** Engines of another group, or made of something else, are left. */
async function leaveMisplaced(
  { trx, at, tree, kept }: Scaled,
  { caller, flavorId }: { readonly caller: Caller; readonly flavorId: string | null },
): Promise<number> {
  const found = await findGroupFor(trx, { flavorId, availabilityZone: tree.availabilityZone });
  if (!found) throw new ConflictError(`Load Balancer ${tree.id} has nowhere to go: there is no service engine group.`);
  const { group, flavor, zone } = found;
  const wishes = { topology: tree.topology, flavor, zone };
  const { computeFlavor, imageTag, engines } = readService(wishes, group.properties);
  const rows: { id: string; group_id: string; compute_flavor: string | null; image_tag: string | null }[] = await trx(
    'service_engine',
  )
    .whereIn(
      'id',
      kept.map(({ engineId }) => engineId),
    )
    .select('id', 'service_engine_group_id as group_id', 'compute_flavor', 'image_tag');
  const fits = new Set(
    rows
      .filter((it) => it.group_id === group.id && it.compute_flavor === computeFlavor && it.image_tag === imageTag)
      .map((it) => it.id),
  );
  const staying = kept.filter(({ engineId }) => fits.has(engineId)).slice(0, engines);
  const placements = kept.filter((it) => !staying.includes(it));
  if (placements.length > 0) {
    await askToLeave(trx, { placements }, { request: 'migrate', requestId: caller.requestId, at });
  }
  return placements.length;
}
