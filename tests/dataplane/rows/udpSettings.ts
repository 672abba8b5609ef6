import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../../support/wait';
import { type Sending, sendDatagram } from '../clients/datagram';
import type { Row } from '../row';
import type { Served, Stage } from '../stage';

const IDLE = 300;
const UDP = { protocol: 'UDP', timeout_client_data: IDLE } as const;

/** The backend that answers one datagram. */
async function answering(sending: Sending): Promise<string> {
  return (await sendDatagram({ patience: 700, ...sending }, 'x'))?.split(':')[0] ?? 'nobody';
}

async function answers(served: Served, count: number): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  for (let turn = 0; turn < count; turn += 1) {
    const name = await answering(served);
    seen[name] = (seen[name] ?? 0) + 1;
  }
  return seen;
}

const twoOf = async (stage: Stage) =>
  [await stage.datagram('one'), await stage.datagram('two')].map((backend) => ({ backend }));

/** The settings that datagrams share with streams. */
export const udpSettingRows: readonly Row[] = [
  {
    proves: ['POST listener.allowed_cidrs', 'PUT listener.allowed_cidrs', 'listener.protocol=UDP'],
    title: 'only datagrams of the allowed CIDRs get through',
    async run(stage) {
      const listener = { ...UDP, allowed_cidrs: ['127.0.52.0/24'] };
      const served = await stage.serve({ listener, members: await twoOf(stage) });
      expect(await answering({ ...served, from: '127.0.53.1' })).toBe('nobody');
      expect(await answering({ ...served, from: '127.0.52.1' })).not.toBe('nobody');
      await stage.update(served, `listeners/${served.listenerId}`, { listener: { allowed_cidrs: null } });
      expect(await answering({ ...served, from: '127.0.53.1' })).not.toBe('nobody');
    },
  },
  {
    proves: ['POST listener.admin_state_up', 'PUT listener.admin_state_up', 'PUT pool.admin_state_up'],
    title: 'a disabled listener or pool of datagrams answers nobody',
    async run(stage) {
      const listener = { ...UDP, admin_state_up: false };
      const served = await stage.serve({ listener, members: await twoOf(stage) });
      expect(await answering(served)).toBe('nobody');
      const change = (path: string, body: object) => stage.update(served, path, { ...body });
      await change(`listeners/${served.listenerId}`, { listener: { admin_state_up: true } });
      expect(await answering(served)).not.toBe('nobody');
      await change(`pools/${served.poolId}`, { pool: { admin_state_up: false } });
      expect(await answering(served)).toBe('nobody');
    },
  },
  {
    proves: [
      ...(['POST member.weight', 'PUT member.weight', 'PUT member.admin_state_up'] as const),
      ...(['POST member.backup', 'PUT member.backup', 'DELETE member'] as const),
    ],
    title: 'members of datagrams follow weight, backup and admin state',
    async run(stage) {
      const [one, two] = [await stage.datagram('one'), await stage.datagram('two')];
      const served = await stage.serve({
        listener: UDP,
        members: [
          { backend: one, weight: 3 },
          { backend: two, backup: true },
        ],
      });
      const pathOf = (index: number) => `pools/${served.poolId}/members/${served.memberIds[index]}`;
      expect(await answers(served, 4)).toEqual({ one: 4 });
      await stage.update(served, pathOf(1), { member: { backup: false } });
      expect(await answers(served, 8)).toEqual({ one: 6, two: 2 });
      await stage.update(served, pathOf(0), { member: { weight: 1 } });
      expect(await answers(served, 8)).toEqual({ one: 4, two: 4 });
      await stage.update(served, pathOf(0), { member: { admin_state_up: false } });
      expect(await answers(served, 4)).toEqual({ two: 4 });
      await stage.update(served, pathOf(0), { member: { admin_state_up: true } });
      await stage.remove(served, pathOf(1));
      expect(await answers(served, 4)).toEqual({ one: 4 });
    },
    timeout: 40_000,
  },
  {
    proves: ['pool.lb_algorithm=SOURCE_IP', 'pool.lb_algorithm=SOURCE_IP_PORT', 'PUT pool.lb_algorithm'],
    title: 'datagrams are spread by source address, or by address and port',
    async run(stage) {
      const pool = { lb_algorithm: 'SOURCE_IP' } as const;
      const served = await stage.serve({ listener: UDP, pool, members: await twoOf(stage) });
      const ports = Array.from({ length: 10 }, (_, index) => 23_000 + index);
      const byPort = async (from: string) => {
        const seen: string[] = [];
        for (const fromPort of ports) seen.push(await answering({ ...served, from, fromPort }));
        return seen;
      };
      const clients = Array.from({ length: 10 }, (_, index) => `127.0.54.${index + 1}`);
      expect(new Set(await byPort('127.0.54.1')).size).toBe(1);
      const seen = new Set<string>();
      for (const from of clients) seen.add(await answering({ ...served, from }));
      expect(seen.size).toBe(2);
      await stage.update(served, `pools/${served.poolId}`, { pool: { lb_algorithm: 'SOURCE_IP_PORT' } });
      const first = await byPort('127.0.54.1');
      expect(new Set(first).size).toBe(2);
      expect(await byPort('127.0.54.1')).toEqual(first);
    },
  },
  {
    proves: ['POST listener.timeout_client_data', 'PUT listener.timeout_client_data'],
    title: 'a session of datagrams ends after the client timeout, and is balanced anew',
    async run(stage) {
      const served = await stage.serve({ listener: UDP, members: await twoOf(stage) });
      const askTwice = async (fromPort: number) => {
        const first = await answering({ ...served, fromPort });
        // Nothing shows the end of a session but that it is over.
        await sleep(4 * IDLE);
        return [first, await answering({ ...served, fromPort })];
      };
      expect((await askTwice(23_100)).sort()).toEqual(['one', 'two']);
      const body = { listener: { timeout_client_data: 30_000 } };
      await stage.update(served, `listeners/${served.listenerId}`, body);
      expect(new Set(await askTwice(23_101)).size).toBe(1);
    },
  },
  {
    proves: ['POST loadbalancer.admin_state_up', 'DELETE listener'],
    title: 'datagrams are answered no more when the listener is deleted',
    async run(stage) {
      const served = await stage.serve({ listener: UDP, members: await twoOf(stage) });
      expect(await answering(served)).not.toBe('nobody');
      const body = { loadbalancer: { admin_state_up: false } };
      await stage.update(served, `loadbalancers/${served.loadBalancer.id}`, body);
      expect(await answering(served)).toBe('nobody');
      await stage.update(served, `loadbalancers/${served.loadBalancer.id}`, {
        loadbalancer: { admin_state_up: true },
      });
      await waitUntil('it answers', 5000, async () => (await answering(served)) !== 'nobody');
      await stage.remove(served, `listeners/${served.listenerId}`);
      expect(await answering(served)).toBe('nobody');
    },
  },
];
