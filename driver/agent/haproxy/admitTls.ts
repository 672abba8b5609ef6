import { createSecureContext } from 'node:tls';
import type { ListenerSpec, LoadBalancerSpec, MaterialSpec, PoolSpec } from '../../protocol/spec';
import { type Fault, fault } from './fault';
import { type Handshake, splitCiphers, spokenVersions, versionGaps, withoutGaps } from './tls';

/** What an OpenSSL cipher list is made of, and its separators. */
const CIPHERS = /^[\w!+@=.:;, -]*$/;

/** What of a listener's TLS settings cannot be said to haproxy, whatever its certificates are. */
export function listenerTlsFaults({ id, protocol, tls }: ListenerSpec): Fault[] {
  if (tls === null) {
    return protocol === 'TERMINATED_HTTPS' ? [fault('listener', id, 'it has no TLS settings')] : [];
  }
  if (tls.certificate === null && tls.sni.length === 0) return [fault('listener', id, 'it has no certificate')];
  // Without it every client would be let in, which is the opposite of what was asked for.
  if (tls.clientAuthentication === 'MANDATORY' && tls.clientCa === null)
    return [fault('listener', id, 'its clients must show a certificate, and it has no CA to check that with')];
  const reason = whyHandshakeCannotBe(tls);
  if (reason !== null) return [fault('listener', id, reason)];
  return tls.versions.includes('SSLv3') ? [degraded('listener', id, 'this engine does not speak SSLv3')] : [];
}

/** The same of a pool. */
export function poolTlsFaults({ id, tls }: PoolSpec): Fault[] {
  if (tls === null) return [];
  const reason = whyHandshakeCannotBe(tls);
  if (reason !== null) return [fault('pool', id, reason)];
  if (versionGaps(tls).length > 0) {
    const spoken = withoutGaps(tls).join(', ');
    return [degraded('pool', id, `its TLS versions have a gap; members are spoken to in ${spoken} only`)];
  }
  return tls.versions.includes('SSLv3') ? [degraded('pool', id, 'this engine does not speak SSLv3')] : [];
}

function degraded(kind: Fault['kind'], id: string, reason: string): Fault {
  return { ...fault(kind, id, reason), effect: 'degraded' };
}

function whyHandshakeCannotBe(handshake: Handshake): string | null {
  const { versions, ciphers } = handshake;
  if (versions.length > 0 && versions.every((version) => version === 'SSLv3'))
    return 'this engine does not speak SSLv3';
  const spoken = spokenVersions(handshake);
  if (versions.length > 0 && !spoken.some((version) => versions.includes(version)))
    return 'its ciphers are of TLS 1.3 alone, which is not among its versions';
  if (ciphers === null) return null;
  if (!CIPHERS.test(ciphers)) return 'its ciphers are not a cipher list';
  const { list } = splitCiphers(ciphers);
  return list.length === 0 || isKnown(list.join(':')) ? null : 'none of its ciphers is known';
}

function isKnown(list: string): boolean {
  try {
    // An own list of authorities, or the system's would be read.
    createSecureContext({ ciphers: list, ca: [] });
    return true;
  } catch {
    return false;
  }
}

/** What the engine keeps of places, by their names. */
export interface Kept {
  /** Why it keeps nothing at all; null if it does. */
  readonly problem: string | null;
  /** Digest of the text. */
  digestOf(name: string): string | undefined;
  /** Why the text that came could not be kept; it is tried again. */
  failureOf(name: string): string | undefined;
}

/**
 * Replaces what the controller could not name now by what the engine has under the same name. A listener or pool that
 * lacks what it cannot do without is at fault; one that lacks an SNI certificate serves without it.
 */
export function resolveMaterials(spec: LoadBalancerSpec, kept: Kept): { spec: LoadBalancerSpec; faults: Fault[] } {
  const faults: Fault[] = [];
  const find = (kind: Fault['kind'], id: string, effect: Fault['effect']) => (material: MaterialSpec) => {
    const digest = kept.digestOf(material.name);
    // An older text under the name serves on until the new one comes.
    if (digest !== undefined) return [{ ...material, digest }];
    const heals = kept.failureOf(material.name) === undefined ? 'never' : 'later';
    faults.push({ ...fault(kind, id, whyMissing(material, kept)), heals, effect });
    return [];
  };
  const listeners = spec.listeners.map((listener) => resolveListener(listener, find));
  const pools = spec.pools.map((pool) => resolvePool(pool, find));
  return { spec: { ...spec, listeners, pools }, faults };
}

function whyMissing({ name, problem }: MaterialSpec, kept: Kept): string {
  const what = name.split('-')[0];
  const failure = kept.problem ?? kept.failureOf(name);
  if (failure !== undefined) return `its ${what} cannot be kept: ${failure}`;
  return `its ${what} is not on this engine${problem === null ? ' yet' : `: ${problem}`}`;
}

type Find = (kind: Fault['kind'], id: string, effect: Fault['effect']) => (material: MaterialSpec) => MaterialSpec[];

function resolveListener(listener: ListenerSpec, find: Find): ListenerSpec {
  const { id, tls } = listener;
  if (tls === null) return listener;
  const needed = find('listener', id, 'left-out');
  const one = (material: MaterialSpec | null) => (material === null ? null : (needed(material)[0] ?? material));
  const verified = tls.clientAuthentication !== 'NONE';
  // Without a default certificate the first of the others is shown: that one is needed.
  const [first, ...rest] = tls.certificate === null ? tls.sni : [];
  const others = tls.certificate === null ? rest : tls.sni;
  return {
    ...listener,
    tls: {
      ...tls,
      certificate: one(tls.certificate),
      sni: [...(first === undefined ? [] : needed(first)), ...others.flatMap(find('listener', id, 'degraded'))],
      clientCa: verified ? one(tls.clientCa) : tls.clientCa,
      clientCrl: verified ? one(tls.clientCrl) : tls.clientCrl,
    },
  };
}

function resolvePool(pool: PoolSpec, find: Find): PoolSpec {
  const { id, tls } = pool;
  if (tls === null) return pool;
  const needed = find('pool', id, 'left-out');
  const one = (material: MaterialSpec | null) => (material === null ? null : (needed(material)[0] ?? material));
  return { ...pool, tls: { ...tls, certificate: one(tls.certificate), ca: one(tls.ca), crl: one(tls.crl) } };
}
