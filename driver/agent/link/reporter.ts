import type { EngineLoad, FromEngine, Welcome } from '../../protocol/messages';
import type { Engine } from '../serve/engine';
import { createCpuMeter, memoryPercent } from './load';
import { countPackets, createRateMeter, sumOf } from './rates';

/** Sends heartbeats and counters over one connection: what changed since it was last sent there, and all at first. */
export interface Reporter {
  /** Sends a heartbeat soon, without waiting for the next one to be due. */
  reportChanged(): void;
  stop(): void;
}

/** Milliseconds in which changes are gathered before a heartbeat tells them. */
const GATHERING = 20;

export function createReporter(engine: Engine, welcome: Welcome, send: (message: FromEngine) => void): Reporter {
  const meter = createLoadMeter(engine);
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
    send({ type: 'heartbeat', seq, load: meter.read(), changed: changed.map(({ report }) => report) });
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
      meter.stop();
      if (early !== null) clearTimeout(early);
    },
  };
}

/** Milliseconds between two counts of packets, which are not for nothing. */
const PACKETS_ROUND = 10_000;

/** How loaded the engine is. Rates are those since the heartbeat before. */
function createLoadMeter(engine: Engine): { read(): EngineLoad; stop(): void } {
  const cpuPercent = createCpuMeter();
  const bytes = createRateMeter();
  const opened = createRateMeter();
  const packets = createRateMeter();
  let packetRate: number | undefined;
  const look = () =>
    void countPackets().then(
      (count) => {
        packetRate = packets.note(count);
      },
      () => undefined,
    );
  const looks = setInterval(look, PACKETS_ROUND).unref();
  look();
  return {
    read() {
      const sum = sumOf(engine.counters());
      const rates = { bytesPerSecond: bytes.note(sum.bytes), connectionsPerSecond: opened.note(sum.opened) };
      return {
        ...{ cpuPercent: cpuPercent(), memoryPercent: memoryPercent(), connections: sum.connections },
        ...(rates.bytesPerSecond !== undefined && { bytesPerSecond: rates.bytesPerSecond }),
        ...(rates.connectionsPerSecond !== undefined && { connectionsPerSecond: rates.connectionsPerSecond }),
        ...(packetRate !== undefined && { packetsPerSecond: packetRate }),
      };
    },
    stop: () => clearInterval(looks),
  };
}
