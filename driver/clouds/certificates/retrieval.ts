import { CertificateRetrievalError, UnreadablePkcs12Error } from '../../domain/errors';
import type { Access, Keeping, Secret, SecretStore, TlsMaterial } from './port';
import { parseReference } from './reference';
import { MaterialError } from './x509/errors';
import { type MaterialParts, readBundle, readParts } from './x509/material';

/** Something a reference led to; `ref` as the request has it. */
export interface NamedKeeping extends Keeping {
  readonly ref: string;
}

export interface FoundMaterial {
  readonly material: TlsMaterial;
  /** All that was read for it. */
  readonly keepings: readonly NamedKeeping[];
}

const MISSING = 'it is not there, or may not be read';

/**
 * Certificate and key behind a reference.
 * @throws CertificateRetrievalError, UnreadablePkcs12Error, UnavailableError
 */
export async function readMaterial(store: SecretStore, ref: string, access: Access): Promise<FoundMaterial> {
  const reference = parseReference(ref);
  if (!reference) throw new CertificateRetrievalError([ref], [`${ref}: not a reference to a secret or container`]);
  const secret = reference.kind === 'container' ? undefined : await store.findSecret(reference.id, access);
  if (secret) return readPkcs12Secret(secret, { kind: 'secret', id: reference.id, ref });
  if (reference.kind === 'secret') throw new CertificateRetrievalError([ref], [`${ref}: ${MISSING}`]);
  return readContainer(store, { ref, id: reference.id, access });
}

async function readPkcs12Secret({ payload }: Secret, keeping: NamedKeeping): Promise<FoundMaterial> {
  try {
    return { material: await readBundle(payload), keepings: [keeping] };
  } catch (err) {
    throw err instanceof MaterialError ? new UnreadablePkcs12Error(err.message) : err;
  }
}

async function readContainer(
  store: SecretStore,
  { ref, id, access }: { readonly ref: string; readonly id: string; readonly access: Access },
): Promise<FoundMaterial> {
  const container = await store.findContainer(id, access);
  if (!container) throw new CertificateRetrievalError([ref], [`${ref}: ${MISSING}`]);
  const keepings: NamedKeeping[] = [{ kind: 'container', id, ref }];
  const readPart = async (name: string): Promise<Buffer | undefined> => {
    const partRef = container.secretRefs.get(name);
    if (partRef === undefined) return undefined;
    const partId = parseReference(partRef)?.id;
    const secret = partId === undefined ? undefined : await store.findSecret(partId, access);
    if (partId === undefined || !secret)
      throw new CertificateRetrievalError([ref], [`${ref}: its ${name}: ${MISSING}`]);
    keepings.push({ kind: 'secret', id: partId, ref });
    return secret.payload;
  };
  try {
    return { material: await readParts(await fetchParts(readPart)), keepings };
  } catch (err) {
    throw err instanceof MaterialError ? new CertificateRetrievalError([ref], [`${ref}: ${err.message}`]) : err;
  }
}

/** The parts of a certificate container. @throws MaterialError when it lacks certificate or key */
async function fetchParts(readPart: (name: string) => Promise<Buffer | undefined>): Promise<MaterialParts> {
  const [certificate, privateKey, passphrase, intermediates] = await Promise.all([
    readPart('certificate'),
    readPart('private_key'),
    readPart('private_key_passphrase'),
    readPart('intermediates'),
  ]);
  if (!certificate) throw new MaterialError('it has no certificate');
  if (!privateKey) throw new MaterialError('it has no private_key');
  return { certificate, privateKey, ...(passphrase && { passphrase }), ...(intermediates && { intermediates }) };
}

/** The secret behind a reference. @throws CertificateRetrievalError, UnavailableError */
export async function readSecret(
  store: SecretStore,
  ref: string,
  access: Access,
): Promise<Secret & { readonly id: string }> {
  const reference = parseReference(ref);
  const secret = reference && reference.kind !== 'container' && (await store.findSecret(reference.id, access));
  if (!secret) throw new CertificateRetrievalError([ref], [`${ref}: ${MISSING}`]);
  return { ...secret, id: reference.id };
}
