import type { Logger } from 'pino';
import type { Bus } from '../bus/port';
import { type Db, inTransaction } from '../db/connect';
import { recordEvents } from '../db/events';
import { findFlavor } from '../db/flavors';
import { noteVipWithdrawn, type StatusSubject } from '../db/operatingStatus';
import { type Damped, damp, SHOWN, timeLeft } from '../domain/damp';
import type { EngineReport } from '../domain/operatingStatus';
import type { Happening } from '../domain/settlement';
import { whenDownPolicy } from '../target/options';
import { logHappenings } from '../telemetry/happenings';
import { hintLoadBalancer } from './acks';
import type { HealthSettings } from './settings';

/**
 * What becomes of VIPs while no engine has a usable member, by the policy of the flavor. Where the wiring has to follow, the
 * row says so and a worker is hinted; routes and ports are the engines' own business, and are only told of.
 */
export interface Withdrawals {
  /** Looks at a load balancer that this health-manager judges, with the reports of its live engines. */
  look(subject: StatusSubject, reports: readonly EngineReport[]): Promise<void>;
  stop(): void;
}

export interface WithdrawalDeps {
  readonly db: Db;
  readonly bus: Bus;
  readonly log: Logger;
  readonly settings: Pick<HealthSettings, 'spec'>;
  /** To be looked at again. */
  readonly mark: (loadBalancerId: string) => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** `wiring`: address pairs and floating IPs are taken away; `route`, `ports`: engines do it. */
type Remedy = 'none' | 'wiring' | 'route' | 'ports';

interface Known {
  readonly damped: Damped;
  timer?: NodeJS.Timeout;
}

/** Milliseconds. What a flavor says cannot change while load balancers have it; a new one may get its id. */
const FLAVOR_AGE = 60_000;
const HIDDEN_BEFORE: Damped = { shown: false, against: null, isNew: false };

export function createWithdrawals(deps: WithdrawalDeps): Withdrawals {
  const known = new Map<string, Known>();
  const remedyOf = createRemedies(deps);
  const forget = (id: string) => {
    clearTimeout(known.get(id)?.timer);
    known.delete(id);
  };
  return {
    async look(subject, reports) {
      const { id, vipWithdrawn } = subject;
      if (subject.deleting) return forget(id);
      const remedy = await remedyOf(subject);
      if (remedy === 'none' && !vipWithdrawn && !known.has(id)) return;
      const { restoreDelay, withdrawDelay } = deps.settings.spec;
      const delays = { upDelay: restoreDelay, downDelay: withdrawDelay, now: deps.now() };
      const before = known.get(id)?.damped ?? (vipWithdrawn ? HIDDEN_BEFORE : SHOWN);
      // What only an earlier policy asked for ends at once.
      const after = remedy === 'none' ? SHOWN : damp(before, judge(reports) ?? before.shown, delays);
      forget(id);
      if (remedy !== 'none') {
        const left = timeLeft(after, delays);
        known.set(id, { damped: after, ...(left !== null && { timer: markLater(deps, id, left) }) });
      }
      await write(deps, subject, { remedy, before: before.shown, after: after.shown });
    },
    stop() {
      for (const id of [...known.keys()]) forget(id);
    },
  };
}

function markLater({ mark }: WithdrawalDeps, id: string, delay: number): NodeJS.Timeout {
  // A little late rather than early: the look is to find that the time is over.
  return setTimeout(() => mark(id), delay + 5).unref();
}

/** Whether any engine can serve anybody; undefined: none has said anything. */
function judge(reports: readonly EngineReport[]): boolean | undefined {
  if (reports.length === 0) return undefined;
  return reports.some(({ usable, pools }) => usable ?? Object.values(pools).some(({ state }) => state === 'UP'));
}

function createRemedies({ db, settings, now }: WithdrawalDeps): (subject: StatusSubject) => Promise<Remedy> {
  const policies = new Map<string, { policy: ReturnType<typeof whenDownPolicy>; until: number }>();
  return async ({ flavorId, vipMode }) => {
    let policy = settings.spec.whenDown;
    if (flavorId !== null) {
      const cached = policies.get(flavorId);
      const fresh = cached !== undefined && cached.until > now() ? cached.policy : undefined;
      const found = fresh === undefined ? whenDownPolicy((await findFlavor(db, flavorId))?.data) : fresh;
      if (fresh === undefined) policies.set(flavorId, { policy: found, until: now() + FLAVOR_AGE });
      policy = found ?? policy;
    }
    if (policy === 'close') return 'ports';
    if (vipMode === 'bgp') return policy === 'serve' ? 'none' : 'route';
    return policy === 'withdraw' ? 'wiring' : 'none';
  };
}

interface Change {
  readonly remedy: Remedy;
  readonly before: boolean;
  readonly after: boolean;
}

async function write(
  { db, bus, log, settings }: WithdrawalDeps,
  { id, projectId, vipWithdrawn }: StatusSubject,
  { remedy, before, after }: Change,
): Promise<void> {
  const withdrawn = remedy === 'wiring' && !after;
  const rewires = withdrawn !== vipWithdrawn;
  if (!rewires && before === after) return;
  const happening = happeningOf(id, { remedy, after }, settings.spec.withdrawDelay);
  const done = await inTransaction(db, async (trx) => {
    if (rewires && !(await noteVipWithdrawn(trx, id, withdrawn))) return false;
    await recordEvents(trx, [happening], { projectId, loadBalancerId: id });
    return true;
  });
  if (!done) return;
  logHappenings(log.child({ lb: id }), [happening]);
  if (rewires) await hintLoadBalancer(bus, id).catch((err: unknown) => log.warn({ err }, 'a hint could not be sent'));
}

const DONE: Readonly<Record<Remedy, string>> = {
  none: '',
  wiring: 'its VIPs are taken off the network',
  route: 'its engines withdraw their routes',
  ports: 'its engines close their ports',
};

function happeningOf(id: string, { remedy, after }: Pick<Change, 'remedy' | 'after'>, delay: number): Happening {
  const about = { resourceType: 'load_balancer', resourceId: id };
  if (!after) {
    const message = `no member can take traffic, for ${delay / 1000} s: ${DONE[remedy]}`;
    return { ...about, name: 'VIP_WITHDRAWN', severity: 'warning', message };
  }
  const reason = remedy === 'none' ? 'its flavor does not ask for withdrawal' : 'a member takes traffic again';
  return { ...about, name: 'VIP_RESTORED', severity: 'info', message: `${reason}: its VIPs can be reached` };
}
