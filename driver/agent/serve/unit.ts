import type { Logger } from 'pino';
import type { Damped } from '../../domain/damp';
import type { LoadBalancerReport } from '../../protocol/messages';
import type { LoadBalancerSpec, MemberSpec } from '../../protocol/spec';
import type { AgentConfig, UnitPaths } from '../config';
import type { RuntimeCommand } from '../haproxy/commands';
import type { Backend, Layout } from '../haproxy/layout';
import type { StatRow } from '../haproxy/stats';
import type { Networks } from '../network/networks';
import type { FindNginx } from '../nginx/find';
import type { Daemon } from '../process/daemon';
import type { ProcessIdentity } from '../process/identity';
import type { RuntimeSocket } from '../process/runtimeSocket';
import type { MaterialStore } from '../state/materials';
import type { MaterialsHome } from '../state/memoryDirectory';
import type { HeldSpec } from '../state/specStore';
import type { Checker } from '../udp/checker';
import type { UdpSide } from '../udp/side';
import type { Counters } from './counters';
import type { CountersFile } from './countersFile';
import type { Ping, Pinger } from './pinger';
import type { Slots } from './slots';

/** What every load balancer of an agent shares. */
export interface ServeDeps {
  readonly config: AgentConfig;
  readonly haproxyPath: string;
  readonly findNginx: FindNginx;
  readonly log: Logger;
  /** Bounds how many haproxies are checked, started or reloaded at a time. */
  readonly slots: Slots;
  readonly ping: Ping | null;
  readonly networks: Networks;
  /** Checks members of UDP pools. */
  readonly checker: Checker;
  /** Where private keys are kept. */
  readonly materialsHome: MaterialsHome;
  /** Called whenever a report has become another one. */
  readonly onReport: () => void;
  /** Called when a load balancer counts as served no more, before it is ended: resolves when peers know. `gracefully`: others serve on. */
  readonly beforeEnd: (loadBalancerId: string, gracefully: boolean) => Promise<void>;
}

/** A haproxy and what it serves. */
export interface Running {
  readonly daemon: Daemon;
  /** Null for one left by an earlier agent that runs something else than this agent would render. */
  layout: Layout | null;
  /** The text of the configuration on disk. */
  config: string;
  /** What it has bound, as haproxy writes it. */
  endpoints: ReadonlySet<string>;
}

/** A member added at run time that has not been checked yet. */
export interface Newcomer {
  readonly backend: Backend;
  readonly member: MemberSpec;
  /** `probing`: checked at short intervals; `waiting`: that failed, the monitor's own first check decides. */
  phase: 'probing' | 'waiting';
}

/** A worker of before a reload that finishes its connections. It cannot end before it is released. */
export interface Retired {
  readonly worker: ProcessIdentity;
  /** What keeps it when this agent ends. */
  readonly holder: ProcessIdentity | null;
  /** Milliseconds since the machine booted. */
  readonly since: number;
  readonly runtime: RuntimeSocket;
}

/** The state of one load balancer on this engine. It is changed only by work in its own queue. */
export interface Unit {
  readonly id: string;
  readonly paths: UnitPaths;
  readonly deps: ServeDeps;
  readonly counters: Counters;
  readonly countersFile: CountersFile;
  readonly udp: UdpSide;
  readonly materials: MaterialStore;
  readonly pinger: Pinger | null;
  held: HeldSpec | null;
  /** The spec that was last put in force. */
  inForce: LoadBalancerSpec | null;
  running: Running | null;
  /** The network namespace its processes run in; null: the agent's. */
  namespace: string | null;
  /** Of the last worker socket used. */
  sequence: number;
  /** When anything was last counted, in milliseconds since the machine booted. */
  countedAt: number;
  /** It is being removed: its VIPs are announced no more. */
  ending: boolean;
  /** Whether its ports are to be open. */
  readonly gate: { open: Damped };
  /** The statistics last read from the current worker. */
  rows: readonly StatRow[];
  /** Workers of before a reload that still finish connections. */
  readonly retired: Map<string, Retired>;
  /** By `backend/member`. */
  readonly newcomers: Map<string, Newcomer>;
  /** Members taken out that still have connections, by `backend/member`: the command that deletes them for good. */
  readonly leaving: Map<string, string>;
  /** What takes members out of the balance, waiting for the probes of those that come; `since` in milliseconds since the machine booted. */
  deferred: { readonly commands: readonly RuntimeCommand[]; readonly since: number } | null;
  /** The stick tables last written to disk, to be compared. */
  storedTables: string;
  report: LoadBalancerReport | null;
  /** Rises with every change of `report`. */
  reportVersion: number;
}

/** How counters name a worker over restarts of the agent. */
export function workerName({ worker }: Pick<Daemon, 'worker'>): string {
  return `${worker.pid}:${worker.startTime}`;
}
