import type { ListenerSpec, MemberSpec, PoolSpec } from '../../protocol/spec';
import type { Mode } from './layout';
import { isCheckedByHaproxy } from './monitor';
import { CRT_DIRECTORY, listenerFile, poolFile } from './tlsFiles';
import { fixed, type Line, line, quote, type Word } from './words';

type Version = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** Those that haproxy on today's OpenSSL can speak, in order. */
const VERSIONS: readonly Version[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
/** haproxy's names; `ssl_fc_protocol` has others. */
const LIMITS: Readonly<Record<Version, string>> = {
  TLSv1: 'TLSv1.0',
  'TLSv1.1': 'TLSv1.1',
  'TLSv1.2': 'TLSv1.2',
  'TLSv1.3': 'TLSv1.3',
};
/** Of TLS 1.3, which a cipher list cannot choose (OpenSSL, ciphers(1)). */
const SUITES = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_CCM_SHA256',
  'TLS_AES_128_CCM_8_SHA256',
];

/** What of a listener's or pool's `tls` a handshake is made of. */
export interface Handshake {
  readonly versions: readonly string[];
  readonly ciphers: string | null;
}

/** A user's cipher list, taken apart. */
export interface Ciphers {
  /** For TLS 1.2 and older. */
  readonly list: readonly string[];
  /** For TLS 1.3. */
  readonly suites: readonly string[];
}

export function splitCiphers(ciphers: string | null): Ciphers {
  const all = (ciphers ?? '').split(/[:;, ]+/).filter(Boolean);
  return { list: all.filter((name) => !SUITES.includes(name)), suites: all.filter((name) => SUITES.includes(name)) };
}

/** The versions to speak, in order; empty: the daemon's default. Suites alone mean TLS 1.3 alone. */
export function spokenVersions({ versions, ciphers }: Handshake): readonly Version[] {
  const wanted = VERSIONS.filter((version) => versions.includes(version));
  const { list, suites } = splitCiphers(ciphers);
  return list.length === 0 && suites.length > 0 ? ['TLSv1.3'] : wanted;
}

/** Versions between the first and the last that are not to be spoken. */
export function versionGaps(handshake: Handshake): readonly Version[] {
  const spoken = spokenVersions(handshake);
  const [first, last] = [spoken[0], spoken.at(-1)];
  if (first === undefined || last === undefined) return [];
  return VERSIONS.slice(VERSIONS.indexOf(first), VERSIONS.indexOf(last)).filter((version) => !spoken.includes(version));
}

/** The newest versions without a gap: where the other side cannot be turned away, nothing unwanted may be offered. */
export function withoutGaps(handshake: Handshake): readonly Version[] {
  const gap = versionGaps(handshake).at(-1);
  const spoken = spokenVersions(handshake);
  return gap === undefined ? spoken : spoken.filter((version) => version > gap);
}

function handshakeWords({ ciphers }: Handshake, spoken: readonly Version[]): Word[] {
  const { list, suites } = splitCiphers(ciphers);
  const [first, last] = [spoken[0], spoken.at(-1)];
  // OpenSSL's security level 1 and above have no hash that TLS 1.1 could sign with.
  const old = first !== undefined && first < 'TLSv1.2' && !list.some((part) => part.startsWith('@SECLEVEL'));
  const shown = [...(list.length === 0 && old ? ['DEFAULT'] : list), ...(old ? ['@SECLEVEL=0'] : [])];
  return [
    ...(first === undefined || last === undefined
      ? []
      : [fixed(`ssl-min-ver ${LIMITS[first]} ssl-max-ver ${LIMITS[last]}`)]),
    ...(shown.length === 0 ? [] : [fixed('ciphers'), quote(shown.join(':'))]),
    ...(suites.length === 0 ? [] : [fixed('ciphersuites'), quote(suites.join(':'))]),
  ];
}

/** What makes the bind line of a listener one that terminates TLS; nothing for any other. */
export function bindTlsWords({ id, tls }: ListenerSpec): Word[] {
  if (tls === null) return [];
  const verified = tls.clientAuthentication !== 'NONE' && tls.clientCa !== null;
  const verify = tls.clientAuthentication === 'MANDATORY' ? 'required' : 'optional';
  return [
    fixed('ssl crt'),
    quote(listenerFile(id, CRT_DIRECTORY)),
    ...handshakeWords(tls, spokenVersions(tls)),
    ...(tls.alpn.length === 0 ? [] : [fixed('alpn'), quote(tls.alpn.join(','))]),
    ...(verified ? [fixed(`verify ${verify} ca-file`), quote(listenerFile(id, 'ca'))] : []),
    ...(verified && tls.clientCrl !== null ? [fixed('crl-file'), quote(listenerFile(id, 'crl'))] : []),
  ];
}

/** What else a listener that terminates TLS does. */
export function tlsLines({ id, tls }: ListenerSpec): Line[] {
  if (tls === null) return [];
  const put = (...words: Word[]) => line({ kind: 'listener', id }, ...words);
  return [
    // haproxy 2.6 knows no gaps in its versions: such a connection ends after its handshake.
    ...versionGaps(tls).map((version) => put(fixed(`tcp-request session reject if { ssl_fc_protocol ${version} }`))),
    ...(tls.hsts === null ? [] : [put(...hstsWords(tls.hsts))]),
  ];
}

type Hsts = NonNullable<NonNullable<ListenerSpec['tls']>['hsts']>;

function hstsWords({ maxAge, includeSubdomains, preload }: Hsts): Word[] {
  const value = `max-age=${maxAge}${includeSubdomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`;
  // Also on answers that haproxy gives itself, as RFC 6797 wants it.
  return [fixed('http-after-response set-header Strict-Transport-Security'), quote(value)];
}

/**
 * How a member is spoken to over TLS; nothing in a pool without. As with Octavia, it is told the name the client asked
 * for, and if it is verified its certificate must bear that name.
 */
export function serverTlsWords({ id, tls }: PoolSpec, mode: Mode): Word[] {
  if (tls === null) return [];
  // What comes over a TCP listener is in whatever protocol the client chose, and that is not HTTP/2.
  const alpn = tls.alpn.filter((protocol) => mode === 'http' || protocol !== 'h2');
  return [
    fixed('ssl'),
    ...(tls.ca === null ? [fixed('verify none')] : [fixed('verify required ca-file'), quote(poolFile(id, 'ca'))]),
    ...(tls.ca === null || tls.crl === null ? [] : [fixed('crl-file'), quote(poolFile(id, 'crl'))]),
    ...(tls.certificate === null ? [] : [fixed('crt'), quote(poolFile(id, 'pem'))]),
    ...handshakeWords(tls, withoutGaps(tls)),
    ...(alpn.length === 0 ? [] : [fixed('alpn'), quote(alpn.join(','))]),
    fixed('sni ssl_fc_sni'),
  ];
}

/**
 * Whether checks of a member are over TLS, in a pool whose members are spoken to so: as traffic is, unless they go to an
 * address or port of their own, where only a monitor that is about TLS speaks it. Said, since members that are added at
 * run time do not take after their traffic by themselves (haproxy 2.6).
 */
export function checkTlsWords({ tls, monitor }: PoolSpec, member: MemberSpec): Word[] {
  if (tls === null || !isCheckedByHaproxy(monitor)) return [];
  const elsewhere = member.monitorAddress !== null || member.monitorPort !== null;
  if (elsewhere && monitor.type !== 'HTTPS' && monitor.type !== 'TLS-HELLO') return [];
  // haproxy 2.6 understands no answer to a check in HTTP/2, which the pool's own ALPN may lead to.
  return [fixed('check-ssl check-alpn http/1.1')];
}
