import { randomBytes } from 'node:crypto';
import { waitUntil } from '../support/wait';
import { logIn, type Session } from './clients/session';
import { difference, takeInventory } from './inventory';
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
  readonly owner_project_id: string | null;
  readonly service_engine_group_id: string;
}

/** A group, a flavor that chooses it, and what is made there. */
interface Plan {
  readonly group: string;
  readonly flavor: string;
  readonly profile: string;
}

/** A user of a project with a network for VIPs. */
interface Tenant extends Session {
  readonly subnetId: string;
}

let admin: Session;
let service: Session;
let demo: Tenant;
let other: Tenant;
let plans: Record<'shared' | 'exclusive' | 'tenant', Plan>;
const undo: (() => Promise<unknown>)[] = [];
const made: { readonly owner: Session; readonly id: string }[] = [];

beforeAll(async () => {
  admin = await logIn(lab.person('admin', 'admin'));
  service = await logIn(lab.person('octavia', 'service'));
  demo = { ...(await logIn(lab.person('demo', 'demo'))), subnetId: lab.cloud.private_subnet_id };
  const session = await logIn(lab.person('other', 'other'));
  other = { ...session, subnetId: await addNetwork(session) };
  await takeRole();
  plans = { shared: await addPlan('shared'), exclusive: await addPlan('exclusive'), tenant: await addPlan('tenant') };
}, PATIENCE);

afterAll(async () => {
  for (const { owner, id } of made) await owner.ask(LB, 'DELETE', `${BALANCERS}/${id}?cascade=true`);
  const gone = async () => (await Promise.all(made.map(isGone))).every(Boolean);
  await waitUntil('the load balancers are gone', PATIENCE, gone);
  for (const step of undo.reverse()) await step();
}, PATIENCE);

const isGone = async ({ owner, id }: (typeof made)[number]) =>
  (await owner.find(LB, `${BALANCERS}/${id}`)) === undefined;

async function addNetwork(owner: Session): Promise<string> {
  const { network } = await owner.ask('network', 'POST', '/v2.0/networks', { network: { name } });
  undo.push(() => owner.ask('network', 'DELETE', `/v2.0/networks/${network.id}`));
  const subnet = { network_id: network.id, ip_version: 4, cidr: '10.10.9.0/24', enable_dhcp: false };
  return (await owner.ask('network', 'POST', '/v2.0/subnets', { subnet })).subnet.id;
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

async function removeGroup(id: string): Promise<void> {
  await keepFree(id, 0);
  for (const engine of await enginesOf(id)) await admin.ask(LB, 'DELETE', `${OPERATOR}/service-engines/${engine.id}`);
  await waitUntil('its engines are gone', PATIENCE, async () => (await enginesOf(id)).length === 0);
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

async function create(owner: Tenant, { flavor }: Plan): Promise<string> {
  const loadbalancer = { name, vip_subnet_id: owner.subnetId, flavor_id: flavor };
  const { id } = (await owner.ask(LB, 'POST', BALANCERS, { loadbalancer })).loadbalancer;
  made.push({ owner, id });
  return id;
}

const statusOf = async (owner: Session, id: string): Promise<string> =>
  (await owner.ask(LB, 'GET', `${BALANCERS}/${id}`)).loadbalancer.provisioning_status;

const becomeActive = async (owner: Session, ...ids: string[]): Promise<void> => {
  for (const id of ids) {
    const isActive = async () => (await statusOf(owner, id)) === 'ACTIVE';
    await waitUntil(`load balancer ${id} is ACTIVE`, PATIENCE, isActive);
  }
};

async function isTold(words: RegExp): Promise<void> {
  const said = async (): Promise<boolean> => {
    const { events } = await admin.ask(LB, 'GET', `${OPERATOR}/events?sort=created_at:desc&limit=50`);
    return events.some(({ message }: { message: string }) => words.test(message));
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

describe('engines in the project of this service (mode 2)', () => {
  it('serve all projects where they are shared, and one at a time where they are exclusive', async () => {
    const before = await instancesOf(service);
    const ids = [await create(demo, plans.shared), await create(demo, plans.exclusive)];
    const theirs = [await create(other, plans.shared), await create(other, plans.exclusive)];
    await becomeActive(demo, ...ids);
    await becomeActive(other, ...theirs);

    const engines = [...(await enginesOf(plans.shared.group)), ...(await enginesOf(plans.exclusive.group))];
    expect(engines.map(({ service_engine_group_id: of }) => of).sort()).toEqual(
      [plans.shared.group, plans.exclusive.group, plans.exclusive.group].sort(),
    );
    expect(engines.map(({ owner_project_id: owner }) => owner)).toEqual([null, null, null]);
    // Nobody's quota but the service's, and nobody else sees them.
    expect(await instancesOf(service)).toBe(before + 3);
    const servers = engines.map(({ compute_id: id }) => id);
    expect(await serversOf(service)).toEqual(expect.arrayContaining(servers));
    for (const tenant of [demo, other]) {
      expect((await serversOf(tenant)).filter((id) => servers.includes(id))).toEqual([]);
      expect(await belongingsOf(tenant, plans.exclusive.group)).toEqual(NOTHING);
    }
  }, 600_000);
});

describe('engines in the projects of their users (mode 1)', () => {
  let usedBefore: number[];
  let before: Awaited<ReturnType<typeof takeInventory>>;

  it('are told of, not made, while the service has no role there', async () => {
    before = await takeInventory(lab);
    usedBefore = await Promise.all([demo, other, service].map(instancesOf));
    const id = await create(demo, plans.tenant);
    await isTold(new RegExp(`does not let this service into project ${demo.projectId}`));
    expect(await statusOf(demo, id)).toBe('PENDING_CREATE');

    await giveRole();
    await becomeActive(demo, id);
  }, 600_000);

  it('take from the quota of their user', async () => {
    const quota = `/os-quota-sets/${other.projectId}`;
    await admin.ask('compute', 'PUT', quota, { quota_set: { instances: 0, force: true } });
    let id: string;
    try {
      id = await create(other, plans.tenant);
      await isTold(/Quota exceeded for instances: Requested 1, but already used 0 of 0/);
    } finally {
      await admin.ask('compute', 'DELETE', quota);
    }
    await becomeActive(other, id);

    const [ofDemo, ofOther, ofService] = await Promise.all([demo, other, service].map(instancesOf));
    expect([ofDemo, ofOther, ofService].map((count = 0, at) => count - (usedBefore[at] ?? 0))).toEqual([1, 1, 0]);
  }, 600_000);

  it('serve their project alone, which sees them and everything of theirs; nobody else does', async () => {
    const engines = await enginesOf(plans.tenant.group);
    expect(engines.map(({ owner_project_id: owner }) => owner).sort()).toEqual(
      [demo.projectId, other.projectId].sort(),
    );
    for (const { compute_id: server = '', owner_project_id: owner } of engines) {
      const [host, stranger] = owner === demo.projectId ? [demo, other] : [other, demo];
      expect(await serversOf(host)).toContain(server);
      expect(await serversOf(stranger)).not.toContain(server);
      expect(await serversOf(service)).not.toContain(server);
      expect(await belongingsOf(host, plans.tenant.group)).toEqual({ ports: 2, securityGroups: 1, serverGroups: 1 });
    }
    expect(await belongingsOf(service, plans.tenant.group)).toEqual(NOTHING);
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
    const mine = made.splice(-2);
    for (const { owner, id } of mine) await owner.ask(LB, 'DELETE', `${BALANCERS}/${id}?cascade=true`);
    await waitUntil('the load balancers are gone', PATIENCE, async () =>
      (await Promise.all(mine.map(isGone))).every(Boolean),
    );
    const { group } = plans.tenant;
    await keepFree(group, 0);
    for (const { id } of await enginesOf(group)) await admin.ask(LB, 'DELETE', `${OPERATOR}/service-engines/${id}`);
    await waitUntil('the engines are gone', PATIENCE, async () => (await enginesOf(group)).length === 0);

    let left: string[] = [];
    const settled = waitUntil('nothing is left over', 60_000, async () => {
      left = difference(await takeInventory(lab), before);
      return left.length === 0;
    });
    await settled.catch(() => undefined);
    expect(left).toEqual([]);
  }, 600_000);
});
