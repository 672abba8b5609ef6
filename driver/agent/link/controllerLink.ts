import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import WebSocket, { type RawData } from 'ws';
import type { Inspect } from '../../protocol/inspection';
import {
  type Ack,
  type BgpState,
  FromController,
  type FromEngine,
  type Hello,
  MAX_MESSAGE_BYTES,
  type MastershipClaims,
  type Neighbours,
  type NetworksAck,
  PROTOCOL_VERSIONS,
  type StartCapture,
  type StopCapture,
  type Welcome,
} from '../../protocol/messages';
import type { Bgp } from '../bgp/bgp';
import type { Captures } from '../capture/captures';
import type { Inspector } from '../inspect/inspector';
import type { Networks } from '../network/networks';
import { monotonicNow } from '../process/monotonic';
import { createBackOff } from '../serve/backOff';
import type { Engine } from '../serve/engine';
import { RefusedError } from './ask';
import type { Dialer, Way } from './dialer';
import { createReporter, type Reporter } from './reporter';

/** What the link needs of its agent. */
export interface LinkDeps {
  readonly controllers: readonly string[];
  readonly dialer: Dialer;
  readonly log: Logger;
  readonly engine: Engine;
  readonly networks: Pick<Networks, 'managed' | 'put'>;
  readonly bgp: Pick<Bgp, 'states'>;
  readonly captures: Pick<Captures, 'start' | 'stop' | 'abandon'>;
  readonly inspector: Inspector;
  /** A controller is there, and is to be told what is not in the hello. */
  readonly onWelcome?: () => void;
  /** Made anew for each connection: what is held changes. */
  hello(): Hello;
  /** In [0, 1): spreads reconnections. */
  random(): number;
}

/** The connection to one of the controllers; it is made again whenever it breaks. */
export interface Link {
  /** Sends an acknowledgement, if a controller is there; else the next hello tells what is held. */
  acknowledge(ack: Ack | NetworksAck): void;
  event(name: string, loadBalancerId: string | null, message: string): void;
  /** Sends the state of a domain's BGP, if a controller is there that knows of it. */
  bgp(state: BgpState): void;
  /** Sends what engines say of pairs and neighbours, if a controller is there that knows of it. */
  tell(message: Neighbours | MastershipClaims): void;
  /** When a controller was last heard, on the clock of `monotonicNow`; null: never. */
  heardAt(): number | null;
  /** A report has changed and may be sent before the next heartbeat. */
  reportChanged(): void;
  close(): void;
}

/** Milliseconds. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5000;
const HANDSHAKE = 10_000;
const SILENCE = 15_000;
const MOST_EVENTS = 100;
/** Between two attempts of an engine that the controller does not want. */
const REFUSED_PAUSE = 30_000;
const RENEWAL_CHECK = 2_000;
const MOST_OF_REFUSAL = 4_096;

interface Connection {
  readonly socket: WebSocket;
  reporter: Reporter | null;
  /** Of the protocol; 0 until it is agreed upon. */
  version: number;
  /** When the controller last said anything. */
  heardAt(): number;
}

/** Of the protocol: the first with messages about BGP. */
const WITH_BGP = 3;

/** Starts dialling; returns at once. Controllers are tried in turn, from a random one on. */
export function openLink(deps: LinkDeps): Link {
  const { controllers, log } = deps;
  const pauses = createBackOff(FIRST_PAUSE, LONGEST_PAUSE);
  const unsent: FromEngine[] = [];
  let turn = Math.floor(deps.random() * controllers.length);
  let current: Connection | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  let heardAt: number | null = null;

  const dial = () => {
    const url = controllers[turn % controllers.length];
    turn += 1;
    if (closed || url === undefined) return;
    deps.dialer.prepare(url).then(
      (way) => (closed ? way.abandon() : use(url, way)),
      (err: unknown) => {
        log.info({ url, err }, 'no way to the controller; serving on');
        again(err instanceof RefusedError);
      },
    );
  };
  const again = (refused: boolean) => {
    const pause = refused ? REFUSED_PAUSE : pauses.next();
    if (!closed) timer = setTimeout(dial, pause * (0.5 + deps.random()));
  };
  const use = (url: string, way: Way) => {
    current = connect(url, way, deps, {
      welcomed: (connection) => {
        pauses.reset();
        for (const event of unsent.splice(0)) send(connection.socket, event);
        // Once this connection is the one that is spoken on.
        queueMicrotask(() => deps.onWelcome?.());
        if (connection.version >= WITH_BGP) for (const state of deps.bgp.states()) send(connection.socket, state);
      },
      ended: (refused) => {
        if (current?.reporter) heardAt = current.heardAt();
        current = null;
        again(refused);
      },
    });
  };
  dial();
  log.info({ controllers }, 'dialling the controller');

  return {
    ...mouthOf(() => current, unsent),
    heardAt: () => (current?.reporter ? current.heardAt() : heardAt),
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      current?.socket.close(1001);
      current?.socket.terminate();
    },
  };
}

/** What is said on the connection there is. */
function mouthOf(current: () => Connection | null, unsent: FromEngine[]): Omit<Link, 'heardAt' | 'close'> {
  const ready = () => (current()?.reporter === null ? null : (current()?.socket ?? null));
  const tell = (message: BgpState | Neighbours | MastershipClaims) => {
    const socket = ready();
    if (socket !== null && (current()?.version ?? 0) >= WITH_BGP) send(socket, message);
  };
  return {
    acknowledge(ack) {
      const socket = ready();
      if (socket !== null) send(socket, ack);
    },
    event(name, loadBalancerId, message) {
      const event: FromEngine = { type: 'event', name, loadBalancerId, message };
      const socket = ready();
      if (socket !== null) send(socket, event);
      else if (unsent.length < MOST_EVENTS) unsent.push(event);
    },
    bgp: tell,
    tell,
    reportChanged: () => current()?.reporter?.reportChanged(),
  };
}

interface ConnectionEvents {
  welcomed(connection: Connection): void;
  /** `refused`: it does not want this engine. */
  ended(refused: boolean): void;
}

function connect(url: string, way: Way, deps: LinkDeps, events: ConnectionEvents): Connection {
  const socket = new WebSocket(url, { ...way.options, maxPayload: MAX_MESSAGE_BYTES, handshakeTimeout: HANDSHAKE });
  const silence = watchSilence(socket);
  const connection: Connection = { socket, reporter: null, version: 0, heardAt: silence.heardAt };
  const unwelcome = setTimeout(() => {
    if (connection.reporter === null) socket.terminate();
  }, HANDSHAKE);
  const renewal = setInterval(() => void renew(url, connection, deps), RENEWAL_CHECK);
  let refused = false;
  socket.on('unexpected-response', (_request, response) => {
    void readRefusal(response).then((text) => {
      refused = !deps.dialer.refused(text) && response.statusCode === 403;
      socket.terminate();
    });
  });
  socket.on('open', () => send(socket, deps.hello()));
  socket.on('message', (data) => {
    silence.refresh();
    receive(connection, data, deps, events);
  });
  socket.on('error', (error) => deps.log.debug({ url, err: error }, 'the connection to the controller failed'));
  socket.on('close', (code) => {
    clearTimeout(unwelcome);
    silence.stop();
    clearInterval(renewal);
    connection.reporter?.stop();
    deps.captures.abandon();
    deps.log.info({ url, code }, 'no connection to the controller; serving on');
    events.ended(refused);
  });
  return connection;
}

/** A certificate is used as soon as it is there: should it not do, the one before it is still good. */
async function renew(url: string, { socket, reporter }: Connection, { dialer, log }: LinkDeps): Promise<void> {
  if (reporter === null) return;
  try {
    if (await dialer.renew(url)) socket.close(1000, 'to come back with another certificate');
  } catch (err) {
    log.warn({ url, err }, 'the certificate of this engine could not be renewed; tried again');
  }
}

async function readRefusal(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const part of response) {
      text += String(part);
      if (text.length > MOST_OF_REFUSAL) break;
    }
  } catch {
    // What has come of it has to do.
  }
  return text;
}

/** A controller whose machine has died says nothing: it is pinged, and given up when no answer comes. */
function watchSilence(socket: WebSocket): { refresh(): void; heardAt(): number; stop(): void } {
  let heard = monotonicNow();
  const refresh = () => {
    heard = monotonicNow();
  };
  socket.on('pong', refresh);
  socket.on('ping', refresh);
  const timer = setInterval(() => {
    if (monotonicNow() - heard > SILENCE) socket.terminate();
    else if (socket.readyState === WebSocket.OPEN) socket.ping();
  }, SILENCE / 3);
  return {
    refresh,
    // It is asked every third of that time: until two questions are open it is there.
    heardAt: () => (isOpen(socket) && monotonicNow() - heard < (SILENCE * 2) / 3 ? monotonicNow() : heard),
    stop: () => clearInterval(timer),
  };
}

function isOpen({ readyState }: WebSocket): boolean {
  return readyState === WebSocket.OPEN;
}

/** A message of a wrong shape ends the connection: whoever sent it and this agent do not understand one another. */
function receive(connection: Connection, data: RawData, deps: LinkDeps, events: ConnectionEvents): void {
  const message = parse(data);
  const welcomed = connection.reporter !== null;
  if (message === null || (message.type === 'welcome') === welcomed) {
    // Not its text: it may hold keys.
    deps.log.error(
      { type: message?.type, bytes: String(data).length },
      'the controller sent what this agent does not understand',
    );
    connection.socket.close(1002, 'unexpected message');
    return;
  }
  if (message.type === 'welcome') {
    welcome(connection, message, deps, events);
    return;
  }
  // Never sent to an agent that does not say `managesNetworks`.
  if (message.type === 'networks' && !deps.networks.managed) return;
  if (message.type === 'capture') {
    deps.captures.start(message, (part) => send(connection.socket, part));
    return;
  }
  if (message.type === 'stopCapture') {
    deps.captures.stop(message.captureId);
    return;
  }
  if (message.type === 'inspect') {
    void deps.inspector.inspect(message).then((inspection) => send(connection.socket, inspection));
    return;
  }
  answer(message, deps)
    .then((ack) => send(connection.socket, ack))
    .catch((error: unknown) =>
      deps.log.error({ err: error, type: message.type }, 'a request of the controller failed'),
    );
}

function answer(
  message: Exclude<FromController, Welcome | StartCapture | StopCapture | Inspect>,
  { engine, networks }: LinkDeps,
): Promise<Ack | NetworksAck> {
  switch (message.type) {
    case 'networks':
      return networks.put(message.spec);
    case 'put':
      return engine.put(message.spec, message.materials);
    case 'remove':
      return engine.remove(message.id, message.generation, message.epoch);
  }
}

function welcome(connection: Connection, message: Welcome, deps: LinkDeps, events: ConnectionEvents): void {
  if (!PROTOCOL_VERSIONS.some((version) => version === message.version)) {
    deps.log.error({ version: message.version }, 'the controller chose a protocol version this agent does not speak');
    connection.socket.close(1002, 'unknown version');
    return;
  }
  deps.log.info({ version: message.version }, 'connected to the controller');
  connection.version = message.version;
  deps.dialer.welcomed(message.now ?? Date.now());
  connection.reporter = createReporter(deps.engine, message, (report) => send(connection.socket, report));
  events.welcomed(connection);
}

function parse(data: RawData): FromController | null {
  try {
    return FromController.parse(JSON.parse(String(data)));
  } catch {
    return null;
  }
}

function send(socket: WebSocket, message: FromEngine): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}
