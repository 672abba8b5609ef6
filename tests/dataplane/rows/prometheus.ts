import { ask } from '../clients/web';
import type { Row } from '../row';

/** What a load balancer tells of itself. */
export const prometheusRows: readonly Row[] = [
  {
    proves: ['listener.protocol=PROMETHEUS'],
    title: 'a PROMETHEUS listener tells the metrics of its load balancer at /metrics',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ members: [{ backend: one }] });
      await stage.create('listeners', 'listener', {
        ...{ loadbalancer_id: served.loadBalancer.id, protocol: 'PROMETHEUS', protocol_port: 9090 },
      });
      await stage.active(served.loadBalancer);
      for (let turn = 0; turn < 3; turn += 1) await ask(served);
      const { status, text } = await ask({ ...served, port: 9090, path: '/metrics' });
      expect(status).toBe(200);
      expect(text).toMatch(/^# TYPE octavia_\w+ (?:gauge|counter)$/m);
      expect(text).toContain(served.listenerId);
      expect(text).toContain(served.poolId);
      expect((await ask({ ...served, port: 9090, path: '/' })).status).toBe(404);
    },
  },
];
