import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from '../haproxy/layout';
import { errorCode, errorMessage } from '../systemError';

/**
 * Why the endpoint cannot be bound, or null if it can. haproxy must not find out itself: in a reload that fails to bind,
 * the old worker pauses its listeners meanwhile (seen with 2.6). A port in use gets a second and third look, since an
 * old worker may be just leaving it.
 */
export async function whyNotBindable(endpoint: Endpoint): Promise<string | null> {
  for (let attempt = 1; ; attempt += 1) {
    const error = await tryBind(endpoint);
    if (error === null) return null;
    if (errorCode(error) !== 'EADDRINUSE' || attempt === 3) return explain(error, endpoint);
    await sleep(30);
  }
}

function tryBind({ address, port }: Endpoint): Promise<Error | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', resolve);
    server.listen({ host: address, port, exclusive: true, ipv6Only: true }, () => server.close(() => resolve(null)));
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
