import { digestOfPeers, ensurePeerPort, findPeerPort, listPeerVnics, notePeersTold } from '../db/peers';
import { listPeers } from '../domain/peers';
import { isWork, type LoadBalancerTree, learnsOfClients } from '../domain/tree';
import { hintEngines, type Run } from './loadBalancerRun';
import type { Needs } from './vnicNeeds';

/** Sees that the engines of a load balancer can share what they learn of clients, before any of them is told of it. */
export async function preparePeers({ parts, tree, before, log }: Run, { domainId }: Needs): Promise<void> {
  if (domainId === null || !learns(tree)) return;
  if (await findPeerPort(parts.db, tree.id)) return;
  await before('peers: choose a port');
  if (await ensurePeerPort(parts.db, tree.id, domainId)) return;
  log.warn({ network: domainId }, 'no port is left for engines to share what they learn of clients');
}

/**
 * Tells the engines when they are others, or at other addresses, than they were told last. Nothing waits for that: an
 * engine that begins to serve learns from whoever has been told.
 */
export async function tellPeers(run: Run, { domainId }: Needs): Promise<void> {
  const { parts, tree } = run;
  if (domainId === null || !learns(tree)) return;
  const port = await findPeerPort(parts.db, tree.id);
  if (!port) return;
  const peers = listPeers(await listPeerVnics(parts.db, tree.id));
  const digest = digestOfPeers(peers);
  const isNews = digest !== port.told;
  // An audit hints without news too: the last hint may have been lost, and whoever has been told tells nothing twice.
  if (!isNews && (isWork(tree) || peers.length < 2)) return;
  await run.before('peers: tell');
  await hintEngines(
    run,
    peers.map(({ engineId }) => engineId),
  );
  if (isNews) await notePeersTold(parts.db, tree.id, digest);
}

function learns({ pools }: LoadBalancerTree): boolean {
  return pools.some((pool) => !pool.deleting && learnsOfClients(pool));
}
