import { appendFileSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createChecker } from '../../../driver/agent/udp/checker';
import { parseSession } from '../../../driver/agent/udp/sessionLog';
import {
  forgetEnded,
  loadSessions,
  readSessionLogs,
  removeStrayLogs,
  rotateSessionLog,
  sessionCounters,
  storeSessions,
} from '../../../driver/agent/udp/sessions';
import { type UdpUnit, udpPaths } from '../../../driver/agent/udp/unit';

const directory = mkdtempSync(join(tmpdir(), 'slipstream-sessions-'));
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(() => {
  for (const name of readdirSync(directory)) rmSync(join(directory, name));
});

/** No such process: pids end below this. */
const NOBODY = { pid: 2 ** 22 + 1, startTime: '1' };
const paths = udpPaths(directory);
const log = (sequence = 1) => paths.sessionLog(sequence);
const line = (bytesIn: number, bytesOut: number) => `listener-1 200 ${bytesIn} ${bytesOut}\n`;

/** What an agent knows that has just read the directory. */
async function openUnit(retired = false): Promise<UdpUnit> {
  const fresh: UdpUnit = {
    id: 'lb-1',
    paths,
    deps: {
      log: pino({ level: 'silent' }),
      findNginx: async () => ({ problem: 'none' }),
      slots: (work) => work(),
      onReport: () => undefined,
      event: () => undefined,
      run: (work) => work(),
      namespace: () => null,
      checker: createChecker(),
    },
    layout: null,
    config: null,
    generations: [{ sequence: 1, master: NOBODY, worker: null, endpoints: [], retiredAt: retired ? 1 : null }],
    sequence: 1,
    health: new Map(),
    healthInForce: new Map(),
    newcomers: new Set(),
    blocked: new Map(),
    tallies: new Map(),
    positions: new Map(),
    active: new Map(),
    restarts: { next: () => 0, reset: () => undefined },
    restartAt: null,
    startedAt: 0,
  };
  await loadSessions(fresh);
  return fresh;
}
const totals = (unit: UdpUnit) =>
  sessionCounters(unit).map(({ totalConnections, bytesIn, bytesOut }) => [totalConnections, bytesIn, bytesOut]);

describe('the sessions of a load balancer', () => {
  it('are added up, whole lines only, each once', async () => {
    const unit = await openUnit();
    writeFileSync(log(), line(3, 4) + line(5, 6).slice(0, 10));
    await readSessionLogs(unit);
    expect(totals(unit)).toEqual([['1', '3', '4']]);
    appendFileSync(log(), line(5, 6).slice(10));
    await readSessionLogs(unit);
    await readSessionLogs(unit);
    expect(totals(unit)).toEqual([['2', '8', '10']]);
  });

  it('are counted from where the last agent stored that it was', async () => {
    writeFileSync(log(), line(1, 1));
    const before = await openUnit();
    await readSessionLogs(before);
    await storeSessions(before);
    appendFileSync(log(), line(2, 2));
    // Read, but not stored: that agent was killed.
    await readSessionLogs(before);
    const after = await openUnit();
    await readSessionLogs(after);
    expect(totals(after)).toEqual([['2', '3', '3']]);
  });

  it('outlive a log that has grown large, whenever the agent ends on the way', async () => {
    const unit = await openUnit();
    writeFileSync(log(), line(1, 1));
    await rotateSessionLog(unit, 1);
    const aside = log().replace('.log', '.old.log');
    expect([existsSync(log()), existsSync(aside)]).toEqual([false, true]);
    // A worker that has not changed over yet, and one that has.
    appendFileSync(aside, line(2, 2));
    writeFileSync(log(), line(4, 4));
    await readSessionLogs(await openUnit());
    const next = await openUnit();
    await readSessionLogs(next);
    expect(totals(next)).toEqual([['3', '7', '7']]);
    await storeSessions(next);
    // Ended before the log was renamed: both names stand for it.
    renameSync(aside, `${aside}.gone`);
    next.positions.set('sessions-1.old.log', next.positions.get('sessions-1.log') ?? { inode: 0, offset: 0 });
    await storeSessions(next);
    const last = await openUnit();
    await readSessionLogs(last);
    expect(totals(last)).toEqual([['3', '7', '7']]);
  });

  it('are kept when their nginx has ended, and its files are not', async () => {
    const unit = await openUnit(true);
    writeFileSync(log(), line(1, 2));
    writeFileSync(paths.pidFile(1), '');
    expect(await forgetEnded(unit)).toBe(true);
    expect(unit.generations).toEqual([]);
    expect(existsSync(log())).toBe(false);
    expect(existsSync(paths.pidFile(1))).toBe(false);
    const after = await openUnit(true);
    await readSessionLogs(after);
    expect(totals(after)).toEqual([['1', '1', '2']]);
  });

  it('leave no files behind that nobody knows', async () => {
    for (const name of ['sessions-7.log', 'sessions-7.old.log', 'nginx-7.pid', 'nginx.conf', 'sessions-1.log']) {
      writeFileSync(join(directory, name), '');
    }
    await removeStrayLogs(await openUnit());
    expect(readdirSync(directory).sort()).toEqual(['nginx.conf', 'sessions-1.log']);
  });

  it('are not those of clients that were turned away, nor lines that are none', () => {
    expect(parseSession('l 403 10 0')).toBeNull();
    expect(parseSession('l 503 10 0')).toBeNull();
    expect(parseSession('l 200 ten 0')).toBeNull();
    expect(parseSession('')).toBeNull();
    expect(parseSession('l 502 10 0')).toEqual({ listenerId: 'l', bytesIn: 10n, bytesOut: 0n, ends: null });
    const whole = parseSession('l 200 10 20 1700000000.500 0.250 ::1 4000 fd00::1 53 [fd00::2]:5353');
    expect(whole?.ends).toEqual({
      time: 1_700_000_000.25,
      duration: 250,
      client: '::1',
      clientPort: 4000,
      vip: 'fd00::1',
      vipPort: 53,
      member: '[fd00::2]:5353',
      status: '200',
    });
  });
});
