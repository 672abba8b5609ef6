import { ask } from '../clients/web';
import type { Row } from '../row';
import type { Stage } from '../stage';
import { serveTls } from '../terminated';

const ANY_ID = 'e4a4c5d0-0000-4000-8000-000000000000';

async function refusal(stage: Stage, path: string, body: object): Promise<[number, string]> {
  const { status, body: answer } = await stage.api.request('POST', path, body);
  return [status, answer.faultstring ?? 'taken'];
}

/** What no test host carries, or what Octavia's requests name and no request may say: how it is turned down. */
export const refusedRows: readonly Row[] = [
  {
    proves: ['listener.protocol=SCTP', 'pool.protocol=SCTP', 'healthmonitor.type=SCTP'],
    title: 'SCTP is refused where the deployment has not switched it on',
    async run(stage) {
      const served = await stage.serve({ listener: { protocol: 'UDP' } });
      const { id } = served.loadBalancer;
      const off = [501, expect.stringContaining('SCTP is not enabled in this deployment.')];
      const listener = { loadbalancer_id: id, protocol: 'SCTP', protocol_port: 9 };
      expect(await refusal(stage, '/listeners', { listener })).toEqual(off);
      const pool = { loadbalancer_id: id, protocol: 'SCTP', lb_algorithm: 'ROUND_ROBIN' };
      expect(await refusal(stage, '/pools', { pool })).toEqual(off);
      const healthmonitor = { pool_id: served.poolId, type: 'SCTP', delay: 5, timeout: 1, max_retries: 1 };
      expect(await refusal(stage, '/healthmonitors', { healthmonitor })).toEqual(off);
    },
  },
  {
    proves: ['listener.tls_versions=SSLv3', 'pool.tls_versions=SSLv3'],
    title: 'a listener or pool that is to speak SSLv3 alone comes to ERROR and serves nobody',
    async run(stage) {
      const one = await stage.web('one');
      const secure = await serveTls(stage, { tls_versions: ['SSLv3'] }, [{ backend: one }]);
      await expect(ask({ ...secure, tls: {} })).rejects.toThrow('ECONNREFUSED');
      const listener = await stage.api.show(`/listeners/${secure.listenerId}`, 'listener');
      expect(listener['provisioning_status']).toBe('ERROR');

      const served = await stage.serve({ members: [{ backend: one }] });
      expect((await ask(served)).status).toBe(200);
      const pool = { tls_enabled: true, tls_versions: ['SSLv3'] };
      await stage.update(served, `pools/${served.poolId}`, { pool });
      expect((await ask(served)).status).toBe(503);
      expect((await stage.api.show(`/pools/${served.poolId}`, 'pool'))['provisioning_status']).toBe('ERROR');
    },
  },
  {
    proves: [
      ...(['POST listener.default_pool', 'POST listener.l7policies'] as const),
      ...(['POST pool.members', 'POST pool.healthmonitor', 'POST l7policy.rules'] as const),
    ],
    title: 'trees are made by the POST of a load balancer only',
    async run(stage) {
      const served = await stage.serve({});
      const { id } = served.loadBalancer;
      const listener = { loadbalancer_id: id, protocol: 'HTTP', protocol_port: 81 };
      const pool = { loadbalancer_id: id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' };
      const rules = [{ type: 'PATH', compare_type: 'EQUAL_TO', value: '/' }];
      const l7policy = { listener_id: served.listenerId, action: 'REJECT' };
      const bodies: [string, object][] = [
        ['/listeners', { listener: { ...listener, default_pool: { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' } } }],
        ['/listeners', { listener: { ...listener, l7policies: [{ action: 'REJECT', rules }] } }],
        ['/pools', { pool: { ...pool, members: [{ address: '127.0.0.1', protocol_port: 1 }] } }],
        ['/pools', { pool: { ...pool, healthmonitor: { type: 'TCP', delay: 1, timeout: 1, max_retries: 1 } } }],
        ['/l7policies', { l7policy: { ...l7policy, rules } }],
      ];
      for (const [path, body] of bodies) expect([path, (await refusal(stage, path, body))[0]]).toEqual([path, 400]);
    },
  },
  {
    proves: ['POST member.request_sriov', 'BATCH member.request_sriov'],
    title: 'SR-IOV ports of members are refused where the flavor does not allow them',
    async run(stage) {
      const served = await stage.serve({});
      const member = { address: '127.0.0.1', protocol_port: 1, request_sriov: true };
      const path = `/pools/${served.poolId}/members`;
      const text = 'The load balancer flavor does not allow SR-IOV member ports.';
      expect(await refusal(stage, path, { member })).toEqual([400, text]);
      const { status, body } = await stage.api.request('PUT', path, { members: [member] });
      expect([status, body.faultstring]).toEqual([400, text]);
    },
  },
  {
    proves: ['POST loadbalancer.vip_port_id'],
    title: 'a VIP port that is not there is refused',
    async run(stage) {
      const loadbalancer = { vip_port_id: ANY_ID };
      expect(await refusal(stage, '/loadbalancers', { loadbalancer })).toEqual([400, `Port ${ANY_ID} not found.`]);
    },
  },
];
