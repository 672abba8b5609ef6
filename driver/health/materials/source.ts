import type { LoadBalancerTree } from '../../domain/tree';
import { type MaterialReference, type Materials, materialKey, materialReferences } from '../../target/tls';
import type { CertificateFacts } from './read';
import { createShelf, type Entry, PAUSE, type ShelfDeps, toldOf } from './shelf';

/** What was found for the references of a load balancer. */
export interface FetchedMaterials {
  readonly materials: Materials;
  /** By digest. */
  readonly texts: Readonly<Record<string, string>>;
}

/**
 * The certificates of the load balancers whose specs this process makes: fetched when they are first wanted, remembered,
 * and looked at again.
 */
export interface MaterialSource {
  /** Waits for what has not been fetched yet, and no longer than the key manager is there. Never throws. */
  fetch(tree: LoadBalancerTree): Promise<FetchedMaterials>;
  /**
   * Looks again at what is in use and was last looked at long ago, or in vain, and forgets what is not in use: `isHeld`
   * tells whose specs are still made here.
   */
  refresh(isHeld: (loadBalancerId: string) => boolean): Promise<void>;
  /** The certificates in use, for those who watch their expiry. */
  inUse(): CertificateInUse[];
}

export interface CertificateInUse extends CertificateFacts {
  readonly loadBalancerId: string;
  readonly projectId: string;
  readonly ref: string;
}

export interface MaterialSourceDeps extends Omit<ShelfDeps, 'onChanged'> {
  /** Milliseconds after which a text is looked at again. */
  readonly maxAge: number;
  /** What is behind a reference of the load balancer has changed: its spec is to be made again. */
  readonly onChanged: (loadBalancerId: string) => void;
}

interface User {
  readonly projectId: string;
  readonly keys: ReadonlySet<string>;
}

/** Age, in milliseconds, from which a change of a load balancer makes its certificates looked at again, behind its back. */
const RECENT = 10_000;

export function createMaterialSource(deps: MaterialSourceDeps): MaterialSource {
  const { now, maxAge } = deps;
  const users = new Map<string, User>();
  const shelf = createShelf({
    ...deps,
    onChanged: (key) => {
      for (const [id, { keys }] of users) if (keys.has(key)) deps.onChanged(id);
    },
  });
  const entryOf = (reference: MaterialReference) => shelf.get(materialKey(reference));

  return {
    async fetch(tree) {
      const references = materialReferences(tree);
      if (references.length === 0) {
        users.delete(tree.id);
        return { materials: new Map(), texts: {} };
      }
      users.set(tree.id, { projectId: tree.projectId, keys: new Set(references.map(materialKey)) });
      await Promise.all(references.filter((it) => isWanting(entryOf(it), now())).map(shelf.renew));
      const entries = references.flatMap((reference) => entryOf(reference) ?? []);
      // A user who renewed a container says so by setting it again.
      for (const { reference, readAt } of entries) if (now() - readAt > RECENT) void shelf.renew(reference);
      return gather(entries);
    },
    async refresh(isHeld) {
      for (const id of [...users.keys()].filter((it) => !isHeld(it))) users.delete(id);
      shelf.keepOnly(new Set([...users.values()].flatMap(({ keys }) => [...keys])));
      const due = shelf.entries().filter((it) => 'problem' in it.reading || now() - it.readAt >= maxAge);
      await Promise.all(due.map(({ reference }) => shelf.renew(reference)));
    },
    inUse: () =>
      [...users].flatMap(([loadBalancerId, { projectId, keys }]) =>
        [...keys].flatMap((key) => {
          const entry = shelf.get(key);
          const facts = entry?.last?.certificate;
          return entry && facts ? [{ ...facts, loadBalancerId, projectId, ref: entry.reference.ref }] : [];
        }),
      ),
  };
}

/** Nothing is known of it, or nothing that lasts. */
function isWanting(entry: Entry | undefined, now: number): boolean {
  if (!entry) return true;
  return entry.last === undefined && 'problem' in entry.reading && now - entry.readAt > PAUSE;
}

function gather(entries: readonly Entry[]): FetchedMaterials {
  const texts: Record<string, string> = {};
  const materials = new Map<string, { readonly digest: string } | { readonly problem: string }>();
  for (const entry of entries) {
    const told = toldOf(entry);
    if (typeof told !== 'string') texts[told.digest] = told.text;
    materials.set(materialKey(entry.reference), typeof told === 'string' ? { problem: told } : { digest: told.digest });
  }
  return { materials, texts };
}
