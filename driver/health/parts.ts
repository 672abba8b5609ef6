import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Bus } from '../bus/port';
import type { Certificates } from '../clouds/certificates/port';
import { confirmPlacement } from '../db/confirmations';
import { type Db, inTransaction } from '../db/connect';
import { recordEvents } from '../db/events';
import type { Sealer } from '../domain/sealing';
import { healGroups } from '../fleet/heal';
import { type AckWriter, createAckWriter, hintEngine, hintLoadBalancer } from './acks';
import { type BgpSessions, createBgpSessions } from './bgpSessions';
import { type CaptureDesk, createCaptureDesk } from './captures';
import type { SpecError } from './compose';
import { type Connections, createConnections, type EngineLink } from './connections';
import { type CounterWriter, createCounterWriter } from './counters';
import { createInspectionDesk, type InspectionDesk } from './inspections';
import { createLiveness, type Liveness } from './liveness';
import { createLoadWriter, type LoadWriter } from './loads';
import { createMaterialSource, type MaterialSource } from './materials/source';
import { createHealthMetrics, type HealthMetrics } from './metrics';
import { createNetworkPusher, type NetworkPusher } from './networks';
import { createPeers, type Peers } from './peers';
import type { Teller } from './port/teller';
import { createPusher, type Pusher } from './pusher';
import { createReports, type Reports } from './reports';
import type { HealthSettings } from './settings';
import { createStatusJudge, type StatusJudge } from './statuses';
import { createWithdrawals, type Withdrawals } from './withdrawals';

export interface ManagerDeps {
  readonly db: Db;
  readonly bus: Bus;
  readonly log: Logger;
  /** Records what anybody can cause who calls. */
  readonly teller: Teller;
  /** New for every process: what `service_engine.connected_to` says. */
  readonly id: string;
  readonly settings: HealthSettings;
  /** What users keep in the key manager; undefined where there is none. */
  readonly certificates?: Certificates | undefined;
  /** Opens what is sealed in the database. */
  readonly sealer?: Sealer | undefined;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Where metrics are defined; nowhere without it. */
  readonly registry?: Registry | undefined;
}

/** The working parts of a health-manager, which know each other. */
export interface Parts extends ManagerDeps {
  readonly connections: Connections;
  readonly reports: Reports;
  readonly judge: StatusJudge;
  readonly withdrawals: Withdrawals;
  readonly peers: Peers;
  readonly counters: CounterWriter;
  readonly loads: LoadWriter;
  readonly acks: AckWriter;
  readonly pusher: Pusher;
  readonly networks: NetworkPusher;
  readonly bgp: BgpSessions;
  readonly materials: MaterialSource;
  readonly liveness: Liveness;
  readonly captures: CaptureDesk;
  readonly inspections: InspectionDesk;
  readonly background: Background;
  readonly metrics: HealthMetrics;
}

/** Work nobody waits for. A failure is told; some comparison repairs what it left undone. */
export interface Background {
  start(what: string, work: () => Promise<unknown>): void;
  idle(): Promise<void>;
}

export function createParts(deps: ManagerDeps): Parts {
  const { db, bus, log, id, now, settings } = deps;
  const background = createBackground(log);
  const connections = createConnections();
  const metrics = createHealthMetrics(deps.registry, () => connections.all().length);
  const reports = createReports();
  const counters = createCounterWriter({ db, log });
  const loads = createLoadWriter({ db, log, now, window: settings.loadWindow });
  const peers = createPeers({
    bus,
    id,
    reports,
    now,
    holds: (engineId) => connections.get(engineId) !== undefined,
    mark: (ids) => judge.mark(ids),
    onConnectedElsewhere: (engineId, epoch) => letGo({ engineId, epoch }),
    onError: (err) => log.info({ err }, 'other health-managers could not be told'),
  });
  const withdrawals = createWithdrawals({
    ...{ db, bus, log, settings, now },
    mark: (id) => judge.mark([id]),
  });
  const judge = createStatusJudge({ db, log, reports, peers, metrics, withdrawals });
  const letGo = ({ engineId, epoch }: { engineId: string; epoch: number }): void => {
    const link = connections.get(engineId);
    if (link && link.epoch < epoch) link.close('a newer connection of this engine came in');
    if (!link || link.epoch < epoch) reports.forgetEngine(engineId);
  };
  const acks = createAckWriter({
    db,
    bus,
    log,
    beforeRemovals: () => counters.flush(),
    onRemoved: (engineId, loadBalancerId) => {
      reports.forget(engineId, loadBalancerId);
      if (reports.has(loadBalancerId)) judge.mark([loadBalancerId]);
    },
  });
  const pushing = createPushing(deps, { connections, acks, background, metrics });
  const liveness = createLiveness({
    ...{ db, log, id, settings, connections, now },
    heal: () => healGroups({ db, bus, log, settings: settings.healing }),
    onSilent: async (engineId, loadBalancerIds) => {
      reports.forgetEngine(engineId);
      judge.mark(loadBalancerIds);
      await peers.announceChange(loadBalancerIds);
      await hintEngine(bus, engineId);
      await Promise.all(loadBalancerIds.map((loadBalancerId) => hintLoadBalancer(bus, loadBalancerId)));
    },
  });
  const captures = createCaptureDesk({ db, log, id, linkTo: connections.get });
  const inspections = createInspectionDesk({ db, log, id, linkTo: connections.get });
  const judging = { reports, judge, withdrawals, peers, counters, loads, acks };
  return { ...deps, ...judging, ...pushing, connections, liveness, captures, inspections, background, metrics };
}

/** What brings specs, their certificates and their networks to engines. */
function createPushing(
  deps: ManagerDeps,
  { connections, acks, background, metrics }: Pick<Parts, 'connections' | 'acks' | 'background' | 'metrics'>,
): Pick<Parts, 'materials' | 'pusher' | 'networks' | 'bgp'> {
  const { db, log, id: own, settings, certificates, now } = deps;
  const networks = createNetworkPusher({
    ...{ db, log, id: own, settings, now, sealer: deps.sealer },
    links: () => connections.all(),
    onReady: (link, id) => void pusher.request(link, id),
  });
  const materials = createMaterialSource({
    ...{ certificates, log, now },
    maxAge: settings.certRefreshInterval,
    onChanged: (id) => {
      for (const link of connections.all()) if (link.held.has(id)) void pusher.request(link, id);
    },
  });
  const pusher = createPusher({
    ...{ db, log, settings, metrics, materials, networks },
    onAnswered: (link, ack) => acks.take(link, ack),
    onUnbuildable: (link, error) => background.start('refuse a spec', () => refuseSpec(deps, link, error)),
  });
  const bgp = createBgpSessions({
    ...{ db, log, settings, now },
    links: () => connections.all(),
    toldOf: networks.bgpOf,
  });
  return { materials, pusher, networks, bgp };
}

/** Nothing of that generation can be served by anybody: the change has failed, and says why. */
async function refuseSpec({ db, bus, log }: ManagerDeps, link: EngineLink, error: SpecError): Promise<void> {
  const { loadBalancerId, generation, message } = error;
  log.error({ err: error, lb: loadBalancerId, engine: link.engineId }, 'a spec cannot be built');
  const refusals = [{ kind: 'loadbalancer', id: loadBalancerId, reason: message }];
  await inTransaction(db, async (trx) => {
    await confirmPlacement(trx, link, { loadBalancerId, generation, refused: true, refusals });
    const happening = { name: 'SPEC_FAILED', severity: 'error' as const, message };
    await recordEvents(trx, [happening], { engineId: link.engineId, loadBalancerId });
  });
  await hintLoadBalancer(bus, loadBalancerId);
}

function createBackground(log: Logger): Background {
  const running = new Set<Promise<void>>();
  return {
    start(what, work) {
      const run = work()
        .then(() => undefined)
        .catch((err: unknown) => log.warn({ err }, `could not ${what}`))
        .finally(() => running.delete(run));
      running.add(run);
    },
    idle: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
