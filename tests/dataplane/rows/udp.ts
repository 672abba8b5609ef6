import { waitUntil } from '../../support/wait';
import { sendDatagram } from '../clients/datagram';
import type { Row } from '../row';
import type { Served, Stage } from '../stage';

/** Milliseconds of silence that end a session, so that the next datagram is balanced anew. */
const IDLE = 300;
const UDP = { protocol: 'UDP', timeout_client_data: IDLE } as const;
const PERSISTENT = { type: 'SOURCE_IP', persistence_timeout: 60 } as const;

async function twoMembers(stage: Stage) {
  return [await stage.datagram('one'), await stage.datagram('two')].map((backend) => ({ backend }));
}

/** The backend that answers one datagram, from a port of its own unless said. */
async function answering(served: Served, from?: string): Promise<string> {
  const answer = await sendDatagram({ ...served, ...(from !== undefined && { from }) }, 'x');
  return answer?.split(':')[0] ?? 'nobody';
}

/** The backends that answer each of the clients; each client asks twice, and is answered by the same one. */
async function chosenBy(served: Served, clients: readonly string[]): Promise<string[]> {
  const chosen: string[] = [];
  for (const from of clients) {
    const first = await answering(served, from);
    expect(await answering(served, from)).toBe(first);
    chosen.push(first);
  }
  return chosen;
}

/** Clients of one network of the mask 255.255.255.0, and clients of as many networks. */
const NEIGHBOURS = Array.from({ length: 12 }, (_, index) => `127.0.50.${index + 1}`);
const STRANGERS = Array.from({ length: 12 }, (_, index) => `127.0.${60 + index}.1`);

/** Listeners and pools of datagrams. */
export const udpRows: readonly Row[] = [
  {
    proves: ['listener.protocol=UDP', 'pool.protocol=UDP'],
    title: 'a UDP listener carries datagrams to members in turn, and their answers back',
    async run(stage) {
      const served = await stage.serve({ listener: UDP, members: await twoMembers(stage) });
      expect(await sendDatagram(served, 'hello')).toMatch(/^(?:one|two): hello$/);
      const seen: string[] = [];
      for (let turn = 0; turn < 8; turn += 1) seen.push(await answering(served));
      expect(seen.filter((name) => name === 'one')).toHaveLength(4);
      expect(seen.filter((name) => name === 'two')).toHaveLength(4);
    },
  },
  {
    proves: [
      'POST session_persistence.persistence_timeout',
      'PUT session_persistence.persistence_timeout',
      'session_persistence.type=SOURCE_IP',
    ],
    title: 'a client of UDP stays at its member for the persistence timeout at least, over the end of its sessions',
    async run(stage) {
      const served = await stage.serve({
        listener: UDP,
        pool: { session_persistence: { type: 'SOURCE_IP', persistence_timeout: 2 } },
        members: await twoMembers(stage),
      });
      const stays = async (seconds: number) => {
        const first = await answering(served, '127.0.51.1');
        const until = Date.now() + seconds * 1000;
        let last = 0;
        await waitUntil(`${seconds} s are over`, seconds * 1000 + 5000, async () => {
          // Each time after a silence that ends sessions.
          if (Date.now() - last < 2 * IDLE) return false;
          last = Date.now();
          expect(await answering(served, '127.0.51.1')).toBe(first);
          return Date.now() > until;
        });
      };
      await stays(2);
      const session_persistence = { persistence_timeout: 3 };
      await stage.update(served, `pools/${served.poolId}`, { pool: { session_persistence } });
      await stays(3);
    },
    timeout: 40_000,
  },
  {
    proves: ['POST session_persistence.persistence_granularity', 'PUT session_persistence.persistence_granularity'],
    title: 'clients of one network by the granularity share a member, those of others need not',
    async run(stage) {
      const served = await stage.serve({
        listener: UDP,
        pool: { session_persistence: { ...PERSISTENT, persistence_granularity: '255.255.255.0' } },
        members: await twoMembers(stage),
      });
      expect(new Set(await chosenBy(served, NEIGHBOURS)).size).toBe(1);
      expect(new Set(await chosenBy(served, STRANGERS)).size).toBe(2);
      const session_persistence = { ...PERSISTENT, persistence_granularity: '255.255.255.255' };
      await stage.update(served, `pools/${served.poolId}`, { pool: { session_persistence } });
      expect(new Set(await chosenBy(served, NEIGHBOURS)).size).toBe(2);
    },
    timeout: 40_000,
  },
  {
    proves: ['healthmonitor.type=UDP-CONNECT'],
    title: 'a UDP-CONNECT monitor takes members out whose port is closed',
    async run(stage) {
      const [one, two] = [await stage.datagram('one'), await stage.datagram('two')];
      const served = await stage.serve({
        listener: UDP,
        members: [{ backend: one }, { backend: two }],
        monitor: { type: 'UDP-CONNECT', delay: 3 },
      });
      const seen = async () => new Set([await answering(served), await answering(served), await answering(served)]);
      await waitUntil('both serve', 15_000, async () => (await seen()).size === 2);
      await one.stop();
      await waitUntil('only two serves', 20_000, async () => [...(await seen())].join() === 'two');
      await one.restart();
      await waitUntil('both serve again', 20_000, async () => {
        const names = await seen();
        return names.has('one') && names.has('two');
      });
    },
    timeout: 70_000,
  },
  {
    proves: ['healthmonitor.type=HTTP', 'POST member.monitor_port'],
    title: 'members of a UDP pool may be checked over HTTP at another port',
    async run(stage) {
      const [one, two] = [await stage.datagram('one'), await stage.datagram('two')];
      const statuses = new Map<string, number>();
      const [web, well] = [await stage.web('web', { statuses }), await stage.web('well')];
      const served = await stage.serve({
        listener: UDP,
        members: [
          { backend: one, monitor_port: web.port },
          { backend: two, monitor_port: well.port },
        ],
        monitor: { type: 'HTTP', url_path: '/check' },
      });
      const seen = async () => new Set([await answering(served), await answering(served), await answering(served)]);
      await waitUntil('both serve', 15_000, async () => (await seen()).size === 2);
      statuses.set('/check', 500);
      await waitUntil('only two serves', 15_000, async () => [...(await seen())].join() === 'two');
    },
    timeout: 40_000,
  },
];
