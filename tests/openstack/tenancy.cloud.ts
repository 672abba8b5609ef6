import { randomBytes } from 'node:crypto';
import { waitUntil } from '../support/wait';
import { logIn, type Session } from './clients/session';
import { type Endpoint, plugIn } from './hosts/endpoints';
import { MEMBER_PORT, openMemberPort } from './hosts/stage';
import { answersOf } from './hosts/traffic';
import { difference, type Inventory, takeInventory } from './inventory';
import { readLab } from './lab';

/** Milliseconds: on two cores that a whole cloud shares. */
const PATIENCE = 240_000;
const LB = 'load-balancer';
const BALANCERS = '/v2/lbaas/loadbalancers';
const OPERATOR = '/v2/slipstream';
const lab = readLab();
const name = `tenancy-${randomBytes(3).toString('hex')}`;

interface Engine {
  readonly id: string;
  readonly name: string;
  readonly compute_id: string | null;
  readonly project_id: string | null;
  readonly owner_project_id: string | null;
  readonly service_engine_group_id: string;
}

/** A group, a flavor that chooses it, and what is made there. */
interface Plan {
  readonly group: string;
  readonly flavor: string;
  readonly profile: string;
}

/** A user of a project with a network for VIPs, and a machine there that is member and client. */
interface Tenant extends Session {
  readonly subnetId: string;
  readonly machine: Endpoint;
}

let admin: Session;
let service: Session;
let demo: Tenant;
let other: Tenant;
let plans: Record<'shared' | 'exclusive' | 'tenant', Plan>;
/** Before the first load balancer. */
const since = new Date().toISOString().slice(0, 19);
let before: Inventory;
let usedBefore: number[];
const undo: (() => Promise<unknown>)[] = [];
const made: { readonly owner: Tenant; readonly id: string; readonly vip: string; readonly plan: Plan }[] = [];

beforeAll(async () => {
  admin = await logIn(lab.person('admin', 'admin'));
  service = await logIn(lab.person('octavia', 'service'));
  const { private_network_id: networkId, private_subnet_id: subnetId } = lab.cloud;
  const [ours, theirs] = [await logIn(lab.person('demo', 'demo')), await logIn(lab.person('other', 'other'))];
  const network = await addNetwork(theirs);
  [demo, other] = await Promise.all([
    moveIn(ours, { networkId, subnetId, body: 'demo' }),
    moveIn(theirs, { ...network, body: 'other' }),
  ]);
  await takeRole();
  plans = { shared: await addPlan('shared'), exclusive: await addPlan('exclusive'), tenant: await addPlan('tenant') };
  before = await takeInventory(lab);
  usedBefore = await Promise.all([service, demo, other].map(instancesOf));
  await setQuota(other, 0);
  // All at once: engines take seconds to boot.
  for (const plan of [plans.tenant, plans.shared, plans.exclusive]) {
    for (const tenant of [demo, other]) await create(tenant, plan);
  }
}, PATIENCE);

afterAll(async () => {
  await removeBalancers();
  for (const step of undo.reverse()) await step();
}, 2 * PATIENCE);

/** Those that are pending refuse to go until they are not. */
async function removeBalancers(): Promise<void> {
  for (const { owner, id } of made) {
    await waitUntil(`load balancer ${id} goes`, PATIENCE, async () => {
      const deleted = owner.ask(LB, 'DELETE', `${BALANCERS}/${id}?cascade=true`);
      return deleted.then(
        () => true,
        () => false,
      );
    });
  }
  const gone = async () => (await Promise.all(made.map(isGone))).every(Boolean);
  await waitUntil('the load balancers are gone', PATIENCE, gone);
  made.length = 0;
}

const isGone = async ({ owner, id }: (typeof made)[number]) =>
  (await owner.find(LB, `${BALANCERS}/${id}`)) === undefined;

interface Place {
  readonly networkId: string;
  readonly subnetId: string;
}

/** Has a machine there that answers this. */
async function moveIn(owner: Session, { networkId, subnetId, body }: Place & { body: string }): Promise<Tenant> {
  const machine = await plugIn(owner, networkId, [await openMemberPort(owner, name, undo)]);
  undo.push(() => machine.remove());
  await machine.serve(body, MEMBER_PORT);
  return { ...owner, subnetId, machine };
}

async function addNetwork(owner: Session): Promise<Place> {
  const { network } = await owner.ask('network', 'POST', '/v2.0/networks', { network: { name } });
  undo.push(() => owner.ask('network', 'DELETE', `/v2.0/networks/${network.id}`));
  const subnet = { network_id: network.id, ip_version: 4, cidr: '10.10.9.0/24', enable_dhcp: false };
  const made = (await owner.ask('network', 'POST', '/v2.0/subnets', { subnet })).subnet;
  return { networkId: network.id, subnetId: made.id };
}

async function addPlan(tenancy: string): Promise<Plan> {
  const ask = async (path: string, kind: string, body: object): Promise<string> =>
    (await admin.ask(LB, 'POST', path, { [kind]: body }))[kind].id;
  const label = `${name}-${tenancy}`;
  const wanted = { name: label, tenancy, min_se: 0, max_se: 6, ...(tenancy === 'shared' && { buffer_se: 0 }) };
  const group = await ask(`${OPERATOR}/service-engine-groups`, 'service_engine_group', wanted);
  undo.push(() => removeGroup(group));
  const data = { provider_name: 'slipstream', flavor_data: JSON.stringify({ service_engine_group: label }) };
  const profile = await ask('/v2/lbaas/flavorprofiles', 'flavorprofile', { name: label, ...data });
  undo.push(() => admin.ask(LB, 'DELETE', `/v2/lbaas/flavorprofiles/${profile}`));
  const flavor = await ask('/v2/lbaas/flavors', 'flavor', { name: label, flavor_profile_id: profile, enabled: true });
  undo.push(() => admin.ask(LB, 'DELETE', `/v2/lbaas/flavors/${flavor}`));
  return { group, flavor, profile };
}

/** Those of a group, for good. */
async function retireAll(group: string): Promise<void> {
  await keepFree(group, 0);
  for (const { id } of await enginesOf(group)) await admin.ask(LB, 'DELETE', `${OPERATOR}/service-engines/${id}`);
  await waitUntil('the engines are gone', PATIENCE, async () => (await enginesOf(group)).length === 0);
}

async function removeGroup(id: string): Promise<void> {
  await retireAll(id);
  await admin.ask(LB, 'DELETE', `${OPERATOR}/service-engine-groups/${id}`);
}

const keepFree = (group: string, count: number): Promise<unknown> =>
  admin.ask(LB, 'PUT', `${OPERATOR}/service-engine-groups/${group}`, { service_engine_group: { buffer_se: count } });

async function enginesOf(group: string): Promise<Engine[]> {
  const all: Engine[] = (await admin.ask(LB, 'GET', `${OPERATOR}/service-engines`)).service_engines;
  return all.filter(({ service_engine_group_id: of }) => of === group);
}

/** An admin of every project of the domain is what mode 1 needs; the lab's service user is none. */
async function inheritedRole(): Promise<string> {
  const [user] = (await admin.ask('identity', 'GET', '/users?name=octavia')).users;
  const [role] = (await admin.ask('identity', 'GET', '/roles?name=admin')).roles;
  return `/OS-INHERIT/domains/default/users/${user.id}/roles/${role.id}/inherited_to_projects`;
}

async function giveRole(): Promise<void> {
  await admin.ask('identity', 'PUT', await inheritedRole());
  undo.push(takeRole);
}

/** Of a run that was cut short it may still be there. */
async function takeRole(): Promise<void> {
  await admin.ask('identity', 'DELETE', await inheritedRole()).catch(() => undefined);
}

async function create(owner: Tenant, plan: Plan): Promise<void> {
  const members = [{ address: owner.machine.address, protocol_port: MEMBER_PORT, subnet_id: owner.subnetId }];
  const pool = { name, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', members };
  const listeners = [{ name, protocol: 'HTTP', protocol_port: 80, default_pool: pool }];
  const loadbalancer = { name, vip_subnet_id: owner.subnetId, flavor_id: plan.flavor, listeners };
  const { id, vip_address: vip } = (await owner.ask(LB, 'POST', BALANCERS, { loadbalancer })).loadbalancer;
  made.push({ owner, id, vip, plan });
}

/** All that chose the plan, each for its own user. */
async function carryTraffic(plan: Plan): Promise<void> {
  for (const { owner, vip } of made.filter((it) => it.plan === plan)) {
    expect(await answersOf(owner.machine, `http://${vip}/`, 1)).toEqual([owner === demo ? 'demo' : 'other']);
  }
}

/** Servers that a project may have; undefined for as many as there were. */
async function setQuota({ projectId }: Session, instances?: number): Promise<void> {
  const quota = `/os-quota-sets/${projectId}`;
  if (instances === undefined) return admin.ask('compute', 'DELETE', quota);
  undo.push(() => setQuota({ projectId } as Session));
  await admin.ask('compute', 'PUT', quota, { quota_set: { instances, force: true } });
}

const statusOf = async (owner: Session, id: string): Promise<string> =>
  (await owner.ask(LB, 'GET', `${BALANCERS}/${id}`)).loadbalancer.provisioning_status;

/** All that chose the plan. */
const becomeActive = async (plan: Plan): Promise<void> => {
  for (const { owner, id } of made.filter((it) => it.plan === plan)) {
    const isActive = async () => (await statusOf(owner, id)) === 'ACTIVE';
    await waitUntil(`load balancer ${id} is ACTIVE`, PATIENCE, isActive);
  }
};

async function isTold(words: RegExp): Promise<void> {
  const said = async (): Promise<boolean> => {
    const { events } = await admin.ask(LB, 'GET', `${OPERATOR}/events?sort=created_at:desc&limit=50`);
    return events.some(
      ({ message, created_at: at }: Record<'message' | 'created_at', string>) => words.test(message) && at >= since,
    );
  };
  await waitUntil(`an event says ${words}`, PATIENCE, said);
}

/** The servers that somebody sees, by id. */
const serversOf = async (who: Session): Promise<string[]> =>
  (await who.ask('compute', 'GET', '/servers')).servers.map(({ id }: { id: string }) => id);

const instancesOf = async (who: Session): Promise<number> =>
  (await who.ask('compute', 'GET', '/limits')).limits.absolute.totalInstancesUsed;

/** What a project has of a group's engines besides servers. */
async function belongingsOf(who: Session, group: string) {
  const ports = (await who.ask('network', 'GET', `/v2.0/ports?project_id=${who.projectId}`)).ports;
  const groups = (await who.ask('network', 'GET', `/v2.0/security-groups?project_id=${who.projectId}`)).security_groups;
  const serverGroups = (await who.ask('compute', 'GET', '/os-server-groups')).server_groups;
  const engines = await enginesOf(group);
  return {
    ports: ports.filter(({ description }: { description: string }) =>
      engines.some(({ id }) => description.includes(id)),
    ).length,
    securityGroups: groups.filter(({ description }: { description: string }) => description.includes(group)).length,
    serverGroups: serverGroups.filter((each: { name: string }) => each.name.includes(group)).length,
  };
}

const NOTHING = { ports: 0, securityGroups: 0, serverGroups: 0 };

describe('engines in the projects of their users (mode 1)', () => {
  it('are told of, not made, while the service has no role there', async () => {
    const [{ owner, id } = { owner: demo, id: '' }] = made;
    await isTold(new RegExp(`does not let this service into project ${demo.projectId}`));
    expect(await statusOf(owner, id)).toBe('PENDING_CREATE');
    await giveRole();
  }, 600_000);

  it('take from the quota of their user', async () => {
    await isTold(/Quota exceeded for instances: Requested 1, but already used 0 of 0/);
    await setQuota(other);
    await becomeActive(plans.tenant);

    const engines = await enginesOf(plans.tenant.group);
    expect(engines.map(({ owner_project_id: owner }) => owner).sort()).toEqual(
      [demo.projectId, other.projectId].sort(),
    );
  }, 600_000);

  it('serve their project alone, which sees them and everything of theirs; nobody else does', async () => {
    for (const { compute_id: server, owner_project_id: owner } of await enginesOf(plans.tenant.group)) {
      const [host, stranger] = owner === demo.projectId ? [demo, other] : [other, demo];
      expect(await serversOf(host)).toContain(server);
      expect(await serversOf(stranger)).not.toContain(server);
      expect(await serversOf(service)).not.toContain(server);
      expect(await belongingsOf(host, plans.tenant.group)).toEqual({ ports: 2, securityGroups: 1, serverGroups: 1 });
    }
    expect(await belongingsOf(service, plans.tenant.group)).toEqual(NOTHING);
  });

  it('carry traffic', () => carryTraffic(plans.tenant));
});

describe('engines in the project of this service (mode 2)', () => {
  it('serve all projects where they are shared, and one at a time where they are exclusive', async () => {
    await becomeActive(plans.shared);
    await becomeActive(plans.exclusive);

    const [shared, exclusive] = [await enginesOf(plans.shared.group), await enginesOf(plans.exclusive.group)];
    expect(shared.map(({ project_id: serves }) => serves)).toEqual([null]);
    expect(exclusive.map(({ project_id: serves }) => serves).sort()).toEqual([demo.projectId, other.projectId].sort());
    const engines = [...shared, ...exclusive];
    expect(engines.map(({ owner_project_id: owner }) => owner)).toEqual([null, null, null]);
    // Nobody else sees them, nor has anything of theirs.
    const servers = engines.map(({ compute_id: id }) => id);
    expect(await serversOf(service)).toEqual(expect.arrayContaining(servers));
    for (const tenant of [demo, other]) {
      expect((await serversOf(tenant)).filter((id) => servers.includes(id))).toEqual([]);
      expect(await belongingsOf(tenant, plans.exclusive.group)).toEqual(NOTHING);
    }
  }, 600_000);

  it('carry traffic where they are shared', () => carryTraffic(plans.shared));

  it('carry traffic where they are exclusive', () => carryTraffic(plans.exclusive));
});

describe('engines of all kinds', () => {
  it('are counted where they live', async () => {
    const used = await Promise.all([service, demo, other].map(instancesOf));
    expect(used.map((count, at) => count - (usedBefore[at] ?? 0))).toEqual([3, 1, 1]);
  });

  it('keep a buffer for each project where that is asked for, which it is not by default', async () => {
    const { group } = plans.tenant;
    const owners = async () => (await enginesOf(group)).map(({ owner_project_id: owner }) => owner).sort();
    const [one, two] = [demo.projectId, other.projectId].sort();
    expect(await owners()).toEqual([one, two]);

    await keepFree(group, 1);
    await waitUntil('each project has one more', PATIENCE, async () => (await owners()).length === 4);
    expect(await owners()).toEqual([one, one, two, two]);
  }, 600_000);

  it('leave nothing in any project', async () => {
    await removeBalancers();
    await Promise.all(Object.values(plans).map(({ group }) => retireAll(group)));

    let left: string[] = [];
    const settled = waitUntil('nothing is left over', 60_000, async () => {
      left = difference(await takeInventory(lab), before);
      return left.length === 0;
    });
    await settled.catch(() => undefined);
    expect(left).toEqual([]);
  }, 600_000);
});
