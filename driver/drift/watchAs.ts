import { type Bus, ENGINES_TOPIC } from '../bus/port';
import { changeRemoteAs } from '../db/bgpServices';
import type { Db } from '../db/connect';
import { BGP_AS, closeTrouble, openTrouble } from '../db/troubles';
import type { Inventory } from '../domain/inventory';

/**
 * Follows the AS of the control nodes, which somebody may change while engines have sessions with them: engines are told
 * of it, and operators if it has become the engines' own, for that is iBGP, in which control nodes set up no session.
 */
export async function watchAs(
  { db, bus }: { readonly db: Db; readonly bus: Bus },
  { autonomousSystem }: Inventory['sessions'],
): Promise<void> {
  if (autonomousSystem === null) return;
  const { engineIds, localAs } = await changeRemoteAs(db, autonomousSystem);
  for (const engineId of engineIds) {
    await bus.broadcast(ENGINES_TOPIC, { method: 'networks', args: { engine_id: engineId } });
  }
  if (localAs.includes(autonomousSystem)) {
    const message = `iBGP: AS ${autonomousSystem} of the engines ([contrail] bgp_local_as) has become the AS of Contrail's control nodes (autonomous_system of the global-system-config): they set up no session within their own AS, so announced VIPs are not reachable; give one of them another AS`;
    const trouble = { cause: BGP_AS, about: { what: message, context: {} } };
    await openTrouble(db, trouble, { name: 'BGP_AS_TAKEN', severity: 'error', message });
    return;
  }
  const message = `AS ${autonomousSystem} of Contrail's control nodes is not the engines' any more: sessions can be set up again`;
  await closeTrouble(db, BGP_AS, () => ({ name: 'BGP_AS_OK', severity: 'info', message }));
}
