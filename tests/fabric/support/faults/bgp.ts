import type { InsideEngine } from '../insideEngine';
import { type FaultCase, first, overwrite, type Scene, storedIn } from './case';

const VMI = 'virtual-machine-interface';
const SERVICE = 'bgp-as-a-service';
const ATTRIBUTES = 'bgpaas_session_attributes';

const portOf = ({ ports }: Scene): string => first(ports);
const serviceOf = (scene: Scene) =>
  first(scene.stage.site.cloud.contrail.contrail.store.referrers(portOf(scene), SERVICE));

/** With the reset the daemon sees at its next keepalive. */
async function cut(engine: InsideEngine, peers: readonly string[]): Promise<() => Promise<unknown>> {
  const hosts = peers.join(', ');
  const rule = `ip daddr { ${hosts} } tcp dport 179 reject with tcp reset`;
  await engine.machine(
    `ip netns exec ${engine.namespace} nft "add table inet cut; add chain inet cut out { type filter hook output priority 0; }; add rule inet cut out ${rule}"`,
  );
  return () => engine.machine(`ip netns exec ${engine.namespace} nft delete table inet cut`);
}

async function peersOf({ stage, engines, balanced }: Scene): Promise<string[]> {
  const rows: string[] = await stage.site
    .db('bgp_session')
    .where({ service_engine_id: first(engines).engineId })
    .orderBy('peer_address')
    .pluck('peer_address');
  if (rows.length === 0) throw new Error(`${balanced.id} has no sessions`);
  return rows.filter((address) => !address.includes(':'));
}

/** Sessions of BGP as a Service. */
export const BGP_CASES: readonly FaultCase[] = [
  {
    fault: 'bgpaas-without-port',
    title: 'nobody adds the new engine’s port to BGP as a Service',
    on: 'announced',
    async breaks(scene) {
      const { uuid } = serviceOf(scene);
      const link = (operation: 'ADD' | 'DELETE') => scene.hand.link(SERVICE, uuid, VMI, portOf(scene), operation);
      await link('DELETE');
      return () => link('ADD');
    },
  },
  {
    fault: 'bgp-router-missing',
    title: 'the schema transformer is stopped, and a port has no router',
    on: 'announced',
    async breaks(scene) {
      const { faults } = scene.stage.site.cloud.contrail.contrail;
      faults.transformerStopped = true;
      const router = first(storedIn(scene, VMI, portOf(scene)).refs['bgp-router'] ?? []).uuid;
      const link = (operation: 'ADD' | 'DELETE') =>
        scene.hand.link(VMI, portOf(scene), 'bgp-router', router, operation);
      await link('DELETE');
      return async () => {
        await link('ADD');
        faults.transformerStopped = false;
      };
    },
  },
  {
    fault: 'bgp-no-session-free',
    title: 'no session is free for a port',
    on: 'announced',
    async breaks(scene) {
      const system = first(scene.stage.site.cloud.contrail.contrail.store.list('global-system-config'));
      const bounds = { bgpaas_parameters: { port_start: 50_000, port_end: 50_000 } };
      const widen = await overwrite(scene, ['global-system-config', system.uuid], bounds);
      const router = first(storedIn(scene, VMI, portOf(scene)).refs['bgp-router'] ?? []).uuid;
      await scene.hand.link(VMI, portOf(scene), 'bgp-router', router, 'DELETE');
      return async () => {
        await scene.hand.link(VMI, portOf(scene), 'bgp-router', router, 'ADD');
        await widen();
      };
    },
  },
  {
    fault: 'bgp-password',
    title: 'a password is set on Contrail’s side alone',
    on: 'announced',
    shown: 'A password on one side alone',
    breaks(scene) {
      const { uuid, properties } = serviceOf(scene);
      const secret = { auth_data: { key_type: 'md5', key_items: [{ key_id: 0, key: 'not the same' }] } };
      return overwrite(scene, [SERVICE, uuid], { [ATTRIBUTES]: { ...(properties[ATTRIBUTES] as object), ...secret } });
    },
  },
  {
    fault: 'bgp-ibgp',
    title: 'the engines’ AS is made the control-nodes’ own',
    on: 'announced',
    breaks: (scene) => overwrite(scene, [SERVICE, serviceOf(scene).uuid], { autonomous_system: 64_512 }),
  },
  {
    fault: 'bgp-wrong-as',
    title: 'BGP as a Service expects another AS',
    on: 'announced',
    breaks: (scene) => overwrite(scene, [SERVICE, serviceOf(scene).uuid], { autonomous_system: 65_333 }),
  },
  {
    fault: 'bgpaas-admin-down',
    title: 'BGP as a Service is switched off',
    on: 'announced',
    breaks(scene) {
      const { uuid, properties } = serviceOf(scene);
      const down = { ...(properties[ATTRIBUTES] as object), admin_down: true };
      return overwrite(scene, [SERVICE, uuid], { [ATTRIBUTES]: down });
    },
  },
  {
    fault: 'bgp-half-down',
    title: 'one of two control-nodes is cut from an engine',
    on: 'announced',
    breaks: async (scene) => cut(first(scene.engines), (await peersOf(scene)).slice(0, 1)),
  },
  {
    fault: 'bgp-down',
    title: 'both control-nodes are cut from an engine',
    on: 'announced',
    breaks: async (scene) => cut(first(scene.engines), await peersOf(scene)),
  },
];
