import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { MonitorSpec } from '../../protocol/spec';
import { enter } from '../process/enter';
import { createSlots } from './slots';

/** Sends one echo request from a network namespace; true if it was answered within `timeout` milliseconds. */
export type Ping = (address: string, timeout: number, namespace: string | null) => Promise<boolean>;

/** Processes of the ping command at a time. */
const MOST_PINGS = 32;

/** The system's ping command: raw sockets need a privilege that it has and this process may not. Null if there is none. */
export function findPing(path = process.env['PATH'] ?? ''): Ping | null {
  const command = path.split(delimiter).map((directory) => join(directory, 'ping'));
  const found = command.find(isExecutable);
  if (found === undefined) return null;
  const slots = createSlots(MOST_PINGS);
  const ping: Ping = (address, timeout, namespace) =>
    new Promise((resolve) => {
      const seconds = String(Math.max(1, Math.ceil(timeout / 1000)));
      const options = { timeout: timeout + 1000 };
      const { file, words } = enter(namespace, found, ['-n', '-q', '-c', '1', '-W', seconds, address]);
      execFile(file, words, options, (error) => resolve(error === null));
    });
  return (...given) => slots(() => ping(...given));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A member to be checked. `key` names it among all of a load balancer. */
export interface PingTarget {
  readonly key: string;
  readonly address: string;
  /** Of no meaning to a ping. */
  readonly port?: number;
  readonly monitor: MonitorSpec;
}

/** Runs one check; true if it passed. Never rejects. */
export type Check = (target: PingTarget) => Promise<boolean>;

/** The check of monitors of type PING, from the namespace that is given at the time. */
export function pingCheck(ping: Ping, namespace: () => string | null): Check {
  return ({ address, monitor }) => ping(address, Math.max(1, monitor.timeout) * 1000, namespace());
}

export interface Pinger {
  /** From now on exactly these are pinged; those that stay keep their state. */
  watch(targets: readonly PingTarget[]): void;
  /** Null before the first result. */
  state(key: string): 'UP' | 'DOWN' | null;
  stop(): void;
}

interface Watched {
  target: PingTarget;
  state: 'UP' | 'DOWN' | null;
  /** Results in a row that speak against `state`. */
  against: number;
  timer: NodeJS.Timeout | null;
}

/** Checks members at their monitor's pace. The first result counts at once, later ones by the rise and fall thresholds. */
export function createPinger(check: Check, onChange: (key: string, state: 'UP' | 'DOWN') => void): Pinger {
  const watched = new Map<string, Watched>();

  const beat = async (entry: Watched) => {
    const { key } = entry.target;
    const passed = await check(entry.target);
    if (watched.get(key) !== entry) return;
    if (judge(entry, passed ? 'UP' : 'DOWN')) onChange(key, passed ? 'UP' : 'DOWN');
    entry.timer = setTimeout(() => void beat(entry), Math.max(1, entry.target.monitor.delay) * 1000);
  };
  const forget = (entry: Watched) => {
    if (entry.timer !== null) clearTimeout(entry.timer);
    watched.delete(entry.target.key);
  };
  return {
    watch(targets) {
      const wanted = new Set(targets.map(({ key }) => key));
      for (const entry of [...watched.values()]) if (!wanted.has(entry.target.key)) forget(entry);
      for (const target of targets) {
        const known = watched.get(target.key);
        if (known !== undefined) {
          known.target = target;
          continue;
        }
        const entry: Watched = { target, state: null, against: 0, timer: null };
        watched.set(target.key, entry);
        void beat(entry);
      }
    },
    state: (key) => watched.get(key)?.state ?? null,
    stop() {
      for (const entry of [...watched.values()]) forget(entry);
    },
  };
}

/** Takes one result; true if it changes the state. */
function judge(entry: Watched, result: 'UP' | 'DOWN'): boolean {
  if (result === entry.state) {
    entry.against = 0;
    return false;
  }
  entry.against += 1;
  const { riseThreshold, fallThreshold } = entry.target.monitor;
  const needed = entry.state === null ? 1 : result === 'UP' ? riseThreshold : fallThreshold;
  if (entry.against < needed) return false;
  entry.state = result;
  entry.against = 0;
  return true;
}
