import { Gauge, type Registry } from 'prom-client';
import { type Bus, HINTS_TOPIC, PROVISIONING_TOPIC } from './port';

/** Topics whose messages wait for a worker. */
const WAITED_FOR = [PROVISIONING_TOPIC, HINTS_TOPIC];

/** Shows whether the bus reaches others, and how much waits on it; both are looked at when metrics are read. */
export function showBus(registry: Registry, bus: Bus): void {
  const registers = [registry];
  new Gauge({
    name: 'slipstream_bus_up',
    help: '1 while the message bus takes messages, 0 while its broker is away.',
    registers,
    collect() {
      this.set(bus.trouble() === undefined ? 1 : 0);
    },
  });
  new Gauge({
    name: 'slipstream_bus_queue_messages',
    help: 'Messages that wait for a worker, by topic; absent while that cannot be told.',
    labelNames: ['topic'],
    registers,
    async collect() {
      const depths = await Promise.all(WAITED_FOR.map((topic) => bus.depth(topic)));
      this.reset();
      for (const [index, depth] of depths.entries()) {
        if (depth !== undefined) this.set({ topic: WAITED_FOR[index] ?? '' }, depth);
      }
    },
  });
}
