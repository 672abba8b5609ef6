import { issue } from '../../support/certificates/issue';
import { dial, greeting } from '../clients/stream';
import { ask, shakeHands } from '../clients/web';
import { inTls } from '../keys';
import type { Row } from '../row';

/** Which listener serves whom: protocols, ports, parents, admin state, CIDRs. */
export const listenerRows: readonly Row[] = [
  {
    proves: ['POST listener.protocol', 'listener.protocol=HTTP', 'POST listener.protocol_port', 'pool.protocol=HTTP'],
    title: 'an HTTP listener understands requests, on its port',
    async run(stage) {
      const one = await stage.web('one');
      const { host } = await stage.serve({ listener: { protocol_port: 8123 }, members: [{ backend: one }] });

      const arrival = (await ask({ host, port: 8123, path: '/a?b=c', method: 'POST', body: 'd' })).arrival();
      expect(arrival).toMatchObject({ backend: 'one', url: '/a?b=c', method: 'POST', body: 'd' });
      const noise = await dial({ host, port: 8123 });
      noise.send('noise\r\n\r\n');
      expect(await noise.line()).toMatch(/^HTTP\/1\.[01] 400 /);
    },
  },
  {
    proves: ['listener.protocol=TCP', 'pool.protocol=TCP'],
    title: 'a TCP listener carries whatever is said, by whoever speaks first',
    async run(stage) {
      const one = await stage.stream('one');
      const served = await stage.serve({ listener: { protocol: 'TCP' }, members: [{ backend: one }] });

      const dialogue = await dial(served);
      expect(await dialogue.line()).toBe('one');
      dialogue.send('not HTTP at all\n');
      expect(await dialogue.line()).toBe('not HTTP at all');
      dialogue.close();
    },
  },
  {
    proves: ['listener.protocol=HTTPS', 'pool.protocol=HTTPS'],
    title: 'an HTTPS listener passes TLS through to the member, whose certificate the client sees',
    async run(stage) {
      const one = await stage.web('one', { tls: inTls(await issue({ cn: 'member.example' })) });
      const { host, port } = await stage.serve({ listener: { protocol: 'HTTPS' }, members: [{ backend: one }] });

      const tls = { servername: 'member.example' };
      expect((await shakeHands(host, port, tls)).certificate.subject.CN).toBe('member.example');
      const { backend, tls: seen } = (await ask({ host, port, tls })).arrival();
      expect([backend, seen?.serverName]).toEqual(['one', 'member.example']);
    },
  },
  {
    proves: ['POST listener.loadbalancer_id'],
    title: 'a listener answers on the VIP of its own load balancer only',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ members: [{ backend: one }] });
      const other = await stage.serve({ listener: { protocol_port: 8081 }, members: [{ backend: one }] });

      await expect(ask({ ...served, port: 8081 })).rejects.toThrow('ECONNREFUSED');
      expect((await ask(other)).status).toBe(200);
    },
  },
  {
    proves: ['POST listener.admin_state_up', 'PUT listener.admin_state_up'],
    title: 'a disabled listener does not listen, until it is enabled',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ listener: { admin_state_up: false }, members: [{ backend: one }] });
      await expect(ask(served)).rejects.toThrow('ECONNREFUSED');

      const path = `listeners/${served.listenerId}`;
      await stage.update(served, path, { listener: { admin_state_up: true } });
      expect((await ask(served)).status).toBe(200);
      await stage.update(served, path, { listener: { admin_state_up: false } });
      await expect(ask(served)).rejects.toThrow('ECONNREFUSED');
    },
  },
  {
    proves: ['DELETE listener'],
    title: 'a deleted listener does not listen, while its neighbour does',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ members: [{ backend: one }] });
      await stage.create('listeners', 'listener', {
        ...{ loadbalancer_id: served.loadBalancer.id, protocol: 'HTTP', protocol_port: 8081 },
        default_pool_id: served.poolId,
      });
      await stage.active(served.loadBalancer);
      await stage.remove(served, `listeners/${served.listenerId}`);

      await expect(ask(served)).rejects.toThrow('ECONNREFUSED');
      expect((await ask({ ...served, port: 8081 })).status).toBe(200);
    },
  },
  {
    proves: ['POST listener.default_pool_id', 'PUT listener.default_pool_id'],
    title: 'requests go to the default pool, another one after a change, and are turned away without one',
    async run(stage) {
      const [one, two] = [await stage.web('one'), await stage.web('two')];
      const served = await stage.serve({ members: [{ backend: one }] });
      const { id: otherPool } = await stage.create('pools', 'pool', {
        ...{ loadbalancer_id: served.loadBalancer.id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' },
      });
      const { address, port: protocol_port } = two;
      await stage.create(`pools/${otherPool}/members`, 'member', { address, protocol_port });
      await stage.create('listeners', 'listener', {
        ...{ loadbalancer_id: served.loadBalancer.id, protocol: 'HTTP', protocol_port: 8081 },
        default_pool_id: otherPool,
      });
      await stage.active(served.loadBalancer);
      expect((await ask({ ...served, port: 8081 })).arrival().backend).toBe('two');
      expect((await ask(served)).arrival().backend).toBe('one');

      const path = `listeners/${served.listenerId}`;
      await stage.update(served, path, { listener: { default_pool_id: otherPool } });
      expect((await ask(served)).arrival().backend).toBe('two');
      await stage.update(served, path, { listener: { default_pool_id: null } });
      expect((await ask(served)).status).toBe(503);
    },
  },
  {
    proves: ['POST listener.allowed_cidrs', 'PUT listener.allowed_cidrs'],
    title: 'only clients of the allowed CIDRs get through, and all once there are none',
    async run(stage) {
      const one = await stage.stream('one');
      const served = await stage.serve({
        listener: { protocol: 'TCP', allowed_cidrs: ['127.0.7.0/24', '127.0.8.1/32'] },
        members: [{ backend: one }],
      });
      const from = (client: string) => greeting({ ...served, from: client });
      expect([await from('127.0.7.9'), await from('127.0.8.1')]).toEqual(['one', 'one']);
      await expect(from('127.0.8.2')).rejects.toThrow();

      const path = `listeners/${served.listenerId}`;
      await stage.update(served, path, { listener: { allowed_cidrs: ['127.0.8.0/24'] } });
      expect(await from('127.0.8.2')).toBe('one');
      await expect(from('127.0.7.9')).rejects.toThrow();
      await stage.update(served, path, { listener: { allowed_cidrs: [] } });
      expect(await from('127.0.7.9')).toBe('one');
    },
  },
];
