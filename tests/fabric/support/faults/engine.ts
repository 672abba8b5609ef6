import { type FaultCase, first, type Scene } from './case';

const engineOf = ({ engines }: Scene) => first(engines);

/** The interface in the VIP's network, in the namespace. */
async function deviceOf(scene: Scene): Promise<string> {
  const shown = await engineOf(scene).ip('-o', '-4', 'address', 'show');
  const line = shown.split('\n').find((it) => it.includes(`inet ${scene.balanced.vip}/`));
  const [, device] = /^\d+: (\S+)/.exec(line ?? '') ?? [];
  if (device === undefined) throw new Error(`${scene.balanced.vip} is nowhere:\n${shown}`);
  return device;
}

/** What goes wrong on an engine, and between it and its host. */
export const ENGINE_CASES: readonly FaultCase[] = [
  {
    fault: 'vnic-missing',
    title: 'an engine loses its vNIC',
    on: 'paired',
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
];
