import type { EngineFacts, InspectedDaemon, InspectedMember } from '../../protocol/inspection';
import type { LoadBalancerSpec, MaterialSpec } from '../../protocol/spec';
import { refusalOf } from '../haproxy/fault';
import { parseStats, type StatRow } from '../haproxy/stats';
import { isAlive } from '../process/identity';
import { errorMessage } from '../systemError';
import type { Unit } from './unit';

/** What a load balancer's processes tell of it. */
export type UnitFacts = Pick<
  EngineFacts,
  'held' | 'inForce' | 'refusals' | 'daemons' | 'listeners' | 'members' | 'certificates'
>;

/** Milliseconds a daemon has for an answer. */
const PATIENCE = 800;

/** Asks the daemons as they are now, changing nothing. */
export async function inspectUnit(unit: Unit): Promise<UnitFacts> {
  const { held, inForce, report } = unit;
  const { daemon, rows } = await inspectHaproxy(unit);
  return {
    held: held?.spec.generation ?? null,
    inForce: inForce?.generation ?? null,
    refusals: (held?.faults ?? []).map(refusalOf),
    daemons: daemon === null ? [] : [daemon],
    listeners: report?.listeners ?? {},
    members: membersOf(unit, rows),
    certificates: materialsOf(held?.spec ?? null).flatMap(({ name, problem }) =>
      problem === null ? [] : [{ name, reason: problem }],
    ),
  };
}

async function inspectHaproxy({ held, running, rows }: Unit): Promise<Inspected> {
  if (running === null) {
    const wanted = (held?.spec.listeners ?? []).some(({ protocol }) => protocol !== 'UDP' && protocol !== 'SCTP');
    return { daemon: wanted ? { ...DEAD, detail: 'it does not run' } : null, rows };
  }
  const { master, worker, runtime } = running.daemon;
  if (!isAlive(master) || !isAlive(worker)) return { daemon: { ...DEAD, detail: 'it has ended' }, rows };
  const detail = `pid ${worker.pid}`;
  try {
    const [answer = ''] = await inTime(runtime.run(['show stat']));
    return { daemon: { name: 'haproxy', running: true, answers: true, detail }, rows: parseStats(answer) };
  } catch (error) {
    const reason = `${detail}: ${errorMessage(error)}`;
    return { daemon: { name: 'haproxy', running: true, answers: false, detail: reason }, rows };
  }
}

interface Inspected {
  /** Null: nothing is its to serve. */
  readonly daemon: InspectedDaemon | null;
  readonly rows: readonly StatRow[];
}

const DEAD = { name: 'haproxy', running: false, answers: false } as const;

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE} ms`)), PATIENCE);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** As the report says, which knows of pings and newcomers, too; with what haproxy's last check came to. */
function membersOf({ report, running }: Unit, rows: readonly StatRow[]): InspectedMember[] {
  const backends = running?.layout?.backends ?? [];
  return Object.entries(report?.pools ?? {}).flatMap(([poolId, { members }]) =>
    Object.entries(members).map(([memberId, status]) => {
      const names = backends.filter(({ pool }) => pool.id === poolId).map(({ name }) => name);
      const row = rows.find(({ proxy, server }) => server === memberId && names.includes(proxy));
      return { poolId, memberId, status, check: row?.checkStatus.replace(/^\* /, '') || null };
    }),
  );
}

function materialsOf(spec: LoadBalancerSpec | null): MaterialSpec[] {
  const all = [
    ...(spec?.listeners ?? []).flatMap(({ tls }) =>
      tls === null ? [] : [tls.certificate, ...tls.sni, tls.clientCa, tls.clientCrl],
    ),
    ...(spec?.pools ?? []).flatMap(({ tls }) => (tls === null ? [] : [tls.certificate, tls.ca, tls.crl])),
  ];
  return all.flatMap((it) => it ?? []);
}
