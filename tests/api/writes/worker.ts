import { PROVISIONING_TOPIC, SETTLED_TOPIC, type Subscription } from '../../../driver/bus/port';
import type { TestApi } from '../../support/api';

/** A worker for whom everything goes well: settles whatever it hears of and says so. */
export function startWorker(api: TestApi): Promise<Subscription> {
  return api.bus.subscribe(PROVISIONING_TOPIC, async ({ loadBalancerId }) => {
    await api.settle();
    await announceSettled(api, loadBalancerId ?? '');
  });
}

export async function announceSettled(api: TestApi, loadBalancerId: string): Promise<void> {
  await api.bus.broadcast(SETTLED_TOPIC, { method: 'settled', args: { id: loadBalancerId } });
}
