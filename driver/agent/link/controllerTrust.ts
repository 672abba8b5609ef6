import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { fingerprintOf } from '../../domain/fingerprint';

/** TLS to a controller: it has to hold a certificate for its address, of the CA this engine was told of when it was made. */

export interface TlsIdentity {
  /** PEM, both. */
  readonly key: string;
  readonly certificate: string;
}

export interface TrustedConnection {
  readonly socket: TLSSocket;
  /** Set when this engine's clock finds the controller's certificate not valid yet, or no more. */
  readonly clockDoubt: string | null;
}

/** Milliseconds. */
const PATIENCE = 10_000;
const SERVER_PURPOSE = '1.3.6.1.5.5.7.3.1';

/** @throws Error that says why this is no controller, or what failed */
export async function connectTrusted(
  url: URL,
  fingerprint: string,
  identity: TlsIdentity | null,
): Promise<TrustedConnection> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const socket = connect({
    host,
    port: Number(url.port || 443),
    ...(isIP(host) === 0 && { servername: host }),
    ...(identity && { key: identity.key, cert: identity.certificate }),
    minVersion: 'TLSv1.3',
    // Judged below, by the one certificate that is trusted and without regard to this engine's clock.
    rejectUnauthorized: false,
  });
  try {
    await secured(socket);
    const clockDoubt = judgeController(socket.getPeerX509Certificate(), { host, fingerprint });
    return { socket, clockDoubt };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function secured(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => socket.destroy(new Error('the controller did not finish the handshake')), PATIENCE);
    socket.once('secureConnect', () => {
      clearTimeout(late);
      socket.off('error', reject);
      // Until somebody else listens: an error without a listener would end the agent.
      socket.on('error', () => undefined);
      resolve();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(late);
      reject(new Error('the controller closed the connection in the handshake'));
    });
  });
}

/**
 * The pinned CA has issued it itself, for this host and for servers. Its times decide nothing: an engine whose clock is wrong
 * would never come back, and the controller is told of the clock. Gives what they make one think.
 * @throws Error for somebody who is no controller of this engine
 */
export function judgeController(
  leaf: X509Certificate | undefined,
  { host, fingerprint }: { host: string; fingerprint: string },
): string | null {
  const ca = leaf?.issuerCertificate;
  if (!leaf || !ca) throw new Error('the controller does not show the certificate of its CA');
  if (fingerprintOf(ca.raw) !== fingerprint) {
    throw new Error(`the CA of the controller has the fingerprint ${fingerprintOf(ca.raw)}, expected ${fingerprint}`);
  }
  if (!leaf.checkIssued(ca) || !leaf.verify(ca.publicKey))
    throw new Error('the CA has not issued the certificate shown');
  if (!leaf.keyUsage?.includes(SERVER_PURPOSE)) throw new Error('the certificate shown is not for servers');
  const named = isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host);
  if (named === undefined) throw new Error(`the certificate shown is not for ${host} (${leaf.subjectAltName})`);
  const now = Date.now();
  if (now < Date.parse(leaf.validFrom)) return `by this clock the controller's certificate begins at ${leaf.validFrom}`;
  if (now > Date.parse(leaf.validTo)) return `by this clock the controller's certificate ended at ${leaf.validTo}`;
  return null;
}
