import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { EngineSpec } from '../../driver/protocol/engineSpec';
import {
  type Ack,
  type BgpState,
  type Counters,
  FromEngine,
  type Hello,
  type ListenerCounters,
  type LoadBalancerReport,
  type NetworksAck,
} from '../../driver/protocol/messages';
import type { LoadBalancerSpec } from '../../driver/protocol/spec';
import { waitUntil } from './wait';

/**
 * A controller of one engine, as the protocol says and no more: it welcomes, sends what a test tells it to, and keeps what
 * the engine said. It fails on a message that is not in the protocol.
 */
export interface FakeController {
  readonly url: string;
  /** Every message of every connection, in order. */
  readonly received: readonly FromEngine[];
  hellos(): Hello[];
  /** Sends the spec, with texts by digest, and waits for its acknowledgement. */
  put(spec: LoadBalancerSpec, materials?: Readonly<Record<string, string>>): Promise<Ack>;
  remove(id: string, generation: number): Promise<Ack>;
  /** Tells the engine its networks and waits for its acknowledgement. */
  putNetworks(spec: EngineSpec): Promise<NetworksAck>;
  /** The last acknowledgement of networks. */
  networksAck(): NetworksAck | undefined;
  /** What the engine last told of BGP in the domain. */
  bgp(domainId: string): BgpState | undefined;
  /** What the engine last reported of the load balancer. */
  report(id: string): LoadBalancerReport | undefined;
  /** The last acknowledgement of the load balancer. */
  ack(id: string): Ack | undefined;
  counters(listenerId: string): ListenerCounters | undefined;
  sendText(text: string): void;
  connections(): number;
  waitFor(what: string, condition: () => boolean | Promise<boolean>): Promise<void>;
  /** As if it were not there: ends connections, and turns new ones away until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends all connections and listens no more. */
  close(): Promise<void>;
}

const PATIENCE = 40_000;

/** @param where a port of loopback, or the path of a unix socket, which engines in other network namespaces reach, too */
export async function startController(where: number | string = 0, welcome: object = {}): Promise<FakeController> {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  if (typeof where === 'string') http.listen(where);
  else http.listen(where, '127.0.0.1');
  await once(server, 'listening');
  const received: FromEngine[] = [];
  let engine: WebSocket | null = null;
  let connections = 0;
  let paused = false;

  server.on('connection', (socket) => {
    if (paused) return socket.terminate();
    connections += 1;
    socket.on('message', (data) => {
      const message = FromEngine.parse(JSON.parse(String(data)));
      received.push(message);
      if (message.type !== 'hello') return;
      const answer = { type: 'welcome', version: 2, heartbeatInterval: 1000, countersInterval: 200, ...welcome };
      socket.send(JSON.stringify(answer));
      // Not before: an agent takes nothing but a welcome for the answer to its hello.
      engine = socket;
    });
  });

  const waitFor = (what: string, condition: () => boolean | Promise<boolean>) => waitUntil(what, PATIENCE, condition);
  const acks = () => received.filter((message) => message.type === 'ack');
  const request = async (message: { id: string; generation: number }, text: string) => {
    await waitFor('the engine is connected', () => engine?.readyState === WebSocket.OPEN);
    const before = acks().length;
    engine?.send(text);
    const answer = () =>
      acks()
        .slice(before)
        .find(({ id }) => id === message.id);
    await waitFor(`${message.id} is acknowledged`, () => answer() !== undefined);
    return answer() as Ack;
  };
  const networksAcks = () => received.filter((message) => message.type === 'networksAck');
  const address = http.address() as AddressInfo | string;
  return {
    url: typeof address === 'string' ? `ws+unix://${address}:/` : `ws://127.0.0.1:${address.port}`,
    received,
    hellos: () => received.filter((message) => message.type === 'hello'),
    put: (spec, materials) => request(spec, JSON.stringify({ type: 'put', spec, ...(materials && { materials }) })),
    remove: (id, generation) =>
      request({ id, generation }, JSON.stringify({ type: 'remove', id, generation, epoch: 1 })),
    async putNetworks(spec) {
      await waitFor('the engine is connected', () => engine?.readyState === WebSocket.OPEN);
      const before = networksAcks().length;
      engine?.send(JSON.stringify({ type: 'networks', spec }));
      const answer = () =>
        networksAcks()
          .slice(before)
          .find(({ generation }) => generation >= spec.generation);
      await waitFor('the networks are acknowledged', () => answer() !== undefined);
      return answer() as NetworksAck;
    },
    networksAck: () => networksAcks().at(-1),
    bgp: (domainId) =>
      received.filter((message) => message.type === 'bgp').findLast((message) => message.domainId === domainId),
    report: (id) =>
      received
        .flatMap((message) => (message.type === 'heartbeat' ? message.changed : []))
        .findLast((report) => report.id === id),
    ack: (id) => acks().findLast((ack) => ack.id === id),
    counters: (listenerId) =>
      received
        .filter((message): message is Counters => message.type === 'counters')
        .flatMap(({ listeners }) => listeners)
        .findLast((counters) => counters.listenerId === listenerId),
    sendText: (text) => engine?.send(text),
    connections: () => connections,
    waitFor,
    pause() {
      paused = true;
      for (const client of server.clients) client.terminate();
    },
    resume() {
      paused = false;
    },
    async close() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
