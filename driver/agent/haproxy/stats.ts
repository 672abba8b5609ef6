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
  readonly bytesIn: string;
  readonly bytesOut: string;
  readonly totalSessions: string;
  readonly requestErrors: string;
}

const COLUMNS = ['pxname', 'svname', 'status', 'check_status', 'weight', 'scur', 'slim', 'bin', 'bout', 'stot', 'ereq'];

/** Parses the answer to `show stat`. Throws if a column that is needed is missing. */
export function parseStats(answer: string): StatRow[] {
  const [header = '', ...lines] = answer.split('\n');
  const names = header.replace(/^# /, '').split(',');
  const at = COLUMNS.map((name) => names.indexOf(name));
  if (at.includes(-1)) throw new Error(`unexpected answer to show stat: ${header.slice(0, 80)}`);
  // What is quoted and may hold commas (last_chk and the like) comes after all of these.
  const needed = Math.max(...at) + 1;
  return lines.filter((text) => text.includes(',')).map((text) => readRow(text.split(',', needed), at));
}

function readRow(fields: readonly string[], at: readonly number[]): StatRow {
  const [proxy = '', server = '', status = '', checkStatus = '', weight, scur, slim, bin, bout, stot, ereq] = at.map(
    (index) => fields[index] ?? '',
  );
  return {
    proxy,
    server,
    status,
    checkStatus,
    weight: Number(weight),
    currentSessions: Number(scur),
    sessionLimit: Number(slim),
    bytesIn: bin || '0',
    bytesOut: bout || '0',
    totalSessions: stot || '0',
    requestErrors: ereq || '0',
  };
}

/** True once a check of the server has ended, whatever its result; `* ` marks one under way. */
export function hasBeenChecked(row: StatRow): boolean {
  return row.checkStatus !== '' && row.checkStatus !== 'INI' && !row.checkStatus.startsWith('* ');
}

/** True if the last check of the server passed. */
export function hasPassedCheck(row: StatRow): boolean {
  return /^L\d(?:OK|OKC)$/.test(row.checkStatus);
}
