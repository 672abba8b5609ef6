import { mkdir } from 'node:fs/promises';
import type { ListenerCounters } from '../../protocol/messages';
import type { LoadBalancerSpec } from '../../protocol/spec';
import { type Fault, withoutFaults } from '../haproxy/fault';
import { monotonicNow } from '../process/monotonic';
import { createBackOff } from '../serve/backOff';
import { createPinger } from '../serve/pinger';
import { errorMessage } from '../systemError';
import { enact, enactAgain } from './enact';
import { endAll, resume } from './endings';
import { faultOfEach } from './faults';
import { forgetStrangers, noteNewcomers, targetsOf } from './health';
import { layOutUdp } from './layout';
import { poll } from './poll';
import { type UdpReport, udpReport } from './report';
import { loadSessions, rotateSessionLog, sessionCounters, storeSessions } from './sessions';
import { type UdpDeps, type UdpUnit, udpPaths } from './unit';

/** What of a load balancer is UDP. All but `report`, `counters` and `serves` is to be called in its queue. */
export interface UdpSide {
  /**
   * Serves the UDP listeners of a spec and none else. Gives the listeners that cannot be served, and why; what goes wrong
   * with the rest of them is their fault, too, and then what ran before still runs.
   */
  bringAbout(spec: LoadBalancerSpec): Promise<Fault[]>;
  /** Finds what an earlier agent left. `keep`: false if the load balancer is gone, and then so are its nginxes. */
  recover(keep: boolean): Promise<void>;
  /** Reads what has been counted, and looks after processes. */
  poll(): Promise<void>;
  /** True if there is something to look after. */
  serves(): boolean;
  report(): UdpReport;
  counters(): ListenerCounters[];
  /** Writes what it has counted to disk and keeps logs small. */
  tidy(): Promise<void>;
  /** Ends everything. What was counted is kept. */
  shutDown(): Promise<void>;
  /** Stops looking after it; nginx goes on, for the next agent to take over. */
  release(): void;
}

/** Milliseconds in which changes of members' health are taken together, and between two that they cause. */
const GATHERING = 50;
const PAUSE = 500;

/** The UDP side of a load balancer, whose files are in `directory`. */
export async function openUdpSide(id: string, directory: string, deps: UdpDeps): Promise<UdpSide> {
  const unit: UdpUnit = {
    id,
    paths: udpPaths(directory),
    deps,
    layout: null,
    config: null,
    generations: [],
    sequence: 0,
    health: new Map(),
    healthInForce: new Map(),
    newcomers: new Set(),
    blocked: new Map(),
    tallies: new Map(),
    positions: new Map(),
    active: new Map(),
    restarts: createBackOff(100, 10_000),
    restartAt: null,
    startedAt: 0,
  };
  await loadSessions(unit);
  const watch = watchMembers(unit);
  return {
    bringAbout: (spec) => bringAbout(unit, spec, watch),
    recover: (keep) => resume(unit, keep),
    poll: () => poll(unit),
    serves: () => unit.generations.length > 0 || unit.restartAt !== null,
    report: () => udpReport(unit),
    counters: () => sessionCounters(unit),
    async tidy() {
      if (unit.generations.length === 0 && unit.tallies.size === 0) return;
      await rotateSessionLog(unit);
      await storeSessions(unit);
    },
    async shutDown() {
      watch.stop();
      await endAll(unit);
    },
    release: () => watch.stop(),
  };
}

interface Watch {
  /** Checks whom the layout says. */
  renew(): void;
  stop(): void;
}

/** Checks members, and brings about what follows from a change of their health; many changes at a time are one. */
function watchMembers(unit: UdpUnit): Watch {
  let timer: NodeJS.Timeout | null = null;
  let last = 0;
  const apply = async () => {
    timer = null;
    last = monotonicNow();
    await unit.deps.run(() => enactAgain(unit));
    unit.deps.onReport();
  };
  const pinger = createPinger(
    ({ address, port = 0, monitor }) => unit.deps.checker.check(unit.deps.namespace(), { address, port, monitor }),
    (key, state) => {
      unit.health.set(key, state);
      unit.newcomers.delete(key);
      const run = () =>
        apply().catch((err: unknown) => unit.deps.log.warn({ loadBalancer: unit.id, err }, 'no change'));
      timer ??= setTimeout(run, Math.max(GATHERING, last + PAUSE - monotonicNow()));
    },
  );
  return {
    renew: () => pinger.watch(targetsOf(unit)),
    stop() {
      pinger.stop();
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}

/** Rounds of leaving objects out that nginx will not have. */
const MOST_ROUNDS = 20;

async function bringAbout(unit: UdpUnit, spec: LoadBalancerSpec, watch: Watch): Promise<Fault[]> {
  if (layOutUdp(spec).frontends.length === 0 && unit.layout === null && unit.generations.length === 0) return [];
  const faults: Fault[] = [];
  try {
    await mkdir(unit.paths.directory, { recursive: true, mode: 0o700 });
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const layout = layOutUdp(withoutFaults(spec, faults));
      noteNewcomers(unit, layout);
      unit.layout = layout;
      forgetStrangers(unit);
      const found = await enact(unit, layout);
      // One that only a new spec can heal was found by nginx, which has changed nothing then.
      const refused = found.filter(({ heals }) => heals === 'never');
      if (refused.length === 0) return [...faults, ...found];
      faults.push(...refused);
    }
    throw new Error('nginx refuses the configuration whatever is left out of it');
  } catch (err) {
    unit.deps.log.warn({ loadBalancer: unit.id, err }, 'UDP listeners could not be brought about');
    const udp = spec.listeners.filter(({ protocol }) => protocol === 'UDP');
    return faultOfEach(udp, errorMessage(err));
  } finally {
    watch.renew();
  }
}
