import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from '../haproxy/layout';
import { errorCode, errorMessage } from '../systemError';
import { enter } from './enter';

type Transport = 'tcp' | 'udp';

const LONGEST_LOOK = 10_000;

/**
 * Why the endpoint cannot be bound, or null if it can. haproxy must not find out itself: in a reload that fails to bind,
 * the old worker pauses its listeners meanwhile (seen with 2.6). A port in use gets a second and third look, since an
 * old worker may be just leaving it.
 */
export async function whyNotBindable(
  endpoint: Endpoint,
  transport: Transport = 'tcp',
  namespace: string | null = null,
): Promise<string | null> {
  for (let attempt = 1; ; attempt += 1) {
    const error = await (namespace === null
      ? tryHere(endpoint, transport)
      : lookInside(namespace, endpoint, transport));
    if (error === null) return null;
    if (errorCode(error) !== 'EADDRINUSE' || attempt === 3) return explain(error, endpoint);
    await sleep(30);
  }
}

function tryHere(endpoint: Endpoint, transport: Transport): Promise<Error | null> {
  return transport === 'tcp' ? tryBind(endpoint) : tryBindUdp(endpoint);
}

/**
 * In another namespace no socket can be opened from here. There every address can be bound (`ip_nonlocal_bind`), unless
 * somebody has its port.
 */
function lookInside(namespace: string, { address, port }: Endpoint, transport: Transport): Promise<Error | null> {
  const { file, words } = enter(namespace, 'ss', [
    '-H',
    '-n',
    '-l',
    transport === 'tcp' ? '-t' : '-u',
    `sport = :${port}`,
  ]);
  return new Promise((resolve) => {
    execFile(file, words, { timeout: LONGEST_LOOK }, (error, stdout) => {
      if (error !== null) return resolve(error);
      const own = address.includes(':') ? [`[${address}]`, '[::]', '*'] : [address, '0.0.0.0', '*'];
      const taken = stdout.split('\n').some((line) => own.some((one) => line.includes(` ${one}:${port} `)));
      resolve(taken ? Object.assign(new Error('taken'), { code: 'EADDRINUSE' }) : null);
    });
  });
}

function tryBind({ address, port }: Endpoint): Promise<Error | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', resolve);
    server.listen({ host: address, port, exclusive: true, ipv6Only: true }, () => server.close(() => resolve(null)));
  });
}

/** Without SO_REUSEADDR, with which a socket would come to share the port of another one instead of being refused. */
function tryBindUdp({ address, port }: Endpoint): Promise<Error | null> {
  const isV6 = address.includes(':');
  return new Promise((resolve) => {
    const socket = createSocket({ type: isV6 ? 'udp6' : 'udp4', ipv6Only: isV6 });
    socket.once('error', (error) => {
      socket.close();
      resolve(error);
    });
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(null)));
  });
}

function explain(error: Error, { address, port }: Endpoint): string {
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return `port ${port} of ${address} is already taken by another process`;
    case 'EACCES':
      return `no privilege to bind port ${port} of ${address}`;
    case 'EADDRNOTAVAIL':
      return `the address ${address} is not on this engine`;
    default:
      return `port ${port} of ${address} cannot be bound: ${errorMessage(error)}`;
  }
}
