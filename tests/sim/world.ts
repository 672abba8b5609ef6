import type { BreakerState } from '../../driver/domain/breaker';
import type { ElasticityState } from '../../driver/domain/elasticity';
import type { EngineStatus } from '../../driver/domain/engine';
import type { GroupProperties } from '../../driver/domain/group';
import type { MastershipState } from '../../driver/domain/mastership';
import type { KnownReach } from '../../driver/domain/reach';
import type { Placement } from '../../driver/domain/tree';
import type { Chance } from './chance';
import type { SimClock } from './clock';
import type { Scenario } from './scenario';
import type { Tally } from './tally';

/** Everything there is in a simulation: what is true of machines and networks, and what the database says of them. */

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface SimHost {
  readonly name: string;
  readonly rack: number;
  up: boolean;
  /** Cuts that are in force, its rack's among them. */
  managementCuts: number;
  dataCuts: number;
  readonly machines: Set<Machine>;
}

/** A virtual machine with an agent and its haproxys: the truth, whatever anybody believes of it. */
export interface Machine {
  readonly engineId: string;
  host: SimHost;
  alive: boolean;
  /** Nova shows it as stopped. */
  stopped: boolean;
  /** Since when it is as it is. */
  since: number;
  /** Load balancers it serves. */
  readonly held: Set<string>;
  /** Whether the network leads traffic for its load balancers to it, as far as health checks and routes decide. */
  routed: boolean;
  /** Share of requests that its image answers well. */
  readonly quality: number;
  /** Of load balancers that are served by pairs: what the agent knows of who answers. */
  readonly masterships: Map<string, Mastership>;
}

/** Of one load balancer on one machine. */
export interface Mastership {
  state: MastershipState;
  /** What it could hear when it last looked: it has heard that up to the next look. */
  hears: {
    readonly peer: boolean;
    gateway: boolean;
    controller: boolean;
  };
}

export interface SimPlacement extends Mutable<Placement> {
  readonly loadBalancer: SimLoadBalancer;
  readonly engine: SimEngine;
  /** When it was made; when what drains has to have ended. */
  readonly since: number;
  drainUntil: number | null;
  /** How often its engine is just being told of it, and has neither answered nor got lost. */
  tells: number;
}

/** An engine's row, and its machine if there is one. */
export interface SimEngine {
  readonly id: string;
  readonly group: SimGroup;
  status: EngineStatus;
  deleting: boolean;
  connected: boolean;
  /** Controllers and its machine can talk, whether they do already or not. */
  heard: boolean;
  readonly managementAddress: null;
  readonly slots: number;
  readonly placements: Set<SimPlacement>;
  host: string | null;
  /** Of the rolling upgrade that made it, or after which it was made. */
  readonly mark: string | null;
  /** vNICs, by the load balancers that need them. */
  readonly vnics: Map<string, number>;
  /** Those of them that are plugged in. */
  readonly plugged: Set<string>;
  /** When its status last changed. */
  since: number;
  /** When it was last heard of. */
  lastSeen: number;
  /** When it last began to be without load balancers. */
  idleSince: number;
  machine: Machine | null;
  /** Servers that were asked for. */
  attempts: number;
  /** It has been told of: only its management network is cut. */
  isolated: boolean;
  /** What it last said of its VIP networks. */
  readonly reach: Map<string, SimReach>;
  /** ... from one of which it is cut. */
  cut: boolean;
  /** Somebody has rebuilt its server: what calls now is another machine, with nothing to prove itself by. */
  rebuilt: boolean;
  /** Its machine was up when its server was deleted. */
  diedByUs: boolean;
}

export type SimReach = Omit<KnownReach, 'engineId' | 'engineName' | 'networkId'>;

export interface SimLoadBalancer {
  readonly id: string;
  readonly number: number;
  readonly projectId: string;
  readonly group: SimGroup;
  readonly vnics: readonly string[];
  generation: number;
  settledGeneration: number;
  placements: SimPlacement[];
  /** Ids of the engines its VIP is wired to. */
  wired: ReadonlySet<string>;
  adjustment: number;
  /** How many times the load of an ordinary one it has, and how many times that just now. */
  weight: number;
  spike: number;
  /** Of a pair: the highest that was granted or heard of. */
  term: number;
  /** A run of its unit is planned, and for when. */
  runAt: number | null;
  /** The group had no room for all of its engines when that was last asked. */
  lacks: boolean;
  /** Since when it has fewer live engines than it is to have; null: it has not. */
  weakSince: number | null;
  /** ... and nothing was under way about it. */
  idleSince: number | null;
  twoMastersSince: number | null;
  /** It has served: from now on it is to serve always. */
  served: boolean;
  deleted: boolean;
}

export interface SimGroup {
  readonly name: string;
  properties: GroupProperties;
  readonly engines: Map<string, SimEngine>;
  /** What new engines bear. */
  mark: string | null;
  /** Engines that a rolling upgrade may have beside those of the group: they are made before others go. */
  extra: number;
  elasticity: ElasticityState;
  breaker: BreakerState;
  /** Something was touched since its fleet was looked after. */
  changed: boolean;
}

export interface World {
  readonly scenario: Scenario;
  readonly clock: SimClock;
  readonly chance: Chance;
  readonly tally: Tally;
  readonly hosts: readonly SimHost[];
  readonly groups: readonly SimGroup[];
  readonly engines: Map<string, SimEngine>;
  readonly loadBalancers: Map<string, SimLoadBalancer>;
  readonly network: {
    controllersUp: boolean;
    /** Racks on one side of a split of the data network; empty: none. */
    side: ReadonlySet<number>;
  };
  readonly cloud: {
    away: boolean;
    /** How many times longer everything takes. */
    slowness: number;
  };
  /** What the event that is carried out has touched: invariants and availability are looked at there. */
  readonly touched: {
    readonly loadBalancers: Set<SimLoadBalancer>;
    readonly engines: Set<SimEngine>;
    /** Engines that are gone. */
    readonly tornDown: SimEngine[];
  };
  /** Load balancers that may have something undone: all that were touched since the sweep has found nothing. */
  readonly suspects: Set<SimLoadBalancer>;
  /** When the controllers were last away, or began. */
  controllersSince: number;
  /** One run of a load balancer's unit. */
  readonly run: (lb: SimLoadBalancer) => void;
  /** Somebody has found that its server was rebuilt. */
  readonly onRebuilt: (engine: SimEngine) => void;
  /** Numbers for ids. */
  made: number;
}

export function isUp(machine: Machine | null): machine is Machine {
  return machine?.alive === true && machine.host.up;
}

/** Whether controllers and the engine can talk. */
export function isHeard({ network }: World, { machine }: SimEngine): boolean {
  return network.controllersUp && isUp(machine) && machine.host.managementCuts === 0;
}

/** Whether clients, members and the gateway are in the engine's reach. */
export function hasData(machine: Machine | null): machine is Machine {
  return isUp(machine) && machine.host.dataCuts === 0;
}

/** Whether two engines see each other on the data network. */
export function seeEachOther({ network: { side } }: World, a: Machine | null, b: Machine | null): boolean {
  return hasData(a) && hasData(b) && side.has(a.host.rack) === side.has(b.host.rack);
}

export function touchEngine(world: World, engine: SimEngine): void {
  world.touched.engines.add(engine);
  for (const { loadBalancer } of engine.placements) world.touched.loadBalancers.add(loadBalancer);
}
