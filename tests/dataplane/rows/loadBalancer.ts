import { freePorts } from '../../support/freePorts';
import { waitUntil } from '../../support/wait';
import { ask } from '../clients/web';
import { networkOf } from '../network';
import type { Row } from '../row';

/** Where a load balancer answers, and whether. */
export const loadBalancerRows: readonly Row[] = [
  {
    proves: ['POST loadbalancer.vip_subnet_id', 'POST loadbalancer.vip_address'],
    title: 'it answers at an address of the subnet, or at the one that is asked for',
    async run(stage) {
      const one = await stage.web('one');
      const anywhere = await stage.serve({ members: [{ backend: one }] });
      expect(anywhere.host).toMatch(/^127\.114\.0\.\d+$/);
      expect((await ask(anywhere)).status).toBe(200);
      const wanted = await stage.serve({
        loadBalancer: { vip_address: '127.114.0.200' },
        members: [{ backend: one }],
      });
      expect((await ask({ ...wanted, host: '127.114.0.200' })).status).toBe(200);
    },
  },
  {
    proves: ['POST loadbalancer.vip_network_id'],
    title: 'it answers at an address of the network',
    async run(stage) {
      const one = await stage.web('one');
      const vip_network_id = await networkOf(stage.api).localNetworkId();
      const served = await stage.serve({
        loadBalancer: { vip_subnet_id: null, vip_network_id },
        members: [{ backend: one }],
      });
      expect((await ask(served)).status).toBe(200);
    },
  },
  {
    proves: ['POST loadbalancer.vip_port_id'],
    title: "it answers at a port's address",
    async run(stage) {
      const one = await stage.web('one');
      const port = await networkOf(stage.api).createPort({ ip_address: '127.114.0.201' });
      stage.later(() => networkOf(stage.api).deletePort(port));
      const served = await stage.serve({
        loadBalancer: { vip_subnet_id: null, vip_port_id: port },
        members: [{ backend: one }],
      });
      expect((await ask({ ...served, host: '127.114.0.201' })).status).toBe(200);
    },
  },
  {
    proves: [
      'POST loadbalancer.additional_vips',
      'GRAPH loadbalancer.additional_vips',
      'POST additional_vip.subnet_id',
      'POST additional_vip.ip_address',
    ],
    title: 'it answers at its additional VIPs too, of both kinds of addresses',
    async run(stage) {
      const one = await stage.web('one');
      const network = networkOf(stage.api);
      const four = await network.createSubnet('127.115.0.0/24');
      const six = await network.createSubnet('::/126');
      const [port = 0] = await freePorts(1);
      const served = await stage.serve({
        loadBalancer: {
          additional_vips: [
            { subnet_id: four, ip_address: '127.115.0.9' },
            { subnet_id: six, ip_address: '::1' },
          ],
        },
        listener: { protocol_port: port },
        members: [{ backend: one }],
      });
      for (const host of [served.host, '127.115.0.9', '::1']) {
        expect((await ask({ host, port })).arrival().backend).toBe('one');
      }
    },
  },
  {
    proves: ['POST loadbalancer.admin_state_up', 'PUT loadbalancer.admin_state_up'],
    title: 'a disabled load balancer answers nobody, until it is enabled',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ loadBalancer: { admin_state_up: false }, members: [{ backend: one }] });
      await expect(ask(served)).rejects.toThrow('ECONNREFUSED');
      const path = `loadbalancers/${served.loadBalancer.id}`;
      await stage.update(served, path, { loadbalancer: { admin_state_up: true } });
      expect((await ask(served)).status).toBe(200);
      await stage.update(served, path, { loadbalancer: { admin_state_up: false } });
      await expect(ask(served)).rejects.toThrow('ECONNREFUSED');
    },
  },
  {
    proves: ['DELETE loadbalancer', 'DELETE loadbalancer?cascade'],
    title: 'a load balancer with children goes by cascade only, and then answers nobody',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ members: [{ backend: one }] });
      const path = `/loadbalancers/${served.loadBalancer.id}`;
      expect((await stage.api.request('DELETE', path)).status).toBe(400);
      expect((await ask(served)).status).toBe(200);
      expect((await stage.api.request('DELETE', `${path}?cascade=true`)).status).toBe(204);
      await waitUntil('it is gone', 10_000, async () => (await stage.api.request('GET', path)).status === 404);
      await expect(ask(served)).rejects.toThrow('ECONNREFUSED');

      const bare = await stage.serve({ pool: null });
      expect((await ask(bare)).status).toBe(503);
      await stage.remove(bare, `listeners/${bare.listenerId}`);
      await waitUntil('it is free', 10_000, async () => {
        return (await stage.api.request('DELETE', `/loadbalancers/${bare.loadBalancer.id}`)).status === 204;
      });
      await expect(ask(bare)).rejects.toThrow('ECONNREFUSED');
    },
  },
];
