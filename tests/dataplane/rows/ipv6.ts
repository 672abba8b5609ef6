import { freePorts } from '../../support/freePorts';
import { waitUntil } from '../../support/wait';
import { sendDatagram } from '../clients/datagram';
import { greeting } from '../clients/stream';
import { ask } from '../clients/web';
import { networkOf } from '../network';
import type { Row } from '../row';
import type { Stage } from '../stage';

/** `::1` is the only address of IPv6 that every host has: so these take it one after the other, on ports that are free. */
async function onIpv6(stage: Stage) {
  const network = networkOf(stage.api);
  const vip_subnet_id = await network.createSubnet('::/126');
  // The port of a load balancer goes a moment after it.
  await waitUntil('::1 is free', 10_000, async () => !(await network.isTaken('::1')));
  const [protocol_port = 0] = await freePorts(1);
  return { loadBalancer: { vip_subnet_id, vip_address: '::1' }, protocol_port };
}

/** The same over IPv6. */
export const ipv6Rows: readonly Row[] = [
  {
    proves: ['POST loadbalancer.vip_address', 'POST member.address', 'POST listener.insert_headers'],
    title: 'an IPv6 VIP carries requests to members of both kinds of addresses',
    async run(stage) {
      const { loadBalancer, protocol_port } = await onIpv6(stage);
      const [four, six] = [await stage.web('four'), await stage.web('six', { address: '::1' })];
      const served = await stage.serve({
        loadBalancer,
        listener: { protocol_port, insert_headers: { 'X-Real-IP': 'true' } },
        members: [{ backend: four }, { backend: six }],
        monitor: { type: 'TCP' },
      });
      const seen = [(await ask(served)).arrival(), (await ask(served)).arrival()];
      expect(seen.map(({ backend }) => backend).sort()).toEqual(['four', 'six']);
      for (const { headers } of seen) expect(headers['x-real-ip']).toBe('::1');
    },
  },
  {
    proves: ['POST listener.allowed_cidrs', 'PUT listener.allowed_cidrs', 'pool.protocol=PROXYV2'],
    title: 'CIDRs of IPv6 are kept to, and members are told of clients of IPv6',
    async run(stage) {
      const { loadBalancer, protocol_port } = await onIpv6(stage);
      const backend = await stage.stream('one', { readsProxy: true });
      const served = await stage.serve({
        loadBalancer,
        listener: { protocol: 'TCP', protocol_port, allowed_cidrs: ['fd00::/8'] },
        pool: { protocol: 'PROXYV2' },
        members: [{ backend }],
      });
      await expect(greeting(served)).rejects.toThrow();
      const body = { listener: { allowed_cidrs: ['::1/128'] } };
      await stage.update(served, `listeners/${served.listenerId}`, body);
      expect(await greeting(served)).toBe('one');
      const { source, destinationPort } = backend.arrivals.at(-1)?.proxy ?? {};
      expect([source, destinationPort]).toEqual(['0:0:0:0:0:0:0:1', protocol_port]);
    },
  },
  {
    proves: ['listener.protocol=UDP', 'POST loadbalancer.vip_address', 'POST member.address'],
    title: 'datagrams are carried over IPv6',
    async run(stage) {
      const { loadBalancer, protocol_port } = await onIpv6(stage);
      const backend = await stage.datagram('one', { address: '::1' });
      const served = await stage.serve({
        loadBalancer,
        listener: { protocol: 'UDP', protocol_port },
        members: [{ backend }],
      });
      expect(await sendDatagram(served, 'hello')).toBe('one: hello');
    },
  },
];
