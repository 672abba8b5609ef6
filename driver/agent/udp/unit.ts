import { join } from 'node:path';
import type { Logger } from 'pino';
import type { FindNginx } from '../nginx/find';
import type { Generation } from '../nginx/generation';
import type { BackOff } from '../serve/backOff';
import type { Slots } from '../serve/slots';
import type { Checker } from './checker';
import type { UdpLayout } from './layout';
import type { LogPosition } from './sessionLog';

/** The files of a load balancer's nginx. */
export interface UdpPaths {
  readonly directory: string;
  readonly config: string;
  readonly process: string;
  readonly counters: string;
  readonly errorLog: string;
  pidFile(sequence: number): string;
  sessionLog(sequence: number): string;
}

export function udpPaths(directory: string): UdpPaths {
  const file = (name: string) => join(directory, name);
  return {
    directory,
    config: file('nginx.conf'),
    process: file('nginx.json'),
    counters: file('sessions.json'),
    errorLog: file('nginx.log'),
    pidFile: (sequence) => file(`nginx-${sequence}.pid`),
    sessionLog: (sequence) => file(`sessions-${sequence}.log`),
  };
}

/** What the UDP side of a load balancer needs from its agent. */
export interface UdpDeps {
  readonly log: Logger;
  readonly findNginx: FindNginx;
  /** Bounds how many daemons are checked or started at a time. */
  readonly slots: Slots;
  /** To be called when the report has become another one. */
  readonly onReport: () => void;
  /** Tells the controller. */
  readonly event: (name: string, message: string) => void;
  /** Runs work in the load balancer's queue. */
  readonly run: (work: () => Promise<void>) => Promise<void>;
  /** The network namespace its processes run in; null: the agent's. */
  readonly namespace: () => string | null;
  readonly checker: Checker;
}

/** What a listener has counted: sessions that have ended, and their bytes. */
export interface Tally {
  bytesIn: bigint;
  bytesOut: bigint;
  sessions: bigint;
}

/** The state of the UDP side of one load balancer. It is changed only by work in the load balancer's queue. */
export interface UdpUnit {
  readonly id: string;
  readonly paths: UdpPaths;
  readonly deps: UdpDeps;
  /** What is to be served; null before the first spec. */
  layout: UdpLayout | null;
  /** The text on disk that the current generation was started with. */
  config: string | null;
  /** All that may still run or have sessions to be read, oldest first; at most one of them is not retired. */
  generations: Generation[];
  /** Of the last generation. */
  sequence: number;
  /** What checks have found, by `memberKey`. */
  readonly health: Map<string, 'UP' | 'DOWN'>;
  /** The same as far as the members that get traffic follow from it; this is what is reported. */
  healthInForce: ReadonlyMap<string, 'UP' | 'DOWN'>;
  /** Members that joined others and wait for their first check, by `memberKey`. */
  readonly newcomers: Set<string>;
  /** Listeners whose ports could not be bound, and why. */
  blocked: ReadonlyMap<string, string>;
  readonly tallies: Map<string, Tally>;
  /** By the name of the log's file. */
  readonly positions: Map<string, LogPosition>;
  /** Sessions at a time, by listener, as last seen. */
  active: ReadonlyMap<string, number>;
  readonly restarts: BackOff;
  /** Milliseconds since the machine booted; null when nothing is to be restarted. */
  restartAt: number | null;
  /** Milliseconds since the machine booted at which the current generation was started, or found. */
  startedAt: number;
}

/** How a member is named among all of a load balancer. */
export function memberKey(poolId: string, memberId: string): string {
  return `${poolId}/${memberId}`;
}

/** The generation that serves; undefined if none does. */
export function currentGeneration({ generations }: UdpUnit): Generation | undefined {
  return generations.find(({ retiredAt }) => retiredAt === null);
}
