import { z } from 'zod';
import { type Bus, type BusMessage, ENGINES_TOPIC } from '../bus/port';
import type { StatusSubject } from '../db/operatingStatus';
import { mayServe } from '../domain/engine';
import { LoadBalancerReport } from '../protocol/messages';
import type { Reports } from './reports';

/**
 * Health-managers among themselves. Of a load balancer whose engines call different health-managers one judges: the one
 * that holds the first of its live engines (by id). The others send it what their engines report.
 */
export interface Peers {
  /**
   * True if this health-manager is the one to judge it; reports it lacks are then asked for. If not, whoever judges is
   * sent ours.
   */
  takeUp(subject: StatusSubject): boolean;
  /** An engine has connected here: whoever held it before lets go. */
  announceConnection(engineId: string, epoch: number): Promise<void>;
  /** Statuses of these follow from other engines now: whoever knows of them judges them again. */
  announceChange(loadBalancerIds: readonly string[]): Promise<void>;
  /** A message of another health-manager. True if it was one. */
  receive(message: BusMessage): boolean;
}

export interface PeersDeps {
  readonly bus: Bus;
  readonly id: string;
  readonly reports: Reports;
  /** Whether the engine is connected here. */
  readonly holds: (engineId: string) => boolean;
  readonly mark: (loadBalancerIds: readonly string[]) => void;
  /** Another health-manager has a connection of the engine with this number. */
  readonly onConnectedElsewhere: (engineId: string, epoch: number) => void;
  readonly onError: (error: unknown) => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

const FromPeer = z.discriminatedUnion('method', [
  z.object({ method: z.literal('connected'), args: z.object({ engine_id: z.string(), epoch: z.number() }) }),
  z.object({ method: z.literal('changed'), args: z.object({ load_balancer_ids: z.array(z.string()) }) }),
  z.object({
    method: z.literal('reports_wanted'),
    args: z.object({ from: z.string(), load_balancer_id: z.string() }),
  }),
  z.object({
    method: z.literal('reports'),
    args: z.object({
      /** Who asked, or judges: the others would answer in turn. */
      to: z.string(),
      reports: z.array(z.object({ engine_id: z.string(), report: LoadBalancerReport })),
    }),
  }),
]);
type FromPeer = z.infer<typeof FromPeer>;

/** How often the same reports are asked for, at most. Milliseconds. */
const ASK_INTERVAL = 2_000;

export function createPeers(deps: PeersDeps): Peers {
  const asked = new Map<string, number>();
  const tell = (method: FromPeer['method'], args: Record<string, unknown>): Promise<void> =>
    deps.bus.broadcast(ENGINES_TOPIC, { method, args: { ...args, from: deps.id } });
  const tellAndForget = (method: FromPeer['method'], args: Record<string, unknown>): void =>
    void tell(method, args).catch(deps.onError);

  const sendReports = (loadBalancerId: string, to: string): void => {
    const ours = deps.reports.of(loadBalancerId).filter(({ engineId }) => deps.holds(engineId));
    if (ours.length === 0) return;
    const reports = ours.map(({ engineId, ...report }) => ({
      engine_id: engineId,
      report: { id: loadBalancerId, ...report },
    }));
    tellAndForget('reports', { to, reports });
  };
  const askForReports = (loadBalancerId: string): void => {
    const last = asked.get(loadBalancerId);
    if (last !== undefined && deps.now() - last < ASK_INTERVAL) return;
    asked.set(loadBalancerId, deps.now());
    tellAndForget('reports_wanted', { load_balancer_id: loadBalancerId });
  };
  return {
    takeUp(subject) {
      const live = subject.placements.filter((it) => it.connectedTo !== null && mayServe(it.engineStatus));
      const elsewhere = live.filter(({ connectedTo }) => connectedTo !== deps.id);
      if (elsewhere.length === 0) {
        asked.delete(subject.id);
        return true;
      }
      const judge = live[0]?.connectedTo ?? deps.id;
      if (judge !== deps.id) {
        sendReports(subject.id, judge);
        return false;
      }
      const known = new Set(deps.reports.of(subject.id).map(({ engineId }) => engineId));
      if (elsewhere.some(({ engineId }) => !known.has(engineId))) askForReports(subject.id);
      return true;
    },
    announceConnection: (engineId, epoch) => tell('connected', { engine_id: engineId, epoch }),
    announceChange: (ids) => tell('changed', { load_balancer_ids: ids }),
    receive(message) {
      const said = FromPeer.safeParse(message).data;
      if (!said) return false;
      if (message.args['from'] !== deps.id) handle(said, deps, sendReports);
      return true;
    },
  };
}

function handle(said: FromPeer, deps: PeersDeps, sendReports: (loadBalancerId: string, to: string) => void): void {
  switch (said.method) {
    case 'connected':
      deps.onConnectedElsewhere(said.args.engine_id, said.args.epoch);
      break;
    case 'changed':
      deps.mark(said.args.load_balancer_ids.filter((id) => deps.reports.has(id)));
      break;
    case 'reports_wanted':
      sendReports(said.args.load_balancer_id, said.args.from);
      break;
    case 'reports':
      if (said.args.to === deps.id) takeReports(said.args.reports, deps);
      break;
  }
}

function takeReports(
  reports: readonly { engine_id: string; report: LoadBalancerReport }[],
  { holds, mark, reports: known }: PeersDeps,
): void {
  for (const { engine_id, report } of reports) {
    if (!holds(engine_id)) mark(known.take(engine_id, [report], false));
  }
}
