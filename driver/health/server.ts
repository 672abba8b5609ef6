import type { AddressInfo } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Logger } from 'pino';
import { WebSocket, WebSocketServer } from 'ws';
import { FromEngine, type Hello, MAX_MESSAGE_BYTES } from '../protocol/messages';
import type { EngineLink } from './connections';
import type { ProvenEngine } from './port/callers';
import type { EnrolmentDeps } from './port/enrolment';
import { type Arrival, openTlsPort, type TlsPortDeps } from './port/tlsPort';

/** The engines' port: takes connections, reads and checks messages, hands them on. */

/** What happens on connections that have said hello. */
export interface ServerEvents {
  /** Judges a hello. The link it gives goes to all the others; a text turns the engine away. */
  enrol(hello: Hello, socket: EngineSocket): Promise<EngineLink | string>;
  onMessage(link: EngineLink, message: Exclude<FromEngine, Hello>): void;
  /** May be called twice. */
  onClose(link: EngineLink): void;
}

/** The little of a WebSocket that a link needs. */
export interface EngineSocket {
  readonly open: boolean;
  /** Null: it has shown no certificate, and proves itself by what its hello says. */
  readonly engine: ProvenEngine | null;
  send(text: string): void;
  close(reason: string): void;
  terminate(): void;
}

export interface ServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Names and addresses engines know this health-manager by. */
  readonly names: readonly string[];
  readonly maxHandshakes: number;
  /** Where there is TLS. */
  readonly maxHandshakesPerAddress: number;
  /** Milliseconds. */
  readonly handshakeTimeout: number;
}

export interface ServerDeps {
  readonly events: ServerEvents;
  readonly log: Logger;
  /** Who gets certificates: nothing but TLS is spoken then. Absent: nothing but clear text is, over loopback. */
  readonly enrolment?: EnrolmentDeps | undefined;
  readonly onRefused?: TlsPortDeps['onRefused'];
}

export interface EngineServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Policy violation, RFC 6455: also what is sent for a message of a wrong shape. */
const REFUSED = 1008;
const GOING_AWAY = 1001;

/**
 * Listens for engines.
 * @throws Error for an address that is not a loopback one, unless engines prove themselves by certificates
 */
export async function startEngineServer(options: ServerOptions, deps: ServerDeps): Promise<EngineServer> {
  return deps.enrolment ? startTlsServer(options, deps, deps.enrolment) : startPlainServer(options, deps);
}

const WEB_SOCKETS = { maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false, clientTracking: true } as const;

async function startTlsServer(
  options: ServerOptions,
  { events, log, onRefused = () => undefined }: ServerDeps,
  enrolment: EnrolmentDeps,
): Promise<EngineServer> {
  const server = new WebSocketServer({ ...WEB_SOCKETS, noServer: true });
  const onEngine = ({ request, socket, head, engine, greeted }: Arrival): void =>
    server.handleUpgrade(request, socket, head, (webSocket) =>
      serve(webSocket, { events, log, greeted, timeout: options.handshakeTimeout, engine }),
    );
  const port = await openTlsPort(options, { enrolment, log, onEngine, onRefused });
  const url = urlOf(port.front.address(), 'wss');
  const close = async (): Promise<void> => {
    port.front.close();
    await closeServer(server);
    await port.close();
  };
  return { url, close };
}

async function startPlainServer(options: ServerOptions, { events, log }: ServerDeps): Promise<EngineServer> {
  requireLoopback(options.host);
  let handshakes = 0;
  const server = new WebSocketServer({
    ...WEB_SOCKETS,
    host: options.host,
    port: options.port,
    verifyClient: (_info, done) =>
      handshakes < options.maxHandshakes ? done(true) : done(false, 503, 'too many handshakes, try again'),
  });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  server.on('error', (err) => log.error({ err }, "the engines' port failed"));
  server.on('connection', (socket) => {
    handshakes += 1;
    let counted = true;
    const greeted = (): void => {
      if (counted) handshakes -= 1;
      counted = false;
    };
    serve(socket, { events, log, greeted, timeout: options.handshakeTimeout, engine: null });
  });
  return { url: urlOf(server.address(), 'ws'), close: () => closeServer(server) };
}

/** @throws Error unless the address is a loopback one */
function requireLoopback(host: string): void {
  const loopback = host === 'localhost' || (ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback');
  if (loopback) return;
  throw new Error(
    `[health_manager] bind_ip: ${host} is not a loopback address; engines on other hosts need mutual TLS: [certificates] ca_certificate`,
  );
}

interface Serving {
  readonly events: ServerEvents;
  readonly log: Logger;
  /** The connection is past its handshake, or has ended in it. */
  greeted(): void;
  /** Milliseconds. */
  readonly timeout: number;
  readonly engine: ProvenEngine | null;
}

function serve(socket: WebSocket, { events, log, greeted, timeout, engine }: Serving): void {
  const wire = engineSocket(socket, engine);
  const expiry = engine && watchExpiry(engine, wire);
  let link: EngineLink | undefined;
  let asked = false;
  const late = setTimeout(() => wire.close('no hello came'), timeout);

  const greet = async (hello: Hello): Promise<void> => {
    asked = true;
    clearTimeout(late);
    // Nothing is read until the hello is judged, so that no message comes before its turn.
    socket.pause();
    const judged = await events.enrol(hello, wire).finally(greeted);
    if (typeof judged === 'string') {
      log.warn({ engine: hello.engineId, reason: judged }, 'an engine was turned away');
      wire.close(judged);
    } else {
      link = judged;
      if (!judged.open) events.onClose(judged);
    }
    socket.resume();
  };

  socket.on('message', (data, isBinary) => {
    const message = isBinary ? undefined : readMessage(data.toString());
    const misplaced = message !== undefined && (message.type === 'hello') === asked;
    if (message === undefined || misplaced) {
      log.warn({ engine: link?.engineId }, 'a message that is not in the protocol: connection closed');
      return wire.close('not in the protocol');
    }
    if (message.type !== 'hello') {
      if (link?.open) events.onMessage(link, message);
      return;
    }
    greet(message).catch((err: unknown) => {
      log.warn({ err, engine: message.engineId }, 'a hello could not be judged');
      wire.close('try again');
      socket.resume();
    });
  });
  socket.on('error', (err) => log.info({ err, engine: link?.engineId }, 'a connection of an engine failed'));
  socket.on('close', () => {
    clearTimeout(late);
    if (expiry) clearTimeout(expiry);
    greeted();
    if (link) events.onClose(link);
  });
}

/** Undefined for anything that is not in the protocol. */
function readMessage(text: string): FromEngine | undefined {
  try {
    return FromEngine.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Longest a timer may be. Milliseconds. */
const LONGEST_TIMER = 2_147_483_647;

/** No connection outlives the certificate it was made with: whoever renewed it connects again. */
function watchExpiry({ notAfter }: ProvenEngine, wire: EngineSocket): NodeJS.Timeout {
  const left = Math.min(Math.max(notAfter - Date.now(), 0), LONGEST_TIMER);
  return setTimeout(() => wire.close('its certificate has expired'), left).unref();
}

function engineSocket(socket: WebSocket, engine: ProvenEngine | null): EngineSocket {
  let closing = false;
  return {
    engine,
    get open() {
      return !closing && socket.readyState === WebSocket.OPEN;
    },
    send: (text) => socket.send(text),
    close(reason) {
      if (closing) return;
      closing = true;
      // An engine that does not answer the close is cut off by ws after its own time-out.
      socket.close(REFUSED, reason.slice(0, 120));
    },
    terminate() {
      closing = true;
      socket.terminate();
    },
  };
}

function urlOf(address: AddressInfo | string | null, scheme: 'ws' | 'wss'): string {
  if (address === null || typeof address === 'string') throw new Error("the engines' port has no address");
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${scheme}://${host}:${address.port}`;
}

/** Milliseconds an engine has for its part of the closing. */
const CLOSE_BOUND = 1_000;

async function closeServer(server: WebSocketServer): Promise<void> {
  const clients = [...server.clients];
  const gone = clients.map((client) => new Promise<void>((resolve) => client.once('close', () => resolve())));
  // Stops listening at once; what is connected is closed one by one.
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const client of clients) client.close(GOING_AWAY, 'this health-manager stops');
  const cut = setTimeout(() => {
    for (const client of clients) client.terminate();
  }, CLOSE_BOUND);
  await Promise.all([...gone, closed]);
  clearTimeout(cut);
}
