import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { ListenerCounters } from '../../protocol/messages';
import { type Generation, isRunning } from '../nginx/generation';
import { signal } from '../process/identity';
import { readIfPresent, writeAtomically } from '../state/files';
import { offloadSessions } from './offload';
import { readSessions, type Session } from './sessionLog';
import { currentGeneration, type UdpPaths, type UdpUnit } from './unit';

const counter = z.string().regex(/^\d+$/);
const StoredSessions = z.object({
  tallies: z.record(z.string(), z.object({ bytesIn: counter, bytesOut: counter, sessions: counter })),
  positions: z.record(z.string(), z.object({ inode: z.number(), offset: z.number() })),
});

/** Bytes at which the log of a generation that goes on is put aside. */
const LARGEST_SESSION_LOG = 16 * 1024 * 1024;

/**
 * Takes on what the logs say since the last time. Sums and positions are stored together, so that after a restart of the
 * agent no session is counted twice and none is missed: nginx goes on writing meanwhile.
 */
export async function readSessionLogs(unit: UdpUnit): Promise<void> {
  for (const { sequence } of unit.generations) {
    const log = unit.paths.sessionLog(sequence);
    for (const path of [putAside(log), log]) await readLog(unit, path);
  }
}

async function readLog(unit: UdpUnit, path: string): Promise<void> {
  const name = basename(path);
  const logged: Session[] = [];
  const position = await readSessions(path, unit.positions.get(name) ?? null, (session) => {
    add(unit, session);
    if (isLogged(unit, session)) logged.push(session);
  });
  if (position !== null) unit.positions.set(name, position);
  if (logged.length > 0) await offloadSessions(unit, logged);
}

function isLogged({ layout }: UdpUnit, { listenerId }: Session): boolean {
  return layout?.frontends.some(({ listener }) => listener.id === listenerId && listener.log !== null) ?? false;
}

function add({ tallies }: UdpUnit, { listenerId, bytesIn, bytesOut }: Session): void {
  const tally = tallies.get(listenerId) ?? { bytesIn: 0n, bytesOut: 0n, sessions: 0n };
  tally.bytesIn += bytesIn;
  tally.bytesOut += bytesOut;
  tally.sessions += 1n;
  tallies.set(listenerId, tally);
}

/** Drops generations that are gone, once their last sessions have been read and stored; true if there were any. */
export async function forgetEnded(unit: UdpUnit): Promise<boolean> {
  const ended = unit.generations.filter((generation) => generation.retiredAt !== null && !isRunning(generation));
  if (ended.length === 0) return false;
  await readSessionLogs(unit);
  await storeSessions(unit);
  for (const { sequence } of ended) await removeFiles(unit, sequence);
  unit.generations = unit.generations.filter((generation) => !ended.includes(generation));
  return true;
}

async function removeFiles({ paths, positions }: UdpUnit, sequence: number): Promise<void> {
  const log = paths.sessionLog(sequence);
  for (const path of [paths.pidFile(sequence), putAside(log), log]) {
    await rm(path, { force: true });
    positions.delete(basename(path));
  }
}

/**
 * Puts a log that has grown large aside and has nginx begin a new one. The old one is read on until the next time, since
 * a worker takes a moment to change over.
 */
export async function rotateSessionLog(unit: UdpUnit, largest = LARGEST_SESSION_LOG): Promise<void> {
  const current = currentGeneration(unit);
  if (current === undefined) return;
  const log = unit.paths.sessionLog(current.sequence);
  const found = await stat(log).catch(() => null);
  if (found === null || found.size < largest) return;
  await readSessionLogs(unit);
  await storeSessions(unit);
  await rm(putAside(log), { force: true });
  // Under both names before it is renamed: an agent that ends in between must find how far it was read.
  const position = unit.positions.get(basename(log));
  if (position !== undefined) unit.positions.set(basename(putAside(log)), position);
  await storeSessions(unit);
  await rename(log, putAside(log));
  reopen(current);
}

function reopen({ master }: Generation): void {
  signal(master, 'SIGUSR1');
}

function putAside(log: string): string {
  return log.replace(/\.log$/, '.old.log');
}

export async function storeSessions({ paths, tallies, positions }: UdpUnit): Promise<void> {
  const content: z.infer<typeof StoredSessions> = {
    tallies: Object.fromEntries(
      [...tallies].map(([id, { bytesIn, bytesOut, sessions }]) => [
        id,
        { bytesIn: String(bytesIn), bytesOut: String(bytesOut), sessions: String(sessions) },
      ]),
    ),
    positions: Object.fromEntries(positions),
  };
  await writeAtomically(paths.counters, JSON.stringify(content), false);
}

/** Reads what was counted before; what cannot be read counts as nothing. */
export async function loadSessions({ paths, tallies, positions }: UdpUnit): Promise<void> {
  const stored = await readStored(paths);
  for (const [id, { bytesIn, bytesOut, sessions }] of Object.entries(stored?.tallies ?? {})) {
    tallies.set(id, { bytesIn: BigInt(bytesIn), bytesOut: BigInt(bytesOut), sessions: BigInt(sessions) });
  }
  for (const [name, position] of Object.entries(stored?.positions ?? {})) positions.set(name, position);
}

async function readStored(paths: UdpPaths): Promise<z.infer<typeof StoredSessions> | null> {
  try {
    const text = await readIfPresent(paths.counters);
    return text === null ? null : StoredSessions.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Removes the logs of generations nobody knows any more. */
export async function removeStrayLogs({ paths, generations }: UdpUnit): Promise<void> {
  const names = await readdir(paths.directory).catch(() => []);
  const known = new Set(generations.map(({ sequence }) => sequence));
  for (const name of names) {
    const sequence = /^(?:sessions|nginx)-(\d+)\.(?:old\.log|log|pid)$/.exec(name)?.[1];
    if (sequence !== undefined && !known.has(Number(sequence))) await rm(join(paths.directory, name), { force: true });
  }
}

/** What the listeners have counted, as the protocol tells it. */
export function sessionCounters({ id, tallies, active }: UdpUnit): ListenerCounters[] {
  const listeners = new Set([...tallies.keys(), ...active.keys()]);
  return [...listeners].map((listenerId) => {
    const tally = tallies.get(listenerId);
    return {
      loadBalancerId: id,
      listenerId,
      bytesIn: String(tally?.bytesIn ?? 0n),
      bytesOut: String(tally?.bytesOut ?? 0n),
      activeConnections: active.get(listenerId) ?? 0,
      totalConnections: String(tally?.sessions ?? 0n),
      requestErrors: '0',
    };
  });
}
