import { Counter, type Registry } from 'prom-client';

/** What is counted on the way to the broker and back. */
export interface AmqpMetrics {
  connected(): void;
  published(topic: string, outcome: 'confirmed' | 'failed'): void;
  received(topic: string, outcome: 'handled' | 'failed' | 'malformed' | 'repeated'): void;
}

export const NO_METRICS: AmqpMetrics = { connected() {}, published() {}, received() {} };

export function createAmqpMetrics(registry: Registry): AmqpMetrics {
  const registers = [registry];
  const connections = new Counter({
    name: 'slipstream_bus_connections_total',
    help: 'Connections to the message broker that came up.',
    registers,
  });
  const published = new Counter({
    name: 'slipstream_bus_published_total',
    help: 'Messages sent, by topic and whether the broker confirmed them.',
    labelNames: ['topic', 'outcome'],
    registers,
  });
  const received = new Counter({
    name: 'slipstream_bus_received_total',
    help: 'Messages that came, by topic and what became of them.',
    labelNames: ['topic', 'outcome'],
    registers,
  });
  return {
    connected: () => connections.inc(),
    published: (topic, outcome) => published.inc({ topic, outcome }),
    received: (topic, outcome) => received.inc({ topic, outcome }),
  };
}
