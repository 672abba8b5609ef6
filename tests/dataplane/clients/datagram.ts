import { createSocket } from 'node:dgram';

export interface Sending {
  readonly host: string;
  readonly port: number;
  /** The client's own address, of 127.0.0.0/8. */
  readonly from?: string;
  readonly fromPort?: number;
  /** Milliseconds an answer is waited for; 2000 unless said. */
  readonly patience?: number;
}

/** Sends one datagram from a socket of its own; the answer, or null when none comes. */
export function sendDatagram(
  { host, port, from, fromPort, patience = 2000 }: Sending,
  text: string,
): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const finish = (answer: string | null) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(null), patience);
    socket.once('error', reject);
    socket.once('message', (message) => finish(message.toString()));
    // Not connected: a refusal (ICMP) is silence to a client of UDP.
    socket.bind(fromPort ?? 0, from, () => socket.send(text, port, host));
  });
}
