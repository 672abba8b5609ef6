import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { EngineSpec, NetworkProblem } from '../../driver/protocol/engineSpec';
import type { Ack, FromController, FromEngine, Held, Hello, LoadBalancerReport } from '../../driver/protocol/messages';
import { FromController as FromControllerSchema, type Refusal } from '../../driver/protocol/messages';
import type { LoadBalancerSpec } from '../../driver/protocol/spec';
import { waitUntil } from './wait';

/**
 * A service engine without a data plane: it speaks the protocol, holds specs and answers as it is told to. It refuses
 * what is older than what it holds, as the real one does, and fails on a message that is not in the protocol.
 */
export interface FakeEngine {
  readonly id: string;
  readonly held: ReadonlyMap<string, LoadBalancerSpec>;
  /** Everything the controller has sent, over all connections. */
  readonly received: readonly FromController[];
  /** How acknowledgements look from now on. */
  behave(behaviour: Partial<Behaviour>): void;
  connect(url: string): Promise<void>;
  /** Whether the last connection is still open. */
  readonly connected: boolean;
  /** Why the controller closed the last connection. */
  readonly closeReason: string | undefined;
  disconnect(): Promise<void>;
  send(message: FromEngine): void;
  sendText(text: string): void;
  heartbeat(changed?: readonly LoadBalancerReport[]): void;
  /** Heartbeats from now on, until told to stop or disconnected. */
  beat(interval: number): () => void;
  ack(loadBalancerId: string): void;
  /** The networks it was told last. */
  readonly networks: EngineSpec | undefined;
  /** Says anew how they are in force. */
  ackNetworks(): void;
  /** Specs sent of one load balancer, in order. */
  puts(loadBalancerId: string): readonly LoadBalancerSpec[];
  waitFor(what: string, condition: () => boolean): Promise<void>;
}

export interface Behaviour {
  /** False: it says nothing to specs and removals. */
  readonly answers: boolean;
  /** Objects it does not serve, of every spec that is sent. */
  readonly refusals: readonly Refusal[];
  /** It can put nothing in force. */
  readonly refusesAll: boolean;
  /** What is wrong with its networks; undefined: it says nothing to them. */
  readonly networkProblems: readonly NetworkProblem[] | undefined;
  /** Digests of certificates it says in a hello that it has lost. */
  readonly lacking: readonly string[];
}

const LOAD = { cpuPercent: 1, memoryPercent: 2, connections: 3 };

export function createFakeEngine(
  { id, token }: { id: string; token: string },
  { managesNetworks = false }: { readonly managesNetworks?: boolean } = {},
): FakeEngine {
  const held = new Map<string, LoadBalancerSpec>();
  const refusedBy = new Map<string, readonly Refusal[]>();
  const received: FromController[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let behaviour: Behaviour = { answers: true, refusals: [], refusesAll: false, networkProblems: [], lacking: [] };
  let socket: WebSocket | undefined;
  let closeReason: string | undefined;
  let networks: EngineSpec | undefined;
  let seq = 0;

  const send = (message: FromEngine): void => socket?.send(JSON.stringify(message));
  const ackOf = (spec: LoadBalancerSpec, outcome: Ack['outcome']): Ack => ({
    type: 'ack',
    id: spec.id,
    generation: spec.generation,
    epoch: spec.epoch,
    digest: spec.digest,
    outcome,
    refusals: [...(refusedBy.get(spec.id) ?? [])],
  });
  const answerPut = (spec: LoadBalancerSpec): void => {
    const have = held.get(spec.id);
    if (have && (spec.generation - have.generation || spec.epoch - have.epoch) < 0) {
      send(ackOf(have, 'applied'));
      return;
    }
    refusedBy.set(spec.id, behaviour.refusals);
    if (!behaviour.refusesAll) held.set(spec.id, spec);
    send(ackOf(spec, behaviour.refusesAll ? 'refused' : 'applied'));
  };
  const ackNetworks = (): void => {
    if (!networks || !behaviour.networkProblems) return;
    const { generation, digest } = networks;
    send({ type: 'networksAck', generation, digest, problems: [...behaviour.networkProblems] });
  };
  const takeNetworks = (spec: EngineSpec): void => {
    networks = spec;
    ackNetworks();
  };
  const heartbeat = (changed: readonly LoadBalancerReport[] = []): void => {
    seq += 1;
    send({ type: 'heartbeat', seq, load: LOAD, changed: [...changed] });
  };
  const take = (message: FromController): void => {
    received.push(message);
    if (!behaviour.answers) return;
    if (message.type === 'put') answerPut(message.spec);
    if (message.type === 'networks') takeNetworks(message.spec);
    if (message.type === 'remove') {
      held.delete(message.id);
      const { id: gone, generation, epoch } = message;
      send({ type: 'ack', id: gone, generation, epoch, digest: '', outcome: 'removed', refusals: [] });
    }
  };
  const hello = (): Hello => ({
    type: 'hello',
    versions: managesNetworks ? [3, 2] : [2],
    engineId: id,
    token,
    managesNetworks,
    networksDigest: networks?.digest ?? null,
    bootId: 'boot',
    agentVersion: 'fake',
    daemons: { haproxy: '2.6.12' },
    held: [...held.values()].map((spec): Held => {
      const { id: lb, generation, epoch, digest } = spec;
      return {
        id: lb,
        generation,
        epoch,
        digest,
        refusals: [...(refusedBy.get(lb) ?? [])],
        lacking: [...behaviour.lacking],
      };
    }),
  });
  const waitFor = (what: string, condition: () => boolean) => waitUntil(what, 5_000, condition);
  return {
    id,
    held,
    received,
    behave: (changes) => {
      behaviour = { ...behaviour, ...changes };
    },
    async connect(url) {
      const fresh = new WebSocket(url);
      closeReason = undefined;
      socket = fresh;
      fresh.on('message', (data) => take(FromControllerSchema.parse(JSON.parse(data.toString()))));
      fresh.on('close', (_code, reason) => {
        if (socket === fresh) closeReason = reason.toString();
      });
      await once(fresh, 'open');
      const welcomes = received.filter(({ type }) => type === 'welcome').length;
      send(hello());
      await waitFor('the controller answers the hello', () => {
        const welcomed = received.filter(({ type }) => type === 'welcome').length > welcomes;
        return welcomed || closeReason !== undefined;
      });
    },
    get connected() {
      return socket?.readyState === WebSocket.OPEN;
    },
    get closeReason() {
      return closeReason;
    },
    async disconnect() {
      for (const timer of timers) clearInterval(timer);
      timers.clear();
      const open = socket;
      if (!open || open.readyState === WebSocket.CLOSED) return;
      open.terminate();
      await once(open, 'close');
    },
    send,
    sendText: (text) => socket?.send(text),
    heartbeat,
    beat(interval) {
      const timer = setInterval(() => heartbeat(), interval);
      timers.add(timer);
      return () => {
        clearInterval(timer);
        timers.delete(timer);
      };
    },
    ack(loadBalancerId) {
      const spec = held.get(loadBalancerId);
      if (spec) send(ackOf(spec, 'applied'));
    },
    get networks() {
      return networks;
    },
    ackNetworks,
    puts: (loadBalancerId) =>
      received.flatMap((it) => (it.type === 'put' && it.spec.id === loadBalancerId ? [it.spec] : [])),
    waitFor,
  };
}
