import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type ProxyHeader, parseProxyHeader } from './proxyHeader';

/** What one connection brought. */
export interface StreamArrival {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The PROXY protocol's header that came first; null where none is read. */
  readonly proxy: ProxyHeader | null;
  /** What came after it, so far. */
  readonly text: string;
}

/** A TCP server for a pool: says its name in a line as soon as it is connected to, then sends everything back. */
export interface StreamBackend {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** All connections so far, health checks included. */
  readonly arrivals: readonly StreamArrival[];
  /** Connections open now. */
  open(): number;
  stop(): Promise<void>;
  restart(): Promise<void>;
}

export interface StreamOptions {
  readonly address?: string;
  /** Reads a PROXY header, version 1 or 2, before it says anything; ends connections that bring none. */
  readonly readsProxy?: boolean;
}

/** Listens on an ephemeral port. */
export async function startStream(name: string, options: StreamOptions = {}): Promise<StreamBackend> {
  const arrivals: StreamArrival[] = [];
  const sockets = new Set<Socket>();
  const { address = '127.0.0.1', readsProxy = false } = options;
  const listen = (port: number): Promise<Server> =>
    new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: false }, (socket) => {
        sockets.add(socket);
        socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
        serve(socket, { name, readsProxy, arrivals });
      });
      server.once('error', reject);
      server.listen(port, address, () => resolve(server));
    });
  let server = await listen(0);
  const port = (server.address() as AddressInfo).port;
  return {
    name,
    address,
    port,
    arrivals,
    open: () => sockets.size,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async restart() {
      server = await listen(port);
    },
  };
}

interface Serving {
  readonly name: string;
  readonly readsProxy: boolean;
  readonly arrivals: StreamArrival[];
}

function serve(socket: Socket, { name, readsProxy, arrivals }: Serving): void {
  const { remoteAddress = '', remotePort = 0 } = socket;
  const index = arrivals.push({ remoteAddress, remotePort, proxy: null, text: '' }) - 1;
  const note = (change: Partial<StreamArrival>) => {
    arrivals[index] = { ...(arrivals[index] as StreamArrival), ...change };
  };
  const take = (data: Buffer) => {
    note({ text: (arrivals[index]?.text ?? '') + data.toString('latin1') });
    socket.write(data);
  };
  if (!readsProxy) {
    socket.write(`${name}\n`);
    socket.on('data', take);
    return;
  }
  let head = Buffer.alloc(0);
  const readHead = (data: Buffer) => {
    head = Buffer.concat([head, data]);
    const found = parseProxyHeader(head);
    if (found === 'more') return;
    if (found === 'none') {
      socket.destroy();
      return;
    }
    note({ proxy: found.header });
    socket.off('data', readHead).on('data', take);
    socket.write(`${name}\n`);
    const rest = head.subarray(found.length);
    if (rest.length > 0) take(rest);
  };
  socket.on('data', readHead);
}
