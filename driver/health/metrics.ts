import { Counter, Gauge, type Registry } from 'prom-client';

/** What a health-manager counts. */
export interface HealthMetrics {
  /** A spec or a removal was sent. */
  sent(): void;
  /** An acknowledgement was taken. */
  acknowledged(): void;
  /** A batch of operating statuses was judged. */
  judged(loadBalancers: number): void;
}

/** Defines the metrics; without a registry nobody reads them. */
export function createHealthMetrics(registry: Registry | undefined, connected: () => number): HealthMetrics {
  const registers = registry ? [registry] : [];
  const counter = (name: string, help: string): Counter =>
    new Counter({ name: `slipstream_health_${name}_total`, help, registers });
  const sent = counter('pushes', 'Specs and removals sent to engines.');
  const acknowledged = counter('acknowledgements', 'Acknowledgements taken from engines.');
  const judged = counter('judgements', 'Load balancers whose operating statuses were judged.');
  new Gauge({
    name: 'slipstream_health_engines_connected',
    help: 'Engines that are connected to this health-manager.',
    registers,
    collect() {
      this.set(connected());
    },
  });
  return {
    sent: () => sent.inc(),
    acknowledged: () => acknowledged.inc(),
    judged: (count) => judged.inc(count),
  };
}
