import { type FaultCase, first, type Scene, traced } from './case';

const engineOf = ({ engines }: Scene) => first(engines);
const GATEWAY = '10.10.0.1';

/** The interface in the VIP's network, in the namespace. */
async function deviceOf(scene: Scene): Promise<string> {
  const shown = await engineOf(scene).ip('-o', '-4', 'address', 'show');
  const line = shown.split('\n').find((it) => it.includes(`inet ${scene.balanced.vip}/`));
  const [, device] = /^\d+: (\S+)/.exec(line ?? '') ?? [];
  if (device === undefined) throw new Error(`${scene.balanced.vip} is nowhere:\n${shown}`);
  return device;
}

/** In a machine's numbers. */
async function haproxyOf({ stage, balanced, engines }: Scene): Promise<string> {
  const { lines } = await traced(stage, balanced);
  const line = lines.find(({ text }) => text.includes('haproxy') && text.includes(`engine ${first(engines).name}:`));
  const [, pid] = /pid (\d+)/.exec(line?.text ?? '') ?? [];
  if (pid === undefined) throw new Error(`no haproxy in ${line?.text}`);
  return pid;
}

/**
 * What goes wrong on an engine, and between it and its host. All on a VIP without BGP: sessions that are cut silently come
 * back once the control-node has missed the engine for its hold time, for which nobody is to wait.
 */
export const ENGINE_CASES: readonly FaultCase[] = [
  {
    fault: 'vnic-missing',
    title: 'an engine loses its vNIC',
    on: 'paired',
    shown: 'An engine lost its vNIC',
    async breaks(scene) {
      const { fabric, hypervisor, db } = scene.stage.site;
      const port = first(scene.ports);
      const row = await db('se_vnic as v')
        .join('service_engine as e', 'e.id', 'v.service_engine_id')
        .where('v.port_id', port)
        .first('e.compute_id');
      fabric.unplug(port);
      return async () => fabric.plug(port, { namespace: hypervisor.machineOf(row.compute_id) ?? '' });
    },
  },
  {
    fault: 'vip-address-missing',
    title: 'the VIP is removed from its interface',
    on: 'paired',
    breaks: async (scene) =>
      engineOf(scene).hold(`ip address del ${scene.balanced.vip}/32 dev ${await deviceOf(scene)}`),
  },
  {
    fault: 'default-route-missing',
    title: 'the default route is removed',
    on: 'paired',
    breaks: (scene) => engineOf(scene).hold('ip -4 route del default'),
  },
  {
    fault: 'stray-route',
    title: 'a static route leads a member astray',
    on: 'paired',
    async breaks(scene) {
      const route = `${first(scene.members).address}/32 via ${GATEWAY}`;
      await engineOf(scene).ip('route', 'add', route);
      return () => engineOf(scene).ip('route', 'del', route);
    },
  },
  {
    fault: 'gateway-silent',
    title: 'the gateway answers no ARP',
    on: 'paired',
    breaks: async (scene) =>
      engineOf(scene).hold(`ip neigh replace ${GATEWAY} dev ${await deviceOf(scene)} nud failed`),
  },
  {
    fault: 'reverse-path-filter',
    title: 'strict reverse path filtering is switched on',
    on: 'paired',
    async breaks(scene) {
      const write = (value: number) => engineOf(scene).sh(`echo ${value} > /proc/sys/net/ipv4/conf/all/rp_filter`);
      await write(1);
      return () => write(0);
    },
  },
  {
    fault: 'mtu-mismatch',
    title: 'the MTU of an interface is changed',
    on: 'paired',
    breaks: async (scene) => engineOf(scene).hold(`ip link set ${await deviceOf(scene)} mtu 1300`),
  },
  {
    fault: 'interface-down',
    title: 'an interface is set down',
    on: 'paired',
    breaks: async (scene) => engineOf(scene).hold(`ip link set ${await deviceOf(scene)} down`),
  },
  {
    fault: 'haproxy-hung',
    title: 'haproxy hangs',
    on: 'paired',
    async breaks(scene) {
      const pid = await haproxyOf(scene);
      await engineOf(scene).machine(`kill -STOP ${pid}`);
      return () => engineOf(scene).machine(`kill -CONT ${pid}`);
    },
  },
  {
    fault: 'port-unbound',
    title: 'the port loses its host',
    on: 'paired',
    async breaks(scene) {
      const { neutron, portOf } = scene.stage.site.cloud;
      const port = first(scene.ports);
      const { store } = scene.stage.site.cloud.contrail.contrail;
      const bindings = JSON.stringify(
        store.get('virtual-machine-interface', port)?.properties['virtual_machine_interface_bindings'],
      );
      const [, host] = /"host_id","value":"([^"]+)"/.exec(bindings) ?? [];
      if (!portOf(port) || host === undefined) throw new Error(`port ${port} has no host: ${bindings}`);
      const write = (to: string) => neutron('PUT', `/ports/${port}`, { port: { 'binding:host_id': to } });
      await write('');
      return () => write(host);
    },
  },
  {
    fault: 'engine-not-connected',
    title: 'an agent hangs',
    on: 'paired',
    async breaks(scene) {
      const signal = (name: string) => engineOf(scene).machine(`kill -${name} $(cat /proc/1/task/1/children)`);
      await signal('STOP');
      return () => signal('CONT');
    },
  },
];
