import { createHash } from 'node:crypto';
import type { Listener, LoadBalancerTree, Pool } from '../domain/tree';
import type { MaterialSpec } from '../protocol/spec';

/** What a reference is used for: a certificate with its key, a CA bundle, or a revocation list. */
export type MaterialKind = 'certificate' | 'ca' | 'crl';

/** A reference of a tree and how it is to be read. */
export interface MaterialReference {
  readonly kind: MaterialKind;
  readonly ref: string;
}

/**
 * What was fetched for the references of a tree, by `materialKey`: the digest of the text, or why there is none. One that
 * is not in it could not be had either.
 */
export type Materials = ReadonlyMap<string, { readonly digest: string } | { readonly problem: string }>;

/** The key of a reference in `Materials`: one secret may be both a CA bundle and something else. */
export function materialKey({ kind, ref }: MaterialReference): string {
  return `${kind} ${ref}`;
}

/** The references behind a tree that an engine needs the texts of, each once. */
export function materialReferences(tree: LoadBalancerTree): MaterialReference[] {
  const found = new Map<string, MaterialReference>();
  const add = (kind: MaterialKind, ref: string | null) => {
    if (ref !== null) found.set(materialKey({ kind, ref }), { kind, ref });
  };
  for (const { tls, tlsCertificateId, sniContainerIds } of tree.listeners.filter(terminates)) {
    for (const ref of [tlsCertificateId, ...sniContainerIds]) add('certificate', ref);
    add('ca', tls.clientCaRef);
    add('crl', tls.clientCrlRef);
  }
  for (const { tls } of tree.pools.filter(({ tls, deleting }) => tls.enabled && !deleting)) {
    add('certificate', tls.certificateRef);
    add('ca', tls.caRef);
    add('crl', tls.crlRef);
  }
  return [...found.values()];
}

function terminates({ protocol, enabled, deleting }: Listener): boolean {
  return protocol === 'TERMINATED_HTTPS' && enabled && !deleting;
}

/** The `tls` of a listener's spec. */
export function listenerTls(listener: Listener, materials: Materials) {
  const { tls, tlsCertificateId, sniContainerIds } = listener;
  return {
    certificate: material('certificate', tlsCertificateId, materials),
    sni: sniContainerIds.map((ref) => material('certificate', ref, materials)),
    versions: [...tls.versions],
    ciphers: tls.ciphers,
    alpn: [...tls.alpnProtocols],
    hsts:
      tls.hstsMaxAge === null
        ? null
        : { maxAge: tls.hstsMaxAge, includeSubdomains: tls.hstsIncludeSubdomains, preload: tls.hstsPreload },
    clientAuthentication: tls.clientAuthentication,
    clientCa: material('ca', tls.clientCaRef, materials),
    clientCrl: material('crl', tls.clientCrlRef, materials),
  };
}

/** The `tls` of a pool's spec. */
export function poolTls({ tls }: Pool, materials: Materials) {
  return {
    certificate: material('certificate', tls.certificateRef, materials),
    ca: material('ca', tls.caRef, materials),
    crl: material('crl', tls.crlRef, materials),
    versions: [...tls.versions],
    ciphers: tls.ciphers,
    alpn: [...tls.alpnProtocols],
  };
}

function material(kind: MaterialKind, ref: string | null, materials: Materials): MaterialSpec | null {
  if (ref === null) return null;
  const found = materials.get(materialKey({ kind, ref }));
  const name = `${kind}-${createHash('sha256').update(ref).digest('hex').slice(0, 32)}`;
  if (found !== undefined && 'digest' in found) return { name, digest: found.digest, problem: null };
  return { name, digest: null, problem: found?.problem ?? 'it has not been fetched' };
}
