import { CertificateRetrievalError, NamelessCertificateError } from '../../domain/errors';
import { checkAuthorities, parseCaBundle, parseCrl } from './authorities';
import type { CallerAccess, Certificates, Keeping, SecretStore } from './port';
import { parseReference } from './reference';
import { type FoundMaterial, type NamedKeeping, readMaterial, readSecret } from './retrieval';
import { judgeValidity } from './x509/material';
import { bundlePem } from './x509/revocation';

export interface CertificatesDeps {
  readonly store: SecretStore;
  readonly now?: () => Date;
}

/** So many references of one request are looked at together. */
const CONCURRENCY = 8;

/** The certificates that a key manager keeps, read and judged. */
export function createCertificates({ store, now = () => new Date() }: CertificatesDeps): Certificates {
  return {
    async checkReferences({ certificates, ca, crl }, caller) {
      const look = (ref: string) => lookAtMaterial(store, ref, { caller, now: now() });
      const found = await collect(certificates, look);
      const authorities = await collect([ca, crl].filter(isGiven), (ref) => lookAtSecret(store, ref, caller));
      await checkAuthorities(payloadOf(authorities, ca), payloadOf(authorities, crl), now());
      for (const { material } of found.values()) if (material.primaryCn === null) throw new NamelessCertificateError();
      const parts = [...found.values(), ...authorities.values()].flatMap(({ keepings }) => keepings);
      await grantAll(store, parts, caller);
    },
    fetchMaterial: async (ref, access) => (await readMaterial(store, ref, access)).material,
    fetchCaBundle: async (ref, access) => bundlePem(parseCaBundle((await readSecret(store, ref, access)).payload)),
    fetchCrl: async (ref, access) =>
      parseCrl((await readSecret(store, ref, access)).payload)
        .map(({ pem }) => pem)
        .join(''),
    async registerConsumer(ref, consumer) {
      const id = containerOf(ref);
      if (id !== undefined) await store.registerConsumer(id, consumer);
    },
    async unregisterConsumer(ref, consumer) {
      const id = containerOf(ref);
      if (id !== undefined) await store.unregisterConsumer(id, consumer);
    },
  };
}

function isGiven(ref: string | null): ref is string {
  return ref !== null;
}

function containerOf(ref: string): string | undefined {
  const reference = parseReference(ref);
  return reference?.kind === 'container' ? reference.id : undefined;
}

interface FoundSecret {
  readonly payload: Buffer;
  readonly keepings: readonly NamedKeeping[];
}

function payloadOf(found: ReadonlyMap<string, FoundSecret>, ref: string | null): Buffer | null {
  return ref === null ? null : (found.get(ref)?.payload ?? null);
}

/**
 * Looks at every reference once and tells of all that cannot be had together, in the order of the request.
 * @throws CertificateRetrievalError; anything else at once
 */
async function collect<T>(refs: readonly string[], look: (ref: string) => Promise<T>): Promise<Map<string, T>> {
  const found = new Map<string, T>();
  const failed = new Map<string, CertificateRetrievalError>();
  const queue = [...new Set(refs)];
  const work = async (): Promise<void> => {
    for (let ref = queue.shift(); ref !== undefined; ref = queue.shift()) {
      try {
        found.set(ref, await look(ref));
      } catch (err) {
        if (!(err instanceof CertificateRetrievalError)) throw err;
        failed.set(ref, err);
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  const failures = [...new Set(refs)].flatMap((ref) => failed.get(ref) ?? []);
  if (failures.length > 0) throw mergeFailures(failures);
  return found;
}

function mergeFailures(failures: readonly CertificateRetrievalError[]): CertificateRetrievalError {
  return new CertificateRetrievalError(
    failures.flatMap(({ refs }) => refs),
    failures.flatMap(({ reasons }) => reasons),
    failures
      .map(({ addition }) => addition)
      .filter(Boolean)
      .join('; '),
  );
}

async function lookAtMaterial(
  store: SecretStore,
  ref: string,
  { caller, now }: { readonly caller: CallerAccess; readonly now: Date },
): Promise<FoundMaterial> {
  const found = await readMaterial(store, ref, caller);
  const fault = judgeValidity(found.material, now);
  if (fault) throw new CertificateRetrievalError([ref], [`${ref}: ${fault}`], `${ref} cannot be used: ${fault}`);
  return found;
}

async function lookAtSecret(store: SecretStore, ref: string, caller: CallerAccess): Promise<FoundSecret> {
  const { payload, id } = await readSecret(store, ref, caller);
  return { payload, keepings: [{ kind: 'secret', id, ref }] };
}

/** Lets this service read everything, as far as it may not already. */
async function grantAll(store: SecretStore, keepings: readonly NamedKeeping[], caller: CallerAccess): Promise<void> {
  const unique = new Map(keepings.map((keeping) => [`${keeping.kind} ${keeping.id}`, keeping]));
  const refused = new Set<string>();
  for (const keeping of unique.values()) {
    if (await store.grantAccess(keeping, caller)) continue;
    if (!(await canRead(store, keeping))) refused.add(keeping.ref);
  }
  if (refused.size === 0) return;
  const refs = [...refused];
  throw new CertificateRetrievalError(
    refs,
    refs.map((ref) => `${ref}: the load-balancing service may not read it, and the caller may not let it`),
  );
}

async function canRead(store: SecretStore, { kind, id }: Keeping): Promise<boolean> {
  const found = kind === 'secret' ? await store.findSecret(id, 'service') : await store.findContainer(id, 'service');
  return found !== undefined;
}
