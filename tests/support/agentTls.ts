import { createHash } from 'node:crypto';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { ListenerSpec, MaterialSpec, PoolSpec } from '../../driver/protocol/spec';
import type { Issued } from './certificates/issue';

type ListenerTls = NonNullable<ListenerSpec['tls']>;
type PoolTls = NonNullable<PoolSpec['tls']>;

/** Texts as a controller sends them: by digest, and named by the place they fill. */
export interface Texts {
  readonly byDigest: Record<string, string>;
  /** The material of a name with this text. */
  material(name: string, text: string): MaterialSpec;
}

export function createTexts(): Texts {
  const byDigest: Record<string, string> = {};
  return {
    byDigest,
    material(name, text) {
      const digest = createHash('sha256').update(text).digest('hex');
      byDigest[digest] = text;
      return { name, digest, problem: null };
    },
  };
}

/** Certificate, chain and key in one text, as haproxy reads them. */
export function bundleOf({ pem, keyPem }: Issued, chain: readonly Issued[] = []): string {
  return [pem, ...chain.map((issuer) => issuer.pem), keyPem].join('');
}

export function aListenerTls(over: Partial<ListenerTls> = {}): ListenerTls {
  return {
    certificate: null,
    sni: [],
    versions: ['TLSv1.2', 'TLSv1.3'],
    ciphers: null,
    alpn: [],
    hsts: null,
    clientAuthentication: 'NONE',
    clientCa: null,
    clientCrl: null,
    ...over,
  };
}

export function aPoolTls(over: Partial<PoolTls> = {}): PoolTls {
  return { certificate: null, ca: null, crl: null, versions: ['TLSv1.2', 'TLSv1.3'], ciphers: null, alpn: [], ...over };
}

/** What a TLS client sees of a server. */
export interface Seen {
  /** CN of the certificate shown. */
  readonly cn: string;
  /** CNs from the certificate upwards, as far as the server sends them. */
  readonly chain: readonly string[];
  readonly protocol: string | null;
  readonly cipher: string;
  readonly alpn: string | false;
}

/** A handshake with the server; the connection stays open. Rejects when the handshake fails. */
export function openTls(host: string, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, rejectUnauthorized: false, ...options });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.removeListener('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** What a handshake shows. */
export async function lookAt(host: string, port: number, options: ConnectionOptions = {}): Promise<Seen> {
  const socket = await openTls(host, port, options);
  const chain: string[] = [];
  let certificate = socket.getPeerCertificate(true);
  while (certificate?.subject && !chain.includes(String(certificate.subject.CN))) {
    chain.push(String(certificate.subject.CN));
    certificate = certificate.issuerCertificate;
  }
  const seen = {
    cn: chain[0] ?? '',
    chain,
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().standardName,
    alpn: socket.alpnProtocol ?? false,
  };
  socket.destroy();
  return seen;
}

/** One HTTP/1.1 request over a connection of its own; the whole answer. Rejects when there is none. */
export async function askTls(host: string, port: number, options: ConnectionOptions = {}): Promise<string> {
  return converse(await openTls(host, port, options), 'close');
}

/** One request over an open connection; the answer as far as it has come when its body has. */
export function converse(socket: TLSSocket, connection: 'close' | 'keep-alive'): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const take = (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      const length = /content-length: (\d+)/i.exec(answer)?.[1];
      const body = answer.indexOf('\r\n\r\n') + 4;
      if (connection === 'keep-alive' && body > 3 && length !== undefined && answer.length >= body + Number(length))
        end();
    };
    const end = () => {
      socket.removeListener('data', take);
      socket.removeListener('close', gone);
      resolve(answer);
    };
    const gone = () => (answer === '' ? reject(new Error('the connection ended without an answer')) : end());
    socket.on('data', take);
    socket.once('close', gone);
    socket.write(`GET / HTTP/1.1\r\nHost: www.example.org\r\nConnection: ${connection}\r\n\r\n`);
  });
}
