import { Gauge, type Registry } from 'prom-client';

/** What every process tells of its ways to others. */
export interface ProcessSources {
  /** Connections to the database, now. */
  poolUse(): { readonly used: number; readonly free: number; readonly waiting: number };
  /** What is wrong with the way to the broker. */
  brokerTrouble(): string | undefined;
}

export function defineProcessMetrics(registry: Registry, { poolUse, brokerTrouble }: ProcessSources): void {
  const registers = [registry];
  new Gauge({
    name: 'slipstream_db_connections',
    help: 'Connections to the database by state; `waiting` are requests that have none yet.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const [state, count] of Object.entries(poolUse())) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'slipstream_broker_up',
    help: '1 while the message broker can be reached.',
    registers,
    collect() {
      this.set(brokerTrouble() === undefined ? 1 : 0);
    },
  });
}
