import type { Logger } from 'pino';
import { type Db, inTransaction } from '../db/connect';
import { recordEvents } from '../db/events';
import { applyStatusChanges, loadStatusSubjects, MAX_SUBJECTS, type StatusSubject } from '../db/operatingStatus';
import { mayServe } from '../domain/engine';
import { type EngineReport, judgeStatuses, type StatusChange } from '../domain/operatingStatus';
import type { Happening } from '../domain/settlement';
import { logHappenings } from '../telemetry/happenings';
import type { HealthMetrics } from './metrics';
import type { Peers } from './peers';
import type { Reports } from './reports';
import { disagreementEvent, transitionEvents } from './transitions';
import type { Withdrawals } from './withdrawals';

/** Judges load balancers by what their engines report, and writes what differs. The sole writer of these statuses. */
export interface StatusJudge {
  /** To be judged soon; many at a time are judged together. */
  mark(loadBalancerIds: readonly string[]): void;
  /** Resolves when all that were marked are judged. */
  idle(): Promise<void>;
}

export interface StatusJudgeDeps {
  readonly db: Db;
  readonly log: Logger;
  readonly reports: Reports;
  readonly peers: Peers;
  readonly metrics: HealthMetrics;
  readonly withdrawals: Pick<Withdrawals, 'look'>;
}

export function createStatusJudge(deps: StatusJudgeDeps): StatusJudge {
  const marked = new Set<string>();
  const disputes: Disputes = new Map();
  let running: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    // What arrives in the same turn of the event loop goes into the same batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (marked.size > 0) {
      const ids = [...marked].slice(0, MAX_SUBJECTS);
      for (const id of ids) marked.delete(id);
      await judgeBatch(ids, disputes, deps).catch((err: unknown) =>
        deps.log.warn({ err, count: ids.length }, 'operating statuses could not be judged; they will be again'),
      );
    }
    running = undefined;
  };
  return {
    mark(ids) {
      for (const id of ids) marked.add(id);
      if (marked.size > 0) running ??= drain();
    },
    idle: () => running ?? Promise.resolve(),
  };
}

/** Which engines were last told of as the odd ones out, by load balancer and member: told once. */
type Disputes = Map<string, ReadonlyMap<string, string>>;

interface Verdict {
  readonly subject: StatusSubject;
  readonly changes: readonly StatusChange[];
  readonly disputed: readonly Happening[];
}

async function judgeBatch(ids: readonly string[], disputes: Disputes, deps: StatusJudgeDeps): Promise<void> {
  const subjects = await loadStatusSubjects(deps.db, ids);
  deps.metrics.judged(subjects.length);
  const ours = subjects.filter((subject) => deps.peers.takeUp(subject));
  for (const subject of ours) await deps.withdrawals.look(subject, liveReports(subject, deps.reports));
  const verdicts = ours
    .map((subject) => judge(subject, disputes, deps.reports))
    .filter(({ changes, disputed }) => changes.length > 0 || disputed.length > 0);
  if (verdicts.length === 0) return;
  const told = await inTransaction(deps.db, async (trx) => {
    const made = new Set(
      await applyStatusChanges(
        trx,
        verdicts.flatMap(({ changes }) => changes),
      ),
    );
    const recorded = [];
    for (const { subject, changes, disputed } of verdicts) {
      const happenings = [...transitionEvents(changes.filter((it) => made.has(it))), ...disputed];
      await recordEvents(trx, happenings, { projectId: subject.projectId, loadBalancerId: subject.id });
      recorded.push({ lb: subject.id, happenings });
    }
    return recorded;
  });
  for (const { lb, happenings } of told) logHappenings(deps.log.child({ lb }), happenings);
}

function judge(subject: StatusSubject, disputes: Disputes, reports: Reports): Verdict {
  const { placements } = subject;
  const { changes, disagreements } = judgeStatuses(subject, {
    reports: liveReports(subject, reports),
    abandoned: placements.length > 0 && placements.every(({ engineStatus }) => engineStatus === 'DOWN'),
  });
  const before = disputes.get(subject.id);
  const now = new Map(disagreements.map(({ memberId, engineIds }) => [memberId, engineIds.join(' ')]));
  if (now.size > 0) disputes.set(subject.id, now);
  else disputes.delete(subject.id);
  const names = new Map(placements.map(({ engineId, engineName }) => [engineId, engineName]));
  const news = disagreements.filter(({ memberId }) => before?.get(memberId) !== now.get(memberId));
  return { subject, changes, disputed: news.map((it) => disagreementEvent(it, names)) };
}

function liveReports({ id, placements }: StatusSubject, reports: Reports): readonly EngineReport[] {
  const live = new Set(placements.filter((it) => mayServe(it.engineStatus)).map(({ engineId }) => engineId));
  return reports.of(id).filter(({ engineId }) => live.has(engineId));
}
