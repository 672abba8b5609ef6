import { type VncHand, vncHand } from '../support/vncHand';
import { waitUntil } from '../support/wait';
import { countEvents, type Mended, mend, tellMended, wiredPorts } from './support/mending';
import { type Balanced, balance, openStage, PATIENCE, plugOutsider, type Stage } from './support/stage';

jest.setTimeout(400_000);

const VMI = 'virtual-machine-interface';
const PAIRS = 'virtual_machine_interface_allowed_address_pairs';

let stage: Stage;
let hand: VncHand;
/** By address pairs and a floating IP. */
let paired: Balanced;
/** Of the engines. */
let ports: string[];
const mended: Mended[] = [];

beforeAll(async () => {
  stage = await openStage({ settings: '[house_keeping]\naudit_interval = 2' });
  hand = vncHand(stage.site.cloud.contrail.contrail.url);
  paired = await balance(stage, { mode: { vip_mode: 'aap', isFloating: true } });
  await plugOutsider(stage);
  ports = await wiredPorts(stage, paired);
}, 240_000);

afterAll(async () => {
  console.info(`repaired by the audit, every 2 s:\n${tellMended(mended)}`);
  await stage?.site.close();
});

const store = () => stage.site.cloud.contrail.contrail.store;
const refs = (type: string, id: string, to: string): string[] =>
  (store().get(type, id)?.refs[to] ?? []).map(({ uuid }) => uuid).sort();
const floatingIp = (): string => store().list('floating-ip')[0]?.uuid ?? '';

/** Pairs of the VIP that are as wanted. */
function isPaired(): boolean {
  return ports.every((port) => {
    const pairs = JSON.stringify(store().get(VMI, port)?.properties[PAIRS] ?? '');
    return pairs.includes(`"ip_prefix":"${paired.vip}"`) && !pairs.includes('active-standby');
  });
}

/** Mends it, and waits until it was told and that it is over. */
async function told(name: string, breakage: Parameters<typeof mend>[0]): Promise<void> {
  const before = await countEvents(stage, name);
  mended.push(await mend(breakage));
  await waitUntil(`${breakage.title} is told`, PATIENCE, async () => (await countEvents(stage, name)) > before);
  await waitUntil(
    'nothing is open',
    PATIENCE,
    async () => (await stage.site.db('trouble').select('cause')).length === 0,
  );
}

it('puts back the pairs that somebody removed from all engines', () =>
  told('WIRING_DRIFTED', {
    title: 'address pairs removed',
    balanced: paired,
    breaks: () => Promise.all(ports.map((port) => hand.put(VMI, port, { [PAIRS]: { allowed_address_pair: [] } }))),
    isRight: isPaired,
  }));

it('takes pairs back from the mode that a change by Neutron gives them', () =>
  told('WIRING_DRIFTED', {
    title: 'address pairs reset to active-standby by Neutron',
    balanced: paired,
    breaks: () =>
      stage.site.cloud.neutron('PUT', `/ports/${ports[0]}`, {
        port: { allowed_address_pairs: [{ ip_address: paired.vip }] },
      }),
    isRight: isPaired,
  }));

it('spreads a floating IP again that its tenant has led to the VIP’s port alone', () =>
  told('WIRING_DRIFTED', {
    title: 'floating IP led to the VIP’s port alone',
    balanced: paired,
    async breaks() {
      const [vipPort] = refs('floating-ip', floatingIp(), VMI).filter((id) => !ports.includes(id));
      await stage.site.cloud.neutron('PUT', `/floatingips/${floatingIp()}`, { floatingip: { port_id: vipPort } });
    },
    isRight: () => ports.every((port) => refs('floating-ip', floatingIp(), VMI).includes(port)),
  }));
