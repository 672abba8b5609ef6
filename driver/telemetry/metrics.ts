import { collectDefaultMetrics, Registry } from 'prom-client';

/**
 * The metrics of one process, and none of any other in the same Node process: pass it to whoever defines metrics. Holds
 * Node's own from the start (event loop lag, heap, CPU).
 */
export function createRegistry(process: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ process });
  collectDefaultMetrics({ register: registry });
  return registry;
}
