import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the ports the kernel gives to outgoing connections: none of these takes a port before a server has it. */
const FIRST = 10_000;
const END = 32_000;
/** The only one among them that `fetch` refuses to ask ("bad port" of the Fetch standard). */
const REFUSED = 10_080;

/** Ports of 127.0.0.1 that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(FIRST, END);
    if (port !== REFUSED && !ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
