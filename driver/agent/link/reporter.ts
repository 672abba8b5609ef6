import type { FromEngine, Welcome } from '../../protocol/messages';
import type { Engine } from '../serve/engine';
import { createCpuMeter, memoryPercent } from './load';

/** Sends heartbeats and counters over one connection: what changed since it was last sent there, and all at first. */
export interface Reporter {
  /** Sends a heartbeat soon, without waiting for the next one to be due. */
  reportChanged(): void;
  stop(): void;
}

/** Milliseconds in which changes are gathered before a heartbeat tells them. */
const GATHERING = 20;

export function createReporter(engine: Engine, welcome: Welcome, send: (message: FromEngine) => void): Reporter {
  const cpuPercent = createCpuMeter();
  const reported = new Map<string, number>();
  const counted = new Map<string, string>();
  let early: NodeJS.Timeout | null = null;
  let seq = 0;

  const beat = () => {
    const all = engine.reports();
    const changed = all.filter(({ version, report }) => reported.get(report.id) !== version);
    reported.clear();
    for (const { version, report } of all) reported.set(report.id, version);
    seq += 1;
    const load = { cpuPercent: cpuPercent(), memoryPercent: memoryPercent(), connections: engine.connections() };
    send({ type: 'heartbeat', seq, load, changed: changed.map(({ report }) => report) });
  };
  const count = () => {
    const listeners = engine.counters().filter((counters) => {
      const key = `${counters.loadBalancerId}/${counters.listenerId}`;
      const text = JSON.stringify(counters);
      if (counted.get(key) === text) return false;
      counted.set(key, text);
      return true;
    });
    if (listeners.length > 0) send({ type: 'counters', listeners });
  };
  const beats = setInterval(beat, welcome.heartbeatInterval);
  const counts = setInterval(count, welcome.countersInterval);
  beat();
  count();
  return {
    reportChanged() {
      early ??= setTimeout(() => {
        early = null;
        beat();
      }, GATHERING);
    },
    stop() {
      clearInterval(beats);
      clearInterval(counts);
      if (early !== null) clearTimeout(early);
    },
  };
}
