import type { MaterialSpec } from '../../protocol/spec';
import type { Layout } from './layout';

/**
 * The files of certificates, authorities and revocation lists that a configuration names, below one directory. Their names
 * follow from the place a text fills, not from the text, so that a new one can be given to a running haproxy.
 */
export interface TlsFile {
  /** Below the directory. */
  readonly path: string;
  readonly kind: 'certificate' | 'ca' | 'crl';
  /** The directory of a listener's certificates, to which single ones can be added; null for a file that is named itself. */
  readonly list: string | null;
  readonly material: MaterialSpec;
}

/** What is in the directory of a listener's certificates. */
export const CRT_DIRECTORY = 'crt';
/** haproxy shows the first of a directory, by name, to clients whose SNI fits none: a digit comes before all others. */
const DEFAULT_CERTIFICATE = '0';

/** Not `crt` for a file: the runtime socket would take that for one half of a pair and cut it off. */
type Place = 'ca' | 'crl' | 'crt' | 'pem';

/** Ids have no dots, so no two names are equal. */
export function listenerFile(listenerId: string, place: Place): string {
  return `listener.${listenerId}.${place}`;
}

export function poolFile(poolId: string, place: Place): string {
  return `pool.${poolId}.${place}`;
}

/** All files a layout needs. */
export function tlsFiles({ frontends, backends }: Layout): TlsFile[] {
  const pools = new Map(backends.map(({ pool }) => [pool.id, pool]));
  return [...frontends.flatMap(({ listener }) => listenerFiles(listener)), ...[...pools.values()].flatMap(poolFiles)];
}

/**
 * The name of the SNI certificate that a complaint of haproxy is about, e.g. one whose key is too small for it: a listener
 * can do without. Null for anything else.
 */
export function findSniCertificate(complaint: string): string | null {
  const name = /\/listener\.[\w-]+\.crt\/([\w-]+)\.pem/.exec(complaint)?.[1];
  return name === undefined || name === DEFAULT_CERTIFICATE ? null : name;
}

/** True if a configuration of this layout names any. */
export function hasTlsFiles(layout: Layout): boolean {
  return tlsFiles(layout).length > 0;
}

function listenerFiles({ id, tls }: Layout['frontends'][number]['listener']): TlsFile[] {
  if (tls === null) return [];
  const list = listenerFile(id, CRT_DIRECTORY);
  const inList = (name: string, material: MaterialSpec): TlsFile => {
    return { path: `${list}/${name}.pem`, kind: 'certificate', list, material };
  };
  const shown = tls.certificate ?? tls.sni[0];
  const others = new Map(tls.sni.filter(({ name }) => name !== shown?.name).map((it) => [it.name, it]));
  const verified = tls.clientAuthentication !== 'NONE' && tls.clientCa !== null;
  return [
    ...(shown === undefined ? [] : [inList(DEFAULT_CERTIFICATE, shown)]),
    ...[...others].map(([name, material]) => inList(name, material)),
    ...(verified ? single(listenerFile(id, 'ca'), 'ca', tls.clientCa) : []),
    ...(verified ? single(listenerFile(id, 'crl'), 'crl', tls.clientCrl) : []),
  ];
}

function poolFiles({ id, tls }: Layout['backends'][number]['pool']): TlsFile[] {
  if (tls === null) return [];
  return [
    ...single(poolFile(id, 'pem'), 'certificate', tls.certificate),
    ...single(poolFile(id, 'ca'), 'ca', tls.ca),
    ...(tls.ca === null ? [] : single(poolFile(id, 'crl'), 'crl', tls.crl)),
  ];
}

function single(path: string, kind: TlsFile['kind'], material: MaterialSpec | null): TlsFile[] {
  return material === null ? [] : [{ path, kind, list: null, material }];
}
