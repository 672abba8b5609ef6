import type { Db } from '../db/connect';
import { findFirewall } from '../db/firewalls';
import { findFlavor } from '../db/flavors';
import { findPeerPort, listPeerVnics } from '../db/peers';
import { loadTree } from '../db/tree';
import { listPeers, type Peers, peersOf } from '../domain/peers';
import { type LoadBalancerTree, learnsOfClients } from '../domain/tree';
import { materialsOf } from '../protocol/materials';
import type { PutSpec, RemoveSpec } from '../protocol/messages';
import type { FirewallRule, LoadBalancerSpec } from '../protocol/spec';
import { optionsFor, type SpecOptions } from '../target/options';
import { buildSpec, type SpecPlace } from '../target/spec';
import type { Bounded } from './bounded';
import type { EngineLink } from './connections';
import type { MaterialSource } from './materials/source';
import type { NetworkPusher } from './networks';

/** What an engine has to be told of a load balancer now. */
export type Composed =
  | {
      readonly message: PutSpec /** The rows have moved on meanwhile: to be composed again. */;
      readonly behind: boolean;
    }
  | { readonly message: RemoveSpec; readonly behind: boolean }
  /** It is not placed there and the engine does not hold it; or its networks are awaited there. */
  | { readonly message: undefined; readonly behind: boolean };

export interface ComposeDeps {
  readonly db: Db;
  readonly materials: MaterialSource;
  readonly networks: Pick<NetworkPusher, 'placeOf'>;
  /** How many trees are read at a time. */
  readonly builds: Bounded;
  readonly settings: { readonly spec: SpecOptions };
}

/** The rows hold what cannot be put into a spec. */
export class SpecError extends Error {
  override readonly name = 'SpecError';
  constructor(
    readonly loadBalancerId: string,
    readonly generation: number,
    cause: unknown,
  ) {
    super(`no spec can be built: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/**
 * Reads the rows and composes the message. Private keys are fetched here: between the rows and the engine is the one
 * place that may see them.
 * @throws SpecError, and whatever the database throws
 */
export async function composeMessage(deps: ComposeDeps, link: EngineLink, loadBalancerId: string): Promise<Composed> {
  const { db, materials, builds, settings } = deps;
  const tree = await builds.run(() => loadTree(db, loadBalancerId));
  const placement = tree?.placements.find(({ engineId }) => engineId === link.engineId);
  const held = link.held.get(loadBalancerId) ?? { generation: 0, epoch: 0 };
  if (!tree || !placement || placement.deleting) {
    if (!placement && !link.held.has(loadBalancerId)) return { message: undefined, behind: false };
    const wanted = { generation: placement?.wantedGeneration ?? 0, epoch: placement?.wantedEpoch ?? 0 };
    const version = isBefore(wanted, held) ? held : wanted;
    return { message: { type: 'remove', id: loadBalancerId, ...version }, behind: false };
  }
  const place = await findPlace(deps, link, tree);
  if (!place) return { message: undefined, behind: false };
  // The rows under the tree's root may be newer than its generation, never older: so may the placement.
  const generation = Math.min(placement.wantedGeneration, tree.generation);
  // Not within the bound: a key manager that takes its time holds up nobody else.
  const fetched = await materials.fetch(tree);
  const flavor = tree.flavorId === null ? undefined : await findFlavor(db, tree.flavorId);
  const options = optionsFor(settings.spec, flavor?.data);
  try {
    const version = {
      generation,
      epoch: placement.wantedEpoch,
      place,
      draining: placement.draining,
      role: placement.role,
    };
    const spec = buildSpec(tree, version, fetched.materials, options);
    const behind = generation < placement.wantedGeneration;
    return { message: { type: 'put', spec, materials: textsOf(spec, fetched.texts) }, behind };
  } catch (error) {
    throw new SpecError(loadBalancerId, generation, error);
  }
}

/** Undefined while the engine's networks are awaited. */
async function findPlace(
  { db, networks }: ComposeDeps,
  link: EngineLink,
  tree: LoadBalancerTree,
): Promise<SpecPlace | undefined> {
  const { domainId, ready } = await networks.placeOf(link, tree.id);
  if (!ready) return undefined;
  if (domainId === null) return { domainId, firewall: null };
  const peers = await findPeers(db, tree, link.engineId);
  if (tree.vip.securityGroupIds.length === 0) return { domainId, firewall: null, peers };
  // Groups that have not been looked at let nobody in.
  return { domainId, firewall: (await findFirewall<FirewallRule>(db, tree.id)) ?? [], peers };
}

/** Of no use, and not looked for, where engines keep nothing of clients. */
async function findPeers(db: Db, tree: LoadBalancerTree, engineId: string): Promise<Peers | undefined> {
  if (!tree.pools.some(learnsOfClients)) return undefined;
  const known = await findPeerPort(db, tree.id);
  return known && peersOf(engineId, listPeers(await listPeerVnics(db, tree.id)), known.port);
}

/** Those the spec names: a pool that no listener uses is not in it. */
function textsOf(spec: LoadBalancerSpec, texts: Readonly<Record<string, string>>): Record<string, string> {
  const named = new Set(materialsOf(spec).map(({ digest }) => digest));
  return Object.fromEntries(Object.entries(texts).filter(([digest]) => named.has(digest)));
}

interface Version {
  readonly generation: number;
  readonly epoch: number;
}

/** Whether an engine would refuse the one because it holds the other. */
export function isBefore(one: Version, other: Version): boolean {
  return one.generation < other.generation || (one.generation === other.generation && one.epoch < other.epoch);
}
