import type { ListenerCounters } from '../../protocol/messages';
import type { Layout } from '../haproxy/layout';
import type { Tally } from '../serve/counters';
import { createExposition, type Exposition } from './exposition';
import { type Family, LISTENER_FAMILIES, MEMBER_FAMILIES, POOL_FAMILIES, PROCESS_FAMILIES } from './families';
import type { Table } from './table';

/** What the metrics of a load balancer are made of. */
export interface MetricsSource {
  readonly layout: Layout;
  /** `show stat` of the current worker. */
  readonly table: Table;
  /** `show info` of the current worker. */
  readonly info: ReadonlyMap<string, string>;
  /** What all workers have counted, by series. */
  readonly sums: ReadonlyMap<string, Tally>;
  /** Open sessions over all workers. */
  readonly active: (series: string) => number;
  /** Of listeners that are not haproxy's. */
  readonly datagrams: readonly ListenerCounters[];
  /** Percent. */
  readonly cpu: number;
  /** Percent. */
  readonly memory: number;
}

/** An object of the load balancer and the series of haproxy that tell of it. */
interface Subject {
  readonly labels: Readonly<Record<string, string>>;
  readonly series: readonly string[];
}

/** The whole answer of a PROMETHEUS listener. */
export function renderMetrics(source: MetricsSource): string {
  const { layout } = source;
  const out = createExposition();
  putLoad(out, source);
  const listeners = layout.frontends.map(
    ({ listener: { id } }): Subject => ({ labels: { listener: id }, series: [`${id}/FRONTEND`] }),
  );
  const pools = poolsOf(layout);
  const members = pools.flatMap(({ id, sections, members: names }) =>
    names.map(
      (name): Subject => ({ labels: { pool: id, member: name }, series: sections.map((one) => `${one}/${name}`) }),
    ),
  );
  const poolSubjects = pools.map(
    ({ id, sections }): Subject => ({ labels: { pool: id }, series: sections.map((one) => `${one}/BACKEND`) }),
  );
  putSubjects(out, source, { prefix: 'listener', subjects: listeners, families: LISTENER_FAMILIES });
  putResponses(out, source, 'listener', listeners);
  putSubjects(out, source, { prefix: 'pool', subjects: poolSubjects, families: POOL_FAMILIES });
  putResponses(out, source, 'pool', poolSubjects);
  putSubjects(out, source, { prefix: 'member', subjects: members, families: MEMBER_FAMILIES });
  putResponses(out, source, 'member', members);
  return out.text();
}

function poolsOf({ backends }: Layout) {
  const ids = [...new Set(backends.map(({ pool }) => pool.id))];
  return ids.map((id) => {
    const own = backends.filter(({ pool }) => pool.id === id);
    return {
      id,
      sections: own.map(({ name }) => name),
      members: own[0]?.pool.members.map((member) => member.id) ?? [],
    };
  });
}

function putLoad(out: Exposition, { cpu, memory, info, sums, layout }: MetricsSource): void {
  out.family('loadbalancer_cpu', 'gauge', 'Load of the engine in percent of its processors.');
  out.sample({}, Number(cpu.toFixed(1)));
  out.family('loadbalancer_memory', 'gauge', 'Memory of the engine that is in use, in percent.');
  out.sample({}, Number(memory.toFixed(1)));
  for (const family of PROCESS_FAMILIES) put(out, family, [[{}, info.get(family.column)]]);
  const frontends = layout.frontends.map(({ listener }) => `${listener.id}/FRONTEND`);
  const total = (column: string) => frontends.reduce((all, series) => all + (sums.get(series)?.get(column) ?? 0n), 0n);
  const totals = [
    ['connections', 'conn_tot', 'Connections so far.'],
    ['requests', 'req_tot', 'HTTP requests so far.'],
    ['ssl_connections', 'ssl_sess', 'TLS connections so far.'],
    ['http_comp_bytes_in', 'comp_in', 'Bytes given to HTTP compression.'],
    ['http_comp_bytes_out', 'comp_out', 'Bytes that came out of HTTP compression.'],
  ] as const;
  for (const [name, column, help] of totals) {
    out.family(`loadbalancer_${name}_total`, 'counter', help);
    out.sample({}, total(column));
  }
}

interface Group {
  readonly prefix: 'listener' | 'pool' | 'member';
  readonly subjects: readonly Subject[];
  readonly families: readonly Family[];
}

function putSubjects(out: Exposition, source: MetricsSource, { prefix, subjects, families }: Group): void {
  putStatus(out, source, prefix, subjects);
  for (const family of families) {
    const samples = subjects.map(({ labels, series }) => [labels, readValue(source, family, series)] as const);
    const others = prefix === 'listener' ? source.datagrams.map((it) => datagramSample(family.column, it)) : [];
    put(out, { ...family, name: `${prefix}_${family.name}` }, [...samples, ...others]);
  }
}

function datagramSample(column: string, counters: ListenerCounters) {
  const known: Readonly<Record<string, string>> = {
    scur: String(counters.activeConnections),
    stot: counters.totalConnections,
    conn_tot: counters.totalConnections,
    bin: counters.bytesIn,
    bout: counters.bytesOut,
  };
  return [{ listener: counters.listenerId }, known[column]] as const;
}

/** Counters are of all workers, gauges of the current one; so are sessions, since old workers have some too. */
function readValue(source: MetricsSource, { type, column, join }: Family, series: readonly string[]): string {
  if (type === 'counter')
    return String(series.reduce((all, one) => all + (source.sums.get(one)?.get(column) ?? 0n), 0n));
  if (column === 'scur') return String(series.reduce((all, one) => all + source.active(one), 0));
  const values = series.map((one) => source.table.get(one)?.get(column) ?? '').filter((value) => value !== '');
  if (values.length === 0 || join === 'first') return values[0] ?? '';
  const numbers = values.map(Number);
  return String(join === 'max' ? Math.max(...numbers) : numbers.reduce((all, one) => all + one, 0));
}

type Samples = readonly (readonly [Readonly<Record<string, string>>, string | undefined])[];

/** A value that haproxy does not show has no sample, and a family without samples is not shown. */
function put(out: Exposition, { name, type, help, divisor }: Family, samples: Samples): void {
  const shown = samples.filter(([, value]) => value !== undefined && /^-?\d+(\.\d+)?$/.test(value));
  if (shown.length === 0) return;
  out.family(name, type, help);
  for (const [labels, value = ''] of shown)
    out.sample(labels, divisor === 1 ? BigInt(value.split('.')[0] ?? '') : Number(value) / divisor);
}

const STATES = { listener: ['DOWN', 'UP'], pool: ['DOWN', 'UP'], member: ['DOWN', 'UP', 'MAINT', 'DRAIN', 'NOLB'] };

function putStatus(
  out: Exposition,
  { table }: MetricsSource,
  prefix: Group['prefix'],
  subjects: readonly Subject[],
): void {
  if (subjects.length === 0) return;
  out.family(`${prefix}_status`, 'gauge', `Current status of the ${prefix}: 1 for the one it has.`);
  for (const { labels, series } of subjects) {
    const now = stateOf(table.get(series[0] ?? '')?.get('status') ?? '');
    for (const state of STATES[prefix]) out.sample({ ...labels, state }, now === state ? 1 : 0);
  }
}

function stateOf(status: string): string {
  if (status === 'OPEN' || status === 'no check' || status.startsWith('UP')) return 'UP';
  return status.split(' ')[0] ?? '';
}

const CODES = {
  '1xx': 'hrsp_1xx',
  '2xx': 'hrsp_2xx',
  '3xx': 'hrsp_3xx',
  '4xx': 'hrsp_4xx',
  '5xx': 'hrsp_5xx',
  other: 'hrsp_other',
};

function putResponses(
  out: Exposition,
  { sums }: MetricsSource,
  prefix: Group['prefix'],
  subjects: readonly Subject[],
): void {
  if (subjects.length === 0) return;
  out.family(`${prefix}_http_responses_total`, 'counter', 'HTTP responses so far, by their status.');
  for (const { labels, series } of subjects) {
    for (const [code, column] of Object.entries(CODES)) {
      const count = series.reduce((all, one) => all + (sums.get(one)?.get(column) ?? 0n), 0n);
      out.sample({ ...labels, code }, count);
    }
  }
}
