import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

export interface DatagramArrival {
  readonly text: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** A UDP server for a pool: answers `name: text` to each datagram. */
export interface DatagramBackend {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly arrivals: readonly DatagramArrival[];
  stop(): Promise<void>;
  restart(): Promise<void>;
}

/** Listens on an ephemeral port, of 127.0.0.1 unless said, or on the one given. */
export async function startDatagram(
  name: string,
  { address = '127.0.0.1', port: wanted = 0 }: { readonly address?: string; readonly port?: number } = {},
): Promise<DatagramBackend> {
  const arrivals: DatagramArrival[] = [];
  const listen = (port: number): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
      socket.once('error', reject);
      socket.on('message', (message, { address: remoteAddress, port: remotePort }) => {
        arrivals.push({ text: message.toString(), remoteAddress, remotePort });
        socket.send(`${name}: ${message}`, remotePort, remoteAddress);
      });
      socket.bind(port, address, () => resolve(socket));
    });
  let socket = await listen(wanted);
  const port = (socket.address() as AddressInfo).port;
  return {
    name,
    address,
    port,
    arrivals,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
    async restart() {
      socket = await listen(port);
    },
  };
}
