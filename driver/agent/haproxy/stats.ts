/**
 * One line of `show stat`. Columns are found by their names, so that a newer haproxy may add some. Counters stay strings
 * until they are added up: they may pass 2^53.
 */
export interface StatRow {
  readonly proxy: string;
  /** `FRONTEND`, `BACKEND` or the server's name. */
  readonly server: string;
  readonly status: string;
  readonly checkStatus: string;
  readonly weight: number;
  readonly currentSessions: number;
  /** Limit of sessions, 0 when none is shown. */
  readonly sessionLimit: number;
  /** What clients sent, as it went over the wire wherever haproxy can tell. */
  readonly bytesIn: string;
  readonly bytesOut: string;
  readonly totalSessions: string;
  readonly requestErrors: string;
  /** All that only ever rises, in the order of COUNTED. */
  readonly counts?: readonly string[];
}

/** Columns that only rise; a worker begins with none. */
export const COUNTED = [
  ...['stot', 'bin', 'bout', 'ereq', 'dreq', 'dresp', 'dcon', 'dses', 'conn_tot', 'req_tot', 'hrsp_1xx', 'hrsp_2xx'],
  ...['hrsp_3xx', 'hrsp_4xx', 'hrsp_5xx', 'hrsp_other', 'intercepted', 'wrew', 'econ', 'eresp', 'wretr', 'wredis'],
  ...['cli_abrt', 'srv_abrt', 'connect', 'reuse', 'lbtot', 'chkfail', 'chkdown', 'downtime', 'cache_lookups'],
  ...['cache_hits', 'ssl_sess', 'comp_in', 'comp_out', 'comp_byp', 'comp_rsp'],
] as const;

const COLUMNS = ['pxname', 'svname', 'status', 'check_status', 'weight', 'scur', 'slim', 'bin', 'bout', 'stot', 'ereq'];
const LATER = ['mode', 'h1_bytes_in', 'h1_bytes_out', 'h2_total_connections'] as const;

/** Parses the answer to `show stat`. Throws if a column that is needed is missing, or the answer breaks off. */
export function parseStats(answer: string): StatRow[] {
  const [header = '', ...lines] = answer.split('\n');
  const names = header.replace(/^# /, '').split(',');
  if (COLUMNS.some((name) => !names.includes(name))) {
    throw new Error(`unexpected answer to show stat: ${header.slice(0, 80)}`);
  }
  const at = (name: string) => names.indexOf(name);
  const places: Places = {
    columns: COLUMNS.map(at),
    counted: COUNTED.map(at),
    later: LATER.map(at),
  };
  const rows = lines.filter((text) => text.includes(',')).map(splitRow);
  if ((rows.at(-1)?.length ?? Infinity) < names.length) throw new Error('the answer to show stat breaks off');
  return rows.map((fields) => readRow(fields, places));
}

interface Places {
  readonly columns: readonly number[];
  readonly counted: readonly number[];
  readonly later: readonly number[];
}

/** The fields of a line; commas in the texts haproxy quotes do not count. */
export function splitRow(text: string): string[] {
  if (!text.includes('"')) return text.split(',');
  const fields: string[] = [];
  for (const match of text.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)) fields.push(match[1] ?? '');
  return fields;
}

function readRow(fields: readonly string[], { columns, counted, later }: Places): StatRow {
  const [proxy = '', server = '', status = '', checkStatus = '', weight, scur, slim, bin, bout, stot, ereq] =
    columns.map((index) => fields[index] ?? '');
  const [mode, h1In = '', h1Out = '', h2Connections] = later.map((index) => fields[index]);
  const isHttp = server === 'FRONTEND' && mode === 'http' && h1In !== '';
  const mixed = Number(h2Connections ?? 0) > 0;
  const bytesIn = isHttp ? wireBytes(h1In, bin || '0', mixed) : bin || '0';
  const bytesOut = isHttp ? wireBytes(h1Out, bout || '0', mixed) : bout || '0';
  const counts = counted.map((index) => fields[index] || '0');
  counts[COUNTED.indexOf('bin')] = bytesIn;
  counts[COUNTED.indexOf('bout')] = bytesOut;
  return {
    proxy,
    server,
    status,
    checkStatus,
    weight: Number(weight),
    currentSessions: Number(scur),
    sessionLimit: Number(slim),
    bytesIn,
    bytesOut,
    totalSessions: stot || '0',
    requestErrors: ereq || '0',
    counts,
  };
}

/**
 * `bin` and `bout` of HTTP are those of haproxy's own form of a message, a few bytes from what the client sent; the HTTP/1
 * multiplexer counts what went over the wire (seen with 2.6). Of HTTP/2 there is no such count: a listener that has seen
 * any goes by the larger of the two.
 */
function wireBytes(wire: string, internal: string, mixed: boolean): string {
  return mixed && BigInt(internal) > BigInt(wire) ? internal : wire;
}

/** True once a check of the server has ended, whatever its result; `* ` marks one under way. */
export function hasBeenChecked(row: StatRow): boolean {
  return row.checkStatus !== '' && row.checkStatus !== 'INI' && !row.checkStatus.startsWith('* ');
}

/** True if the last check of the server passed. */
export function hasPassedCheck(row: StatRow): boolean {
  return /^L\d(?:OK|OKC)$/.test(row.checkStatus);
}
