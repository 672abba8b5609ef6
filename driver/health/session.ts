import { listPlacementsOn } from '../db/confirmations';
import { dropConnection } from '../db/engineConnections';
import { listWaitingLoadBalancers } from '../db/engines';
import { recordNews } from '../db/events';
import type { FromController, FromEngine, Held, Hello } from '../protocol/messages';
import { hintEngine, hintLoadBalancer } from './acks';
import type { EngineLink } from './connections';
import { recordEngineEvent } from './engineEvents';
import { enrolEngine } from './enrol';
import { noteClaims, noteNeighbours } from './pairs';
import type { Parts } from './parts';
import type { ProvenEngine } from './port/callers';
import { compareHeld } from './resync';
import type { EngineSocket } from './server';

/** An engine's connection from its hello to its end. */

/** The reason if the engine is turned away. */
export async function openSession(parts: Parts, hello: Hello, socket: EngineSocket): Promise<EngineLink | string> {
  const { db, id, log, connections, liveness, peers, settings, background } = parts;
  if (socket.engine && hasRival(parts, hello)) return 'another agent with this certificate is connected';
  const enrolment = await enrolEngine(db, { hello, proven: socket.engine, sealer: parts.sealer }, id);
  if (enrolment.kind === 'refused') {
    if (socket.engine) tellRefusal(parts, socket.engine, hello);
    return enrolment.reason;
  }
  tellClock(parts, hello, enrolment.engine.name);
  const { engine, epoch, version, cameUp } = enrolment;
  const link = createLink(socket, {
    ...{ engineId: engine.id, epoch, engineName: engine.name, lastSeen: parts.now(), bootId: hello.bootId },
    version,
    // Agents of version 1 know no message about networks.
    networks: { managed: hello.managesNetworks && version >= 2, digest: hello.networksDigest },
    inspects: hello.inspects === true,
  });
  for (const { id: held, generation, epoch: heldEpoch } of hello.held) {
    link.held.set(held, { generation, epoch: heldEpoch });
  }
  connections.add(link);
  liveness.arrived(link);
  log.info({ engine: engine.id, epoch, held: hello.held.length, was: engine.status }, 'an engine connected');
  link.send({
    type: 'welcome',
    version,
    heartbeatInterval: settings.heartbeatInterval,
    countersInterval: settings.countersInterval,
    now: Date.now(),
  });
  background.start('tell of a connection', () => peers.announceConnection(engine.id, epoch));
  background.start('compare what an engine holds', () => resynchronize(parts, link, hello.held));
  if (cameUp) background.start('hint those who wait for an engine', () => hintWaiting(parts, engine.id));
  return link;
}

/**
 * Two agents with one certificate are an engine and its clone. The one that is connected stays, as long as it is heard of: an
 * agent that was started again finds the connection of the one before it closed, or silent.
 */
function hasRival({ connections, settings, now }: Parts, { engineId, bootId }: Hello): boolean {
  const present = connections.get(engineId);
  if (!present?.open || present.bootId === bootId) return false;
  if (now() - present.lastSeen > 2 * settings.heartbeatInterval) return false;
  present.hasRival = true;
  return true;
}

/** Both were heard of now, one after the other. */
function tellRival({ teller }: Parts, link: EngineLink): void {
  link.hasRival = false;
  const message = `service engine ${link.engineName}: a second agent called with its key while it is connected: its disk was copied. The second one was turned away`;
  teller.tell({ name: 'ENGINE_CLONED', severity: 'error', message, engineId: link.engineId });
}

function tellRefusal({ teller }: Parts, { engineId: proven }: ProvenEngine, { engineId: said }: Hello): void {
  if (proven === said) return;
  const message = `service engine ${proven} said it was ${said}, and was turned away`;
  teller.tell({ name: 'ENGINE_IMPERSONATION', severity: 'error', message, engineId: proven });
}

/** Milliseconds by which an engine's clock may be wrong before it is told. */
const CLOCK_TOLERANCE = 60_000;

function tellClock({ db, background }: Parts, { clock, engineId }: Hello, name: string): void {
  if (clock === undefined) return;
  const off = clock - Date.now();
  if (Math.abs(off) < CLOCK_TOLERANCE) return;
  const amount = `${Math.round(Math.abs(off) / 60_000)} minutes ${off > 0 ? 'ahead' : 'behind'}`;
  const message = `service engine ${name}: its clock is ${amount}. It judges certificates by the controllers' clock; its logs have wrong times`;
  const happening = { name: 'ENGINE_CLOCK_WRONG', severity: 'warning' as const, message };
  background.start('tell of a clock', () => recordNews(db, happening, engineId));
}

/** At most so many are hinted at a time; the sweep finds the others. */
const MAX_WAITING = 1_000;

async function hintWaiting({ db, bus }: Parts, engineId: string): Promise<void> {
  await hintEngine(bus, engineId);
  const ids = await listWaitingLoadBalancers(db, MAX_WAITING);
  await Promise.all(ids.map((id) => hintLoadBalancer(bus, id)));
}

async function resynchronize(parts: Parts, link: EngineLink, held: readonly Held[]): Promise<void> {
  const { pusher, acks, db, networks } = parts;
  await networks.bring(link);
  const { push, verify, remove, confirm, gone } = compareHeld(held, await listPlacementsOn(db, link.engineId));
  for (const it of confirm) {
    const ack = { ...it, type: 'ack' as const, outcome: 'applied' as const };
    pusher.acknowledged(link, ack);
    acks.take(link, ack);
  }
  for (const { loadBalancerId, wantedGeneration, wantedEpoch } of gone) {
    acks.take(link, {
      type: 'ack',
      id: loadBalancerId,
      generation: wantedGeneration,
      epoch: wantedEpoch,
      digest: '',
      outcome: 'removed',
      refusals: [],
    });
  }
  await Promise.all([...push, ...remove].map((id) => pusher.request(link, id)));
  // One by one: hints that come meanwhile do not stand in line behind all of them.
  for (const id of verify) await pusher.request(link, id);
}

/** A message of an engine that is enrolled. */
export function receiveMessage(parts: Parts, link: EngineLink, message: Exclude<FromEngine, Hello>): void {
  const { reports, judge, counters, loads, pusher, acks, networks, background, db, metrics } = parts;
  link.lastSeen = parts.now();
  if (link.hasRival) tellRival(parts, link);
  switch (message.type) {
    case 'heartbeat': {
      const complete = !link.greeted;
      link.greeted = true;
      loads.take(link.engineId, message.load);
      if (complete || message.changed.length > 0) judge.mark(reports.take(link.engineId, message.changed, complete));
      break;
    }
    case 'counters':
      counters.take(link.engineId, message.listeners);
      break;
    case 'ack':
      metrics.acknowledged();
      pusher.acknowledged(link, message);
      acks.take(link, message);
      break;
    case 'networksAck':
      networks.acknowledged(link, message);
      break;
    case 'bgp':
      background.start('keep what an engine says of BGP', () => parts.bgp.take(link, message));
      break;
    case 'neighbours':
      background.start('keep what an engine hears of others', () => noteNeighbours(parts, link, message));
      break;
    case 'masterships':
      background.start('keep what an engine says of pairs', () => noteClaims(parts, link, message.claims));
      break;
    case 'captureChunk':
    case 'captureEnd':
      parts.captures.take(link, message);
      break;
    case 'inspection':
      background.start('keep what an engine answers', () => parts.inspections.take(link, message));
      break;
    case 'event':
      background.start('record an event of an engine', () => recordEngineEvent(db, link.engineId, message));
      break;
  }
}

/** The connection has ended. May be called twice. */
export function closeSession(parts: Parts, link: EngineLink): void {
  const { connections, liveness, pusher, captures, background, db, log } = parts;
  pusher.drop(link);
  if (!connections.remove(link)) return;
  liveness.left(link);
  parts.loads.forget(link.engineId);
  captures.left(link);
  log.info({ engine: link.engineId, epoch: link.epoch }, 'the connection of an engine ended');
  background.start('note the end of a connection', () => dropConnection(db, link));
}

function createLink(
  socket: EngineSocket,
  known: Pick<
    EngineLink,
    'engineId' | 'epoch' | 'engineName' | 'version' | 'bootId' | 'lastSeen' | 'networks' | 'inspects'
  >,
): EngineLink {
  return {
    ...known,
    held: new Map(),
    hasRival: false,
    greeted: false,
    get open() {
      return socket.open;
    },
    send: (message: FromController) => {
      if (socket.open) socket.send(JSON.stringify(message));
    },
    close: (reason) => socket.close(reason),
    terminate: () => socket.terminate(),
  };
}
