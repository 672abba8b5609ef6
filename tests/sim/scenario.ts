import { DEFAULT_GROUP_PROPERTIES, type GroupProperties } from '../../driver/domain/group';
import { DAY, HOUR, MINUTE, SECOND } from './clock';

/** What is simulated: a cloud, a fleet in it, who uses it, and what goes wrong. Times in milliseconds. */
export interface Scenario {
  readonly seed: number;
  readonly duration: number;
  readonly hosts: number;
  readonly racks: number;
  readonly groups: readonly GroupScenario[];
  readonly projects: number;
  readonly faults: FaultRates;
  readonly timers: Timers;
  readonly load: LoadScenario;
  readonly upgrades: readonly UpgradeScenario[];
}

export interface GroupScenario {
  readonly name: string;
  readonly properties: GroupProperties;
  readonly loadBalancers: number;
}

/** Mean time between two, over the whole cloud; `Infinity`: never. */
export interface FaultRates {
  /** An engine's VM dies; some boot again by themselves. */
  readonly crash: number;
  /** An engine stands still for a while, and goes on. */
  readonly hang: number;
  readonly hostLost: number;
  /** A host, or a rack, is cut from the management network alone. */
  readonly managementCut: number;
  readonly rackManagementCut: number;
  /** A host, or a rack, is cut from the data network alone. */
  readonly dataCut: number;
  readonly rackDataCut: number;
  /** Some racks and the others do not see each other on the data network; all see gateway and controllers. */
  readonly peerSplit: number;
  /** When whole racks go, for two hours each. */
  readonly racksGone: readonly number[];
  readonly controllersAway: number;
  readonly cloudSlow: number;
  readonly cloudAway: number;
  /** Somebody else moves an engine's VM to another host, or rebuilds it. */
  readonly foreignMove: number;
  readonly foreignRebuild: number;
  /** Of servers that are asked for: none comes, or one that never calls. */
  readonly bootFails: number;
  readonly bootSilent: number;
  /** Load balancers come and go. */
  readonly arrival: number;
}

/** What the configuration says, as its defaults are, and what clouds take. */
export interface Timers {
  readonly heartbeatTimeout: number;
  readonly startGrace: number;
  readonly createTimeout: number;
  /** Until the vRouter drops an engine that does not answer its health check. */
  readonly healthCheck: number;
  /** Until control-nodes withdraw what a host that is gone has announced. */
  readonly routesExpire: number;
  readonly fleetJob: number;
  readonly sweep: number;
}

export interface LoadScenario {
  /** How often load is looked at; `Infinity`: never. */
  readonly interval: number;
  /** Mean share of its engine's capacity that a load balancer takes. */
  readonly mean: number;
  /** Peak over mean of the day. */
  readonly swing: number;
  /** Mean time between spikes of one load balancer or another. */
  readonly spike: number;
  /** How many times the load of others the first load balancer has. */
  readonly hot: number;
}

/** A group's engines get another image. */
export interface UpgradeScenario {
  readonly group: string;
  readonly at: number;
  /** New engines are worse than old ones: the upgrade has to stop. */
  readonly bad: boolean;
}

const TIMERS: Timers = {
  heartbeatTimeout: 3 * SECOND,
  startGrace: 30 * SECOND,
  createTimeout: 300 * SECOND,
  healthCheck: 1.2 * SECOND,
  routesExpire: 9 * SECOND,
  fleetJob: 5 * SECOND,
  sweep: MINUTE,
};

const WEEK_OF_TROUBLE: FaultRates = {
  crash: 30 * MINUTE,
  hang: 2 * HOUR,
  hostLost: 12 * HOUR,
  managementCut: 6 * HOUR,
  rackManagementCut: 2 * DAY,
  dataCut: 8 * HOUR,
  rackDataCut: 2 * DAY,
  peerSplit: DAY,
  racksGone: [3 * DAY + 5 * HOUR],
  controllersAway: DAY,
  cloudSlow: 12 * HOUR,
  cloudAway: DAY,
  foreignMove: DAY,
  foreignRebuild: 2 * DAY,
  bootFails: 0.03,
  bootSilent: 0.02,
  arrival: 10 * MINUTE,
};

const ORDINARY_LOAD: LoadScenario = { interval: 5 * MINUTE, mean: 0.03, swing: 2, spike: 4 * HOUR, hot: 20 };

function groupOf(given: Partial<GroupProperties>): GroupProperties {
  return {
    ...DEFAULT_GROUP_PROPERTIES,
    slotsPerEngine: 15,
    bufferEngines: 2,
    minEngines: 0,
    autoRebalance: true,
    ...given,
  };
}

/** A large cloud: 2,000 load balancers, which need 200 engines with what is kept free. */
export function largeCloud(seed: number, duration: number): Scenario {
  return {
    seed,
    duration,
    hosts: 96,
    racks: 8,
    projects: 60,
    groups: [
      { name: 'shared', loadBalancers: 1_200, properties: groupOf({ maxEngines: 120 }) },
      { name: 'twice', loadBalancers: 500, properties: groupOf({ haMode: 'active_active', maxEngines: 100 }) },
      { name: 'pairs', loadBalancers: 300, properties: groupOf({ haMode: 'active_standby', maxEngines: 60 }) },
    ],
    faults: WEEK_OF_TROUBLE,
    timers: TIMERS,
    load: ORDINARY_LOAD,
    upgrades: [
      { group: 'shared', at: 0.25 * duration, bad: false },
      { group: 'twice', at: 0.5 * duration, bad: true },
      { group: 'pairs', at: 0.7 * duration, bad: false },
    ],
  };
}

/** The same in small, with trouble so often that a short time has seen all of it. */
export function smallCloud(seed: number, duration: number): Scenario {
  const large = largeCloud(seed, duration);
  return {
    ...large,
    hosts: 16,
    racks: 4,
    projects: 12,
    groups: [
      { name: 'shared', loadBalancers: 90, properties: groupOf({ slotsPerEngine: 10, maxEngines: 16 }) },
      {
        name: 'twice',
        loadBalancers: 40,
        properties: groupOf({ haMode: 'active_active', slotsPerEngine: 10, maxEngines: 16 }),
      },
      {
        name: 'pairs',
        loadBalancers: 30,
        properties: groupOf({ haMode: 'active_standby', slotsPerEngine: 10, maxEngines: 14 }),
      },
    ],
    faults: {
      ...WEEK_OF_TROUBLE,
      crash: 40 * MINUTE,
      hang: HOUR,
      hostLost: 6 * HOUR,
      managementCut: 3 * HOUR,
      rackManagementCut: 12 * HOUR,
      dataCut: 3 * HOUR,
      rackDataCut: 12 * HOUR,
      peerSplit: 6 * HOUR,
      racksGone: [0.4 * duration],
      controllersAway: 6 * HOUR,
      cloudSlow: 6 * HOUR,
      cloudAway: 12 * HOUR,
      foreignMove: 6 * HOUR,
      foreignRebuild: 12 * HOUR,
    },
  };
}

/** The same with nothing that goes wrong: nobody comes or goes either. */
export function withoutTrouble(scenario: Scenario): Scenario {
  const never = Object.fromEntries(Object.keys(scenario.faults).map((name) => [name, Number.POSITIVE_INFINITY]));
  return { ...scenario, faults: { ...scenario.faults, ...never, racksGone: [], bootFails: 0, bootSilent: 0 } };
}
