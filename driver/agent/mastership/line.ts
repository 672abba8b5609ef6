import type { Socket } from 'node:dgram';
import type { Logger } from 'pino';
import type { HeartbeatSpec } from '../../protocol/engineSpec';
import { BEAT_PORT, type Beat, type Claim, decodeBeat, encodeBeat, MOST_CLAIMS } from './beat';
import { openSocket } from './socket';

/** The heartbeats of this engine and its neighbours on one network of data. */
export interface Line {
  /** What is to be said of load balancers from now on. */
  want(heartbeat: HeartbeatSpec, claims: readonly Claim[]): void;
  /** Says that this engine lives, and what it claims: all of it by and by, what has changed at once. */
  beat(now: number): void;
  /** When each neighbour was last heard; absent: never. */
  heardAt(engineId: string): number | undefined;
  close(): void;
}

export interface LineDeps {
  readonly engineId: string;
  /** New at every start of the agent. */
  readonly boot: string;
  readonly namespace: string;
  /** Own address, without prefix length. */
  readonly address: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly onBeat: (beat: Beat) => void;
}

/** Milliseconds after which a socket that could not be opened is tried again. */
const RETRY = 2_000;

export function openLine(deps: LineDeps): Line {
  const { engineId, boot, now } = deps;
  const heard = new Map<string, { at: number; boot: string; sequence: number }>();
  let spec: HeartbeatSpec = { interval: 100, timeout: 1000, neighbours: [] };
  let claims: readonly Claim[] = [];
  let offset = 0;
  let sequence = 0;
  let beatAt = 0;

  const keyOf = (id: string) => spec.neighbours.find((it) => it.engineId === id)?.key;
  const receive = (datagram: Buffer): void => {
    const beat = decodeBeat(datagram, keyOf);
    if (beat === null) return;
    const before = heard.get(beat.from);
    // What was said before, and comes late or is said again by somebody else.
    if (before?.boot === beat.boot && beat.sequence <= before.sequence) return;
    heard.set(beat.from, { at: now(), boot: beat.boot, sequence: beat.sequence });
    deps.onBeat(beat);
  };
  const door = openDoor(deps, receive);
  return {
    want(wanted, claimed) {
      const news = claimed.filter((it) => !claims.some((other) => isSame(it, other)));
      if (news.length > 0) beatAt = 0;
      spec = wanted;
      claims = [...news, ...claimed.filter((it) => !news.includes(it))];
      if (news.length > 0) offset = 0;
    },
    beat(at) {
      if (spec.neighbours.length === 0) return;
      const socket = door.socket(at);
      if (socket === null || at - beatAt < spec.interval) return;
      beatAt = at;
      sequence += 1;
      const said = claims.slice(offset, offset + MOST_CLAIMS);
      offset = offset + MOST_CLAIMS < claims.length ? offset + MOST_CLAIMS : 0;
      for (const { address: to, key } of spec.neighbours) {
        // One that cannot be sent is one that is not heard.
        socket.send(encodeBeat({ from: engineId, boot, sequence, claims: said }, key), BEAT_PORT, to, () => undefined);
      }
    },
    heardAt: (id) => heard.get(id)?.at,
    close: door.close,
  };
}

/** Keeps a socket open, and tries again when that cannot be. */
function openDoor({ namespace, address, log }: LineDeps, receive: (datagram: Buffer) => void) {
  let opened: Socket | null = null;
  let triedAt: number | null = null;
  let closed = false;
  const open = async (): Promise<void> => {
    const socket = await openSocket(namespace, address, BEAT_PORT);
    if (closed) return void socket.close();
    socket.unref();
    socket.on('message', receive);
    socket.on('error', (err) => {
      log.info({ err, namespace }, 'the socket of heartbeats failed');
      socket.close();
      if (opened === socket) opened = null;
    });
    opened = socket;
  };
  return {
    /** Null while there is none. */
    socket(at: number): Socket | null {
      if (opened !== null || closed || (triedAt !== null && at - triedAt < RETRY)) return opened;
      triedAt = at;
      open().catch((err: unknown) => log.info({ err, namespace }, 'no heartbeats to neighbours; tried again'));
      return opened;
    },
    close() {
      closed = true;
      opened?.close();
      opened = null;
    },
  };
}

function isSame(one: Claim, other: Claim): boolean {
  return one.loadBalancerId === other.loadBalancerId && one.term === other.term && one.master === other.master;
}
