import { randomUUID } from 'node:crypto';
import { type VncHand, vncHand } from '../../support/vncHand';
import { countEvents, wiredPorts } from './mending';
import type { Balanced, Stage } from './stage';

export const VMI = 'virtual-machine-interface';
export const PAIRS = 'virtual_machine_interface_allowed_address_pairs';
const FIXED = 'floating_ip_fixed_ip_address';

/** Load balancers of which what is wired drifts. */
export interface DriftStage {
  readonly stage: Stage;
  readonly hand: VncHand;
  /** By address pairs and a floating IP of its flavor. */
  readonly paired: Balanced;
  /** By BGP. */
  readonly announced: Balanced;
}

/** Something that somebody does to what is ours. */
export interface DriftCase {
  readonly title: string;
  readonly on: 'paired' | 'announced';
  /** The event of it. */
  readonly told: 'WIRING_DRIFTED' | 'WIRING_DISPUTED' | 'WIRING_LEFTOVER_DELETED';
  breaks(): Promise<unknown>;
  isRight(): boolean | Promise<boolean>;
}

export function driftsOf(scene: DriftStage): readonly DriftCase[] {
  return [...pairDrifts(scene), ...floatingDrifts(scene), ...checkDrifts(scene), ...bgpDrifts(scene), ...others(scene)];
}

const storeOf = ({ stage }: DriftStage) => stage.site.cloud.contrail.contrail.store;

/** What an object leads to. */
function refs(scene: DriftStage, [type, id]: readonly [string, string], to: string): string[] {
  return (storeOf(scene).get(type, id)?.refs[to] ?? []).map(({ uuid }) => uuid).sort();
}

async function firstPort({ stage, paired }: DriftStage): Promise<string> {
  return (await wiredPorts(stage, paired))[0] ?? '';
}

/** Pairs of the VIP, on all engines, are as wanted. */
export async function isPaired({ stage }: Pick<DriftStage, 'stage'>, balanced: Balanced): Promise<boolean> {
  const { store } = stage.site.cloud.contrail.contrail;
  const ports = await wiredPorts(stage, balanced);
  return ports.every((port) => {
    const pairs = JSON.stringify(store.get(VMI, port)?.properties[PAIRS] ?? '');
    return pairs.includes(`"ip_prefix":"${balanced.vip}"`) && !pairs.includes('active-standby');
  });
}

function pairDrifts(scene: DriftStage): DriftCase[] {
  const { stage, hand, paired } = scene;
  const common = { on: 'paired', told: 'WIRING_DRIFTED', isRight: () => isPaired(scene, paired) } as const;
  return [
    {
      ...{ ...common, title: 'address pairs removed from all engines' },
      async breaks() {
        const ports = await wiredPorts(stage, paired);
        await Promise.all(ports.map((port) => hand.put(VMI, port, { [PAIRS]: { allowed_address_pair: [] } })));
      },
    },
    {
      ...{ ...common, title: 'address pairs reset to active-standby by Neutron' },
      breaks: async () =>
        stage.site.cloud.neutron('PUT', `/ports/${await firstPort(scene)}`, {
          port: { allowed_address_pairs: [{ ip_address: paired.vip }] },
        }),
    },
  ];
}

function floatingDrifts(scene: DriftStage): DriftCase[] {
  const { stage, hand, paired } = scene;
  const id = (): string => storeOf(scene).list('floating-ip')[0]?.uuid ?? '';
  const isWhole = async (): Promise<boolean> => {
    const ports = await wiredPorts(stage, paired);
    const leadsTo = refs(scene, ['floating-ip', id()], VMI);
    const fixed = storeOf(scene).get('floating-ip', id())?.properties[FIXED];
    return ports.every((port) => leadsTo.includes(port)) && leadsTo.length > ports.length && fixed === paired.vip;
  };
  const common = { on: 'paired', told: 'WIRING_DRIFTED', isRight: isWhole } as const;
  return [
    {
      ...{ ...common, title: 'floating IP led to the VIP’s port alone by its tenant' },
      async breaks() {
        const ports = await wiredPorts(stage, paired);
        const [vipPort] = refs(scene, ['floating-ip', id()], VMI).filter((port) => !ports.includes(port));
        await stage.site.cloud.neutron('PUT', `/floatingips/${id()}`, { floatingip: { port_id: vipPort } });
      },
    },
    {
      ...{ ...common, title: 'floating IP emptied by its tenant' },
      breaks: () => stage.site.cloud.neutron('PUT', `/floatingips/${id()}`, { floatingip: { port_id: null } }),
    },
    {
      ...{ ...common, title: 'fixed address of the floating IP cleared' },
      breaks: () => hand.put('floating-ip', id(), { [FIXED]: null }),
    },
  ];
}

function checkDrifts(scene: DriftStage): DriftCase[] {
  const { stage, hand, paired } = scene;
  const check = (): string => storeOf(scene).list('service-health-check')[0]?.uuid ?? '';
  const unlink = (port: string) => hand.link(VMI, port, 'service-health-check', check(), 'DELETE');
  const isChecked = async (): Promise<boolean> => {
    const ports = await wiredPorts(stage, paired);
    return check() !== '' && ports.every((port) => refs(scene, [VMI, port], 'service-health-check').join() === check());
  };
  const common = { on: 'paired', told: 'WIRING_DRIFTED', isRight: isChecked } as const;
  return [
    { ...common, title: 'health check taken off a port', breaks: async () => unlink(await firstPort(scene)) },
    {
      ...{ ...common, title: 'health check deleted' },
      async breaks() {
        await Promise.all(
          storeOf(scene)
            .referrers(check(), VMI)
            .map(({ uuid }) => unlink(uuid)),
        );
        await hand.remove('service-health-check', check());
      },
    },
  ];
}

function bgpDrifts(scene: DriftStage): DriftCase[] {
  const { stage, hand, announced } = scene;
  const service = (): string => storeOf(scene).list('bgp-as-a-service')[0]?.uuid ?? '';
  const first = async (): Promise<string> => (await wiredPorts(stage, announced))[0] ?? '';
  const isJoined = async (): Promise<boolean> => {
    const ports = await wiredPorts(stage, announced);
    const members = refs(scene, ['bgp-as-a-service', service()], VMI);
    return ports.every((port) => members.includes(port) && refs(scene, [VMI, port], 'bgp-router').length === 1);
  };
  const common = { on: 'announced', told: 'WIRING_DRIFTED', isRight: isJoined } as const;
  return [
    {
      ...{ ...common, title: 'an engine taken out of BGP as a Service' },
      breaks: async () => hand.link('bgp-as-a-service', service(), VMI, await first(), 'DELETE'),
    },
    {
      ...{ ...common, title: 'router of an engine’s BGP session deleted' },
      async breaks() {
        const port = await first();
        const [router = ''] = refs(scene, [VMI, port], 'bgp-router');
        await hand.link(VMI, port, 'bgp-router', router, 'DELETE');
        await hand.link('bgp-as-a-service', service(), 'bgp-router', router, 'DELETE');
        await hand.remove('bgp-router', router);
      },
    },
    { ...common, title: 'BGP as a Service deleted', breaks: () => hand.remove('bgp-as-a-service', service()) },
  ];
}

function others(scene: DriftStage): DriftCase[] {
  return [detached(scene), renamed(scene), rival(scene), leftover(scene), portDeleted(scene)];
}

function detached(scene: DriftStage): DriftCase {
  const { nova } = scene.stage.site.cloud.nova;
  let port = '';
  return {
    ...{ title: 'vNIC of an engine detached', on: 'paired', told: 'WIRING_DRIFTED' },
    async breaks() {
      port = await firstPort(scene);
      const [server = ''] = refs(scene, [VMI, port], 'virtual-machine');
      await nova.model.detach(server, port);
    },
    isRight: () => refs(scene, [VMI, port], 'virtual-machine').length === 1,
  };
}

function renamed(scene: DriftStage): DriftCase {
  const { stage, hand } = scene;
  const check = () => storeOf(scene).list('service-health-check')[0];
  const shown = (type: string, id: string): unknown => storeOf(scene).get(type, id)?.properties['display_name'];
  return {
    ...{ title: 'objects renamed and shared away', on: 'paired', told: 'WIRING_DRIFTED' },
    async breaks() {
      const perms2 = { owner: 'x', owner_access: 7, global_access: 5, share: [] };
      await hand.put('service-health-check', check()?.uuid ?? '', { display_name: 'mine', perms2 });
      await stage.site.cloud.neutron('PUT', `/ports/${await firstPort(scene)}`, { port: { name: 'mine too' } });
    },
    async isRight() {
      const { uuid = '', name } = check() ?? {};
      const all = stage.site.cloud.contrail.contrail.faults.snapshot().entities;
      const access = all.find((it) => it.uuid === uuid)?.perms2['global_access'];
      const isNamed = shown('service-health-check', uuid) === name && shown(VMI, await firstPort(scene)) !== 'mine too';
      return isNamed && access === 0;
    },
  };
}

/** Right is that it is told of: it is not ours. */
function rival({ stage, hand, paired }: DriftStage): DriftCase {
  const { cloud } = stage.site;
  let port = '';
  return {
    ...{ title: 'address of the VIP on somebody else’s port', on: 'paired', told: 'WIRING_DISPUTED' },
    async breaks() {
      port = (await cloud.addPort(stage.front.id, 'compute-1')).id;
      const pair = { ip: { ip_prefix: paired.vip, ip_prefix_len: 32 }, mac: '', address_mode: 'active-standby' };
      await hand.put(VMI, port, { [PAIRS]: { allowed_address_pair: [pair] } });
    },
    async isRight() {
      if ((await countEvents(stage, 'WIRING_DISPUTED', port)) === 0) return false;
      await cloud.neutron('DELETE', `/ports/${port}`);
      return true;
    },
  };
}

function leftover(scene: DriftStage): DriftCase {
  const { stage, hand } = scene;
  const id = randomUUID();
  return {
    ...{ title: 'BGP as a Service of ours that nobody has', on: 'paired', told: 'WIRING_LEFTOVER_DELETED' },
    async breaks() {
      const own = storeOf(scene).list('bgp-as-a-service')[0];
      const { fqName = [] } = own ?? {};
      await hand.make('bgp-as-a-service', {
        ...{ uuid: id, parent_type: 'project', fq_name: [...fqName.slice(0, -1), `slipstream-bgp-${id}`] },
        ...{ autonomous_system: 65100, annotations: own?.properties['annotations'] },
      });
    },
    async isRight() {
      const isGone = storeOf(scene).get('bgp-as-a-service', id) === undefined;
      return isGone && (await countEvents(stage, 'WIRING_LEFTOVER_DELETED', id)) === 1;
    },
  };
}

/** Which empties the floating IP for all engines, before it fails: a BGP service still holds the port. */
function portDeleted(scene: DriftStage): DriftCase {
  const { stage, paired } = scene;
  const [inherited] = floatingDrifts(scene);
  let port = '';
  return {
    ...{ title: 'port of an engine deleted, and the floating IP with it', on: 'paired', told: 'WIRING_DRIFTED' },
    async breaks() {
      port = await firstPort(scene);
      await stage.site.cloud.neutron('DELETE', `/ports/${port}`).catch((error: unknown) => {
        if (!String(error).includes('409')) throw error;
      });
    },
    async isRight() {
      const ports = await wiredPorts(stage, paired);
      const isWhole = ports.length > 1 && ((await inherited?.isRight()) ?? false);
      return isWhole && ports.every((one) => storeOf(scene).referrers(one, 'instance-ip').length > 0);
    },
  };
}

export async function driftStage(stage: Stage, given: Pick<DriftStage, 'paired' | 'announced'>): Promise<DriftStage> {
  return { stage, hand: vncHand(stage.site.cloud.contrail.contrail.url), ...given };
}
