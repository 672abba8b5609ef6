import { type Dialogue, dial, greeting } from '../clients/stream';
import { ask, spread } from '../clients/web';
import type { Row } from '../row';

/** Addresses of many clients. */
const CLIENTS = Array.from({ length: 24 }, (_, index) => `127.0.20.${index + 1}`);

/** How pools choose, whom they serve, and how they speak to members. */
export const poolRows: readonly Row[] = [
  {
    proves: ['POST pool.protocol', 'POST pool.listener_id', 'POST pool.loadbalancer_id'],
    title: 'a pool serves the listener it was made for, and one made for a load balancer none of itself',
    async run(stage) {
      const [one, two] = [await stage.web('one'), await stage.web('two')];
      const served = await stage.serve({ pool: null });
      expect((await ask(served)).status).toBe(503);
      const poolWith = async (parent: object, { address, port }: typeof one) => {
        const fields = { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', ...parent };
        const { id } = await stage.create('pools', 'pool', fields);
        await stage.create(`pools/${id}/members`, 'member', { address, protocol_port: port });
        await stage.active(served.loadBalancer);
      };
      await poolWith({ loadbalancer_id: served.loadBalancer.id }, two);
      expect((await ask(served)).status).toBe(503);
      await poolWith({ listener_id: served.listenerId }, one);
      expect((await ask(served)).arrival().backend).toBe('one');
    },
  },
  {
    proves: ['POST pool.admin_state_up', 'PUT pool.admin_state_up'],
    title: 'a disabled pool serves nobody, until it is enabled',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ pool: { admin_state_up: false }, members: [{ backend: one }] });
      expect((await ask(served)).status).toBe(503);
      await stage.update(served, `pools/${served.poolId}`, { pool: { admin_state_up: true } });
      expect((await ask(served)).status).toBe(200);
      await stage.update(served, `pools/${served.poolId}`, { pool: { admin_state_up: false } });
      expect((await ask(served)).status).toBe(503);
    },
  },
  {
    proves: ['DELETE pool'],
    title: 'a deleted pool serves nobody',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ members: [{ backend: one }] });
      expect((await ask(served)).status).toBe(200);
      await stage.remove(served, `pools/${served.poolId}`);
      expect((await ask(served)).status).toBe(503);
    },
  },
  {
    proves: ['POST pool.lb_algorithm', 'pool.lb_algorithm=ROUND_ROBIN'],
    title: 'ROUND_ROBIN takes the members in turn',
    async run(stage) {
      const backends = [await stage.web('one'), await stage.web('two'), await stage.web('three')];
      const served = await stage.serve({ members: backends.map((backend) => ({ backend })) });
      expect(await spread(served, 12)).toEqual({ one: 4, two: 4, three: 4 });
    },
  },
  {
    proves: ['pool.lb_algorithm=LEAST_CONNECTIONS'],
    title: 'LEAST_CONNECTIONS takes the member with the fewest connections',
    async run(stage) {
      const backends = [await stage.stream('one'), await stage.stream('two')];
      const served = await stage.serve({
        listener: { protocol: 'TCP' },
        pool: { lb_algorithm: 'LEAST_CONNECTIONS' },
        members: backends.map((backend) => ({ backend })),
      });
      const open = async (): Promise<{ name: string; dialogue: Dialogue }> => {
        const dialogue = await dial(served);
        return { name: await dialogue.line(), dialogue };
      };
      const first = [await open(), await open(), await open(), await open()];
      expect(first.map(({ name }) => name).sort()).toEqual(['one', 'one', 'two', 'two']);
      for (const { dialogue } of first.filter(({ name }) => name === 'two')) {
        dialogue.close();
        await dialogue.ended;
      }
      const next = [await open(), await open()];
      expect(next.map(({ name }) => name)).toEqual(['two', 'two']);
      for (const { dialogue } of [...first, ...next]) dialogue.close();
    },
  },
  {
    proves: ['pool.lb_algorithm=SOURCE_IP', 'PUT pool.lb_algorithm'],
    title: 'SOURCE_IP takes the same member for the same client, until the algorithm is changed',
    async run(stage) {
      const backends = [await stage.web('one'), await stage.web('two')];
      const served = await stage.serve({
        pool: { lb_algorithm: 'SOURCE_IP' },
        members: backends.map((backend) => ({ backend })),
      });
      const chosen = new Set<string>();
      for (const from of CLIENTS) {
        const seen = Object.keys(await spread({ ...served, from }, 3));
        expect(seen).toHaveLength(1);
        chosen.add(seen.join());
      }
      expect([...chosen].sort()).toEqual(['one', 'two']);

      await stage.update(served, `pools/${served.poolId}`, { pool: { lb_algorithm: 'ROUND_ROBIN' } });
      expect(await spread({ ...served, from: CLIENTS[0] ?? '' }, 4)).toEqual({ one: 2, two: 2 });
    },
  },
  {
    proves: ['pool.lb_algorithm=SOURCE_IP_PORT'],
    title: 'SOURCE_IP_PORT takes the same member for the same address and port, others for other ports',
    async run(stage) {
      const backends = [await stage.stream('one'), await stage.stream('two')];
      const served = await stage.serve({
        listener: { protocol: 'TCP' },
        pool: { lb_algorithm: 'SOURCE_IP_PORT' },
        members: backends.map((backend) => ({ backend })),
      });
      const ports = Array.from({ length: 12 }, (_, index) => 21_000 + index);
      const walk = async () => {
        const seen: string[] = [];
        for (const fromPort of ports) seen.push(await greeting({ ...served, from: '127.0.21.1', fromPort }));
        return seen;
      };
      const first = await walk();
      expect([...new Set(first)].sort()).toEqual(['one', 'two']);
      expect(await walk()).toEqual(first);
    },
  },
  {
    proves: ['pool.protocol=PROXY'],
    title: "a PROXY pool tells members the client's address in version 1 of the protocol",
    async run(stage) {
      const one = await stage.stream('one', { readsProxy: true });
      const served = await stage.serve({
        listener: { protocol: 'TCP' },
        pool: { protocol: 'PROXY' },
        members: [{ backend: one }],
      });
      expect(await greeting({ ...served, from: '127.0.22.1', fromPort: 22_001 })).toBe('one');
      expect(one.arrivals.at(-1)?.proxy).toEqual({
        ...{ version: 1, command: 'PROXY', source: '127.0.22.1', sourcePort: 22_001 },
        ...{ destination: served.host, destinationPort: served.port },
      });
    },
  },
  {
    proves: ['pool.protocol=PROXYV2'],
    title: "a PROXYV2 pool tells members the client's address in version 2 of the protocol",
    async run(stage) {
      const one = await stage.stream('one', { readsProxy: true });
      const served = await stage.serve({
        listener: { protocol: 'TCP' },
        pool: { protocol: 'PROXYV2' },
        members: [{ backend: one }],
      });
      expect(await greeting({ ...served, from: '127.0.22.2', fromPort: 22_002 })).toBe('one');
      expect(one.arrivals.at(-1)?.proxy).toEqual({
        ...{ version: 2, command: 'PROXY', source: '127.0.22.2', sourcePort: 22_002 },
        ...{ destination: served.host, destinationPort: served.port },
      });
    },
  },
];
