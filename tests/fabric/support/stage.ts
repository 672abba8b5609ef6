import { waitUntil } from '../../support/wait';
import type { FabricNetwork } from './cloud';
import { type Slipstream, type SlipstreamOptions, startSlipstream, type TenantMachine } from './slipstream';
import { type Answers, ask, type Question, startAnswering } from './traffic';

/** A Slipstream with a tenant's network, members, a client in it and one outside. */
export interface Stage {
  readonly site: Slipstream;
  /** Of the VIPs and the members: IPv4 and IPv6. */
  readonly front: FabricNetwork;
  /** Of floating IPs: IPv4 and IPv6. */
  readonly outside: FabricNetwork;
  readonly client: TenantMachine;
  /** Its namespace; where floating IPs are asked from. */
  readonly outsider: string;
  readonly members: readonly Member[];
  /** Of the tenant; absent: the first one's. */
  readonly projectId?: string;
}

export interface Member extends TenantMachine {
  readonly label: string;
  /** Answers again. */
  start(): void;
  /** Refuses connections. */
  stop(): void;
}

export interface Mode {
  readonly name: string;
  readonly vip_mode: 'aap' | 'bgp';
  readonly isFloating: boolean;
}

export const MODES: readonly Mode[] = [
  { name: 'address pairs', vip_mode: 'aap', isFloating: false },
  { name: 'address pairs and a floating IP', vip_mode: 'aap', isFloating: true },
  { name: 'BGP', vip_mode: 'bgp', isFloating: false },
  { name: 'BGP and a floating IP', vip_mode: 'bgp', isFloating: true },
];
export const PATIENCE = 90_000;
export const isFull = process.env['SLIPSTREAM_FULL'] === 'yes';
const PORT = 8080;

export async function openStage(options: SlipstreamOptions = {}): Promise<Stage> {
  const site = await startSlipstream(options);
  try {
    const { cloud } = site;
    const front = await cloud.addNetwork('front', ['10.10.0.0/24', '2001:db8:10::/64']);
    const outside = await cloud.addNetwork('outside', ['198.51.100.0/24', '2001:db8:ff::/64'], true);
    const client = await site.machine('client', front, 'compute-1');
    const members = await startMembers(site, front, 'near');
    const outsider = await site.fabric.machine('outsider');
    return { site, front, outside, client, outsider, members };
  } catch (error) {
    await site.close();
    throw error;
  }
}

/** One on each of the last two hosts. */
export async function startMembers(site: Slipstream, network: FabricNetwork, label: string): Promise<Member[]> {
  const members: Member[] = [];
  for (const [index, host] of ['compute-2', 'compute-3'].entries()) {
    const name = `${label}-${index}`;
    const machine = await site.machine(name, network, host);
    const answering = await startAnswering(machine.machine, name, PORT, ['::']);
    let isUp = true;
    const turn = (up: boolean) => {
      if (isUp !== up) answering.toggle();
      isUp = up;
    };
    members.push({ ...machine, label: name, start: () => turn(true), stop: () => turn(false) });
  }
  return members;
}

/** Where the outsider can be reached from floating IPs: the gateway is there once there is a floating IP. */
export const OUTSIDE = {
  addresses: ['203.0.113.5/24', '2001:db8:cc::5/64'],
  gateways: ['203.0.113.1/24', '2001:db8:cc::1/64'],
};

export async function plugOutsider({ site, outside, outsider }: Stage, ends = OUTSIDE): Promise<void> {
  await site.fabric.settled();
  await site.fabric.plugOutside(outside.id, { namespace: outsider, ...ends });
}

export interface Wanted {
  readonly mode: Pick<Mode, 'vip_mode' | 'isFloating'>;
  readonly flavor?: object;
  readonly members?: readonly TenantMachine[];
  /** Of the members. */
  readonly subnetId?: string;
  readonly pool?: object;
  readonly vip?: object;
}

export interface Balanced {
  readonly id: string;
  readonly vip: string;
  /** From where, and what to ask so that it comes to the VIP as the mode has it. */
  readonly asker: string;
  readonly url: string;
}

/** Makes a load balancer and waits until it is ACTIVE. */
export async function balance(stage: Stage, wanted: Wanted): Promise<Balanced> {
  const { site, front, outside, client, outsider, projectId } = stage;
  const { mode, members = stage.members, subnetId = front.subnetIds[0], pool = {}, vip = {} } = wanted;
  const floating = mode.isFloating ? { floating_network: outside.id } : {};
  const flavor_id = await site.flavor({ vip_mode: mode.vip_mode, ...floating, ...wanted.flavor });
  const { loadbalancer } = await site.api('POST', '/v2/lbaas/loadbalancers', {
    loadbalancer: {
      ...{ name: 'lb', vip_subnet_id: front.subnetIds[0], flavor_id, ...vip },
      ...(projectId !== undefined && { project_id: projectId }),
      listeners: [
        {
          ...{ name: 'http', protocol: 'HTTP', protocol_port: 80 },
          default_pool: {
            ...{ name: 'pool', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', ...pool },
            members: members.map(({ addresses: [address] }) => ({ address, protocol_port: PORT, subnet_id: subnetId })),
          },
        },
      ],
    },
  });
  await site.reaches(loadbalancer.id);
  const own: string = loadbalancer.vip_address;
  const reached = mode.isFloating ? await floatingOf(site, loadbalancer) : own;
  const asker = mode.isFloating ? outsider : client.machine;
  return { id: loadbalancer.id, vip: own, asker, url: urlOf(reached) };
}

const urlOf = (address: string): string => `http://${address.includes(':') ? `[${address}]` : address}/`;

/** Of the tenant's, as others may have the same VIP. */
async function floatingOf(
  { cloud }: Slipstream,
  { vip_address: vip, vip_port_id: port }: { vip_address: string; vip_port_id: string },
): Promise<string> {
  const find = () =>
    cloud.contrail.contrail.store
      .referrers(port, 'floating-ip')
      .find(({ properties }) => properties['floating_ip_fixed_ip_address'] === vip);
  await waitUntil(`there is a floating IP of ${vip}`, PATIENCE, () => find() !== undefined);
  return String(find()?.properties['floating_ip_address']);
}

export async function remove({ site }: Stage, ids: readonly string[]): Promise<void> {
  for (const id of ids) await site.api('DELETE', `/v2/lbaas/loadbalancers/${id}?cascade=true`);
  for (const id of ids) {
    await waitUntil('the load balancer is gone', PATIENCE, () =>
      site.api('GET', `/v2/lbaas/loadbalancers/${id}`).then(
        () => false,
        (error: unknown) => String(error).includes('404'),
      ),
    );
  }
}

/** Asks again until the answers are as wanted. @throws with the last ones */
export async function asked(
  what: string,
  { asker, url }: Pick<Balanced, 'asker' | 'url'>,
  isRight: (answers: Answers) => boolean,
  question: Partial<Question> = {},
): Promise<Answers> {
  let latest: Answers | undefined;
  await waitUntil(what, PATIENCE, async () => {
    latest = await ask(asker, { url, requests: 30, parallel: 3, timeout: 1000, ...question });
    return isRight(latest);
  }).catch((error: unknown) => {
    throw new Error(`${error}: ${JSON.stringify({ ...latest, failures: latest?.failures.slice(0, 5) })}`);
  });
  if (!latest) throw new Error(`nobody was asked: ${what}`);
  return latest;
}

export const enginesIn = ({ from }: Answers): number => Object.keys(from).length;
/** By that many, or more: one that is replaced may still be there. */
export const isAnsweredBy =
  (engines: number) =>
  (answers: Answers): boolean =>
    answers.failures.length === 0 && enginesIn(answers) >= engines;
