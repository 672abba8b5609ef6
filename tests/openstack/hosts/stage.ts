import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../../support/wait';
import { logIn, type Session } from '../clients/session';
import type { Lab } from '../lab';
import { type Endpoint, plugIn } from './endpoints';

/** Load balancers with engines of their own in the lab, members and clients; everything is gone after `dispose`. */
export interface Stage {
  readonly admin: Session;
  readonly demo: Session;
  /** In another network than the VIPs; each serves its name: `member-0`, `member-1`. */
  readonly members: readonly Endpoint[];
  /** In the VIPs' network. */
  readonly tenant: Endpoint;
  /** In the external network. */
  readonly outside: Endpoint;
  createBalancer(label: string): Promise<Balancer>;
  /** Makes a floating IP for its VIP; gives the address. */
  giveFloatingIp(balancer: Balancer): Promise<string>;
  becomesActive(balancer: Balancer): Promise<void>;
  /** Opens or closes its listener. */
  setOpen(balancer: Balancer, isOpen: boolean): Promise<void>;
  /** Of this stage's group, those that are not on their way out. */
  engines(): Promise<readonly Engine[]>;
  /** Tells the group to keep so many engines free. */
  keepSpare(count: number): Promise<void>;
  /** Nova's id of the engine that serves it. */
  serverOf(balancer: Balancer): Promise<string>;
  dispose(): Promise<void>;
}

export interface Balancer {
  readonly id: string;
  readonly vip: string;
}

export interface Engine {
  readonly id: string;
  readonly status: string;
  /** Of its server, once it has one. */
  readonly compute_id: string | null;
  /** Of Nova's, that its server is on. */
  readonly host: string | null;
}

/** Milliseconds: on two cores that a whole cloud shares. */
export const PATIENCE = 240_000;

export const MEMBER_PORT = 8080;
const LB = 'load-balancer';
const LBAAS = '/v2/lbaas';
const OPERATOR = '/v2/slipstream';

/** What is to be undone, the latest first. */
type Undo = (() => Promise<unknown>)[];

/** @param loadBalancerUrl of another installation than the catalogue's */
export async function setStage(lab: Lab, loadBalancerUrl = lab.loadBalancerUrl): Promise<Stage> {
  const name = `traffic-${randomBytes(3).toString('hex')}`;
  const elsewhere = { [LB]: loadBalancerUrl };
  const [admin, demo] = await Promise.all([
    logIn(lab.person('admin', 'admin'), elsewhere),
    logIn(lab.person('demo', 'demo'), elsewhere),
  ]);
  const undo: Undo = [];
  try {
    const group = await makeGroup(admin, name, undo);
    const flavorId = await makeFlavor(admin, name, undo);
    const endpoints = await plugEndpoints(lab, { admin, demo, name, undo });
    const show = async (id: string) => (await demo.ask(LB, 'GET', `${LBAAS}/loadbalancers/${id}`)).loadbalancer;
    return {
      admin,
      demo,
      ...endpoints,
      ...group,
      async createBalancer(label) {
        const loadbalancer = describeBalancer(lab, endpoints.members, { name: `${name}-${label}`, flavorId });
        const made = (await demo.ask(LB, 'POST', `${LBAAS}/loadbalancers`, { loadbalancer })).loadbalancer;
        undo.push(() => removeBalancer(demo, made.id));
        return { id: made.id, vip: made.vip_address };
      },
      async giveFloatingIp({ id }) {
        const { vip_port_id: port } = await show(id);
        const floatingip = { floating_network_id: lab.cloud.public_network_id, port_id: port };
        const made = (await demo.ask('network', 'POST', '/v2.0/floatingips', { floatingip })).floatingip;
        undo.push(() => demo.ask('network', 'DELETE', `/v2.0/floatingips/${made.id}`));
        return made.floating_ip_address;
      },
      becomesActive: ({ id }) => becomesActive(id, async () => (await show(id)).provisioning_status),
      async setOpen({ id }, isOpen) {
        const [{ id: listener }] = (await show(id)).listeners;
        await demo.ask(LB, 'PUT', `${LBAAS}/listeners/${listener}`, { listener: { admin_state_up: isOpen } });
        await becomesActive(id, async () => (await show(id)).provisioning_status);
      },
      async serverOf({ id }) {
        const { amphorae } = await admin.ask(LB, 'GET', `/v2/octavia/amphorae?loadbalancer_id=${id}`);
        return amphorae[0].compute_id;
      },
      dispose: () => undoAll(undo),
    };
  } catch (error) {
    await undoAll(undo);
    throw error;
  }
}

/** Does all of it, whatever goes wrong in between. @throws what went wrong first */
async function undoAll(undo: Undo): Promise<void> {
  const errors: unknown[] = [];
  for (const step of undo.splice(0).reverse()) await step().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}

/** A group of its own: engines of other suites do not count, and none is made ahead. */
async function makeGroup(admin: Session, name: string, undo: Undo): Promise<Pick<Stage, 'engines' | 'keepSpare'>> {
  const groups = `${OPERATOR}/service-engine-groups`;
  const wanted = { service_engine_group: { name, min_se: 0, buffer_se: 0, max_se: 3 } };
  const { id } = (await admin.ask(LB, 'POST', groups, wanted)).service_engine_group;
  const engines = async (): Promise<Engine[]> => {
    const all = (await admin.ask(LB, 'GET', `${OPERATOR}/service-engines`)).service_engines;
    return all.filter((one: { service_engine_group_id: string }) => one.service_engine_group_id === id);
  };
  const keepSpare = (count: number): Promise<void> =>
    admin.ask(LB, 'PUT', `${groups}/${id}`, { service_engine_group: { buffer_se: count } });
  undo.push(async () => {
    await keepSpare(0);
    for (const engine of await engines()) await admin.ask(LB, 'DELETE', `${OPERATOR}/service-engines/${engine.id}`);
    await waitUntil('the engines are gone', PATIENCE, async () => (await engines()).length === 0);
    await admin.ask(LB, 'DELETE', `${groups}/${id}`);
  });
  return { engines, keepSpare };
}

async function makeFlavor(admin: Session, name: string, undo: Undo): Promise<string> {
  const flavorprofile = {
    name,
    provider_name: 'slipstream',
    flavor_data: JSON.stringify({ service_engine_group: name }),
  };
  const profile = (await admin.ask(LB, 'POST', `${LBAAS}/flavorprofiles`, { flavorprofile })).flavorprofile;
  undo.push(() => admin.ask(LB, 'DELETE', `${LBAAS}/flavorprofiles/${profile.id}`));
  const flavor = { name, flavor_profile_id: profile.id, enabled: true };
  const { id } = (await admin.ask(LB, 'POST', `${LBAAS}/flavors`, { flavor })).flavor;
  undo.push(() => admin.ask(LB, 'DELETE', `${LBAAS}/flavors/${id}`));
  return id;
}

interface Plugging {
  readonly admin: Session;
  readonly demo: Session;
  readonly name: string;
  readonly undo: Undo;
}

async function plugEndpoints(
  { cloud }: Lab,
  { admin, demo, name, undo }: Plugging,
): Promise<Pick<Stage, 'members' | 'tenant' | 'outside'>> {
  const group = await openMemberPort(demo, name, undo);
  const plug = async (session: Session, networkId: string, groups: readonly string[] = []) => {
    const endpoint = await plugIn(session, networkId, groups);
    undo.push(() => endpoint.remove());
    return endpoint;
  };
  const members = [
    await plug(demo, cloud.members_network_id, [group]),
    await plug(demo, cloud.members_network_id, [group]),
  ];
  for (const [at, member] of members.entries()) await member.serve(`member-${at}`, MEMBER_PORT);
  const tenant = await plug(demo, cloud.private_network_id);
  return { members, tenant, outside: await plug(admin, cloud.public_network_id) };
}

/** Makes a security group that lets in what members are asked; gives its id. */
export async function openMemberPort(owner: Session, name: string, undo: Undo): Promise<string> {
  const { id } = (await owner.ask('network', 'POST', '/v2.0/security-groups', { security_group: { name } }))
    .security_group;
  undo.push(() => owner.ask('network', 'DELETE', `/v2.0/security-groups/${id}`));
  const rule = { direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp' };
  const ports = { port_range_min: MEMBER_PORT, port_range_max: MEMBER_PORT };
  await owner.ask('network', 'POST', '/v2.0/security-group-rules', {
    security_group_rule: { security_group_id: id, ...rule, ...ports },
  });
  return id;
}

function describeBalancer(
  { cloud }: Lab,
  members: readonly Endpoint[],
  { name, flavorId }: { readonly name: string; readonly flavorId: string },
) {
  const pool = {
    name: 'members',
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
    healthmonitor: { type: 'HTTP', delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1 },
    members: members.map(({ address }) => ({
      address,
      protocol_port: MEMBER_PORT,
      subnet_id: cloud.members_subnet_id,
    })),
  };
  return {
    name,
    flavor_id: flavorId,
    vip_subnet_id: cloud.private_subnet_id,
    listeners: [{ name: 'web', protocol: 'HTTP', protocol_port: 80, default_pool: pool }],
  };
}

async function becomesActive(id: string, look: () => Promise<string>): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const status = await look();
    if (status === 'ACTIVE') return;
    if (Date.now() > deadline) throw new Error(`load balancer ${id} is ${status}`);
    // Not all the time: whoever asks takes from the processors that make it ACTIVE.
    await sleep(200);
  }
}

/** One that is still pending refuses: asked again until it is gone. */
async function removeBalancer(demo: Session, id: string): Promise<void> {
  const item = `${LBAAS}/loadbalancers/${id}`;
  await waitUntil(`load balancer ${id} is gone`, PATIENCE, async () => {
    const found = await demo.find(LB, item);
    if (found === undefined) return true;
    if (found.loadbalancer.provisioning_status !== 'PENDING_DELETE') {
      await demo.ask(LB, 'DELETE', `${item}?cascade=true`).catch(() => undefined);
    }
    await sleep(500);
    return false;
  });
}
