import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { waitUntil } from '../support/wait';
import { logIn, type Session } from './clients/session';
import { type Lab, readLab } from './lab';

/** Milliseconds: on two cores that a whole cloud shares. */
const PATIENCE = 240_000;
const BALANCERS = '/v2/lbaas/loadbalancers';
const OPERATOR = '/v2/slipstream';

interface Event {
  readonly name: string;
  readonly message: string;
  readonly created_at: string;
}

/** What a cloud refuses is told in its words, and made good once the cloud can: nobody has to do anything twice. */
describe('a cloud in trouble', () => {
  jest.setTimeout(2 * PATIENCE);
  const name = `failures-${randomBytes(3).toString('hex')}`;
  const made: string[] = [];
  let lab: Lab;
  let admin: Session;
  let demo: Session;
  let ids: { group: string; profile: string; flavor: string };

  beforeAll(async () => {
    lab = readLab();
    [admin, demo] = await Promise.all([logIn(lab.person('admin', 'admin')), logIn(lab.person('demo', 'demo'))]);
    ids = await makeFlavor();
  });
  afterAll(cleanUp, PATIENCE);

  it('has no room for the server of an engine: Nova says so, and the load balancer waits for room', async () => {
    const quota = `/os-quota-sets/${lab.cloud.service_project_id}`;
    await admin.ask('compute', 'PUT', quota, { quota_set: { instances: 0, force: true } });
    let id: string;
    try {
      id = await create('quota', lab.cloud.private_subnet_id);
      await isTold(/Quota exceeded for instances/);
      expect(await statusOf(id)).not.toBe('ACTIVE');
    } finally {
      await admin.ask('compute', 'DELETE', quota);
    }

    await becomesActive(id);
  });

  it('cannot bind a port where an engine needs it: it is told, and plugged in as soon as it can be', async () => {
    const refused = path.join(lab.directory, 'refused-hosts');
    writeFileSync(refused, 'compute-1\ncompute-2\ncompute-3\n');
    let id: string;
    try {
      id = await create('binding', lab.cloud.members_subnet_id);
      await isTold(/binding|attach|No valid host/i);
      expect(await statusOf(id)).not.toBe('ACTIVE');
    } finally {
      rmSync(refused);
    }

    await becomesActive(id);
  });

  it('has no room for a VIP port: the create is refused in the words of Neutron, and leaves nothing', async () => {
    const quota = `/v2.0/quotas/${demo.projectId}`;
    await admin.ask('network', 'PUT', quota, { quota: { port: 0 } });
    try {
      await expect(create('port-quota', lab.cloud.private_subnet_id)).rejects.toThrow(/Quota exceeded for resources/);
    } finally {
      await admin.ask('network', 'DELETE', quota);
    }

    await waitUntil('every VIP port has its load balancer', PATIENCE, async () => (await orphans()).length === 0);
    const { loadbalancers } = await demo.ask('load-balancer', 'GET', `${BALANCERS}?name=${name}-port-quota`);
    expect(loadbalancers).toEqual([]);
  });

  it('has a Nova that does not answer for a while: the load balancer gets its network afterwards', async () => {
    const [pid] = readFileSync(path.join(lab.directory, 'run/nova-api.pid'), 'utf8').split(' ');
    const group = -Number(pid);
    process.kill(group, 'SIGSTOP');
    let id: string;
    try {
      id = await create('silence', lab.cloud.plain_subnet_id);
      // A call may take 30 seconds before it counts as unanswered.
      await isTold(/Nova|compute/i);
    } finally {
      process.kill(group, 'SIGCONT');
    }

    await becomesActive(id);
  });

  /** Waits for an event of this suite's engines, or of a load balancer of it, that is new and says this. */
  async function isTold(words: RegExp): Promise<void> {
    const said = async (): Promise<boolean> => {
      const { events } = await admin.ask('load-balancer', 'GET', `${OPERATOR}/events?sort=created_at:desc&limit=50`);
      return events.some(({ message, created_at: at }: Event) => words.test(message) && at >= since);
    };
    await waitUntil(`an event says ${words}`, PATIENCE, said);
  }

  let since = '';
  beforeEach(() => {
    since = new Date().toISOString().slice(0, 19);
  });

  async function create(label: string, subnet: string): Promise<string> {
    const loadbalancer = { name: `${name}-${label}`, vip_subnet_id: subnet, flavor_id: ids.flavor };
    const { id } = (await demo.ask('load-balancer', 'POST', BALANCERS, { loadbalancer })).loadbalancer;
    made.push(id);
    return id;
  }

  const statusOf = async (id: string): Promise<string> =>
    (await demo.ask('load-balancer', 'GET', `${BALANCERS}/${id}`)).loadbalancer.provisioning_status;

  const becomesActive = (id: string): Promise<void> =>
    waitUntil(`load balancer ${id} is ACTIVE`, PATIENCE, async () => (await statusOf(id)) === 'ACTIVE');

  /** Ids of load balancers that VIP ports name and that are not there. */
  const orphans = async (): Promise<string[]> => {
    const mine = `project_id=${demo.projectId}&device_owner=Octavia`;
    const { ports } = await demo.ask('network', 'GET', `/v2.0/ports?${mine}&fields=device_id`);
    const { loadbalancers } = await demo.ask('load-balancer', 'GET', BALANCERS);
    const known = new Set(loadbalancers.map(({ id }: { id: string }) => id));
    const named = ports.map((port: { device_id: string }) => port.device_id.replace(/^lb-/, ''));
    return named.filter((id: string) => !known.has(id));
  };

  /** A group of its own has no engine yet. */
  async function makeFlavor(): Promise<typeof ids> {
    const ask = async (path: string, kind: string, body: object): Promise<string> =>
      (await admin.ask('load-balancer', 'POST', path, { [kind]: body }))[kind].id;
    const group = await ask(`${OPERATOR}/service-engine-groups`, 'service_engine_group', {
      name,
      min_se: 0,
      buffer_se: 0,
      max_se: 1,
    });
    const data = JSON.stringify({ service_engine_group: name });
    const profile = await ask('/v2/lbaas/flavorprofiles', 'flavorprofile', {
      name,
      provider_name: 'slipstream',
      flavor_data: data,
    });
    const flavor = await ask('/v2/lbaas/flavors', 'flavor', { name, flavor_profile_id: profile, enabled: true });
    return { group, profile, flavor };
  }

  async function cleanUp(): Promise<void> {
    for (const id of made) await demo.ask('load-balancer', 'DELETE', `${BALANCERS}/${id}?cascade=true`);
    for (const id of made) {
      const item = `${BALANCERS}/${id}`;
      await waitUntil(`${id} is gone`, PATIENCE, async () => (await demo.find('load-balancer', item)) === undefined);
    }
    await admin.ask('load-balancer', 'DELETE', `/v2/lbaas/flavors/${ids.flavor}`);
    await admin.ask('load-balancer', 'DELETE', `/v2/lbaas/flavorprofiles/${ids.profile}`);
    const engines = async (): Promise<{ id: string; service_engine_group_id: string }[]> =>
      (await admin.ask('load-balancer', 'GET', `${OPERATOR}/service-engines`)).service_engines.filter(
        ({ service_engine_group_id: of }: { service_engine_group_id: string }) => of === ids.group,
      );
    for (const { id } of await engines())
      await admin.ask('load-balancer', 'DELETE', `${OPERATOR}/service-engines/${id}`);
    await waitUntil('its engines are gone', PATIENCE, async () => (await engines()).length === 0);
    await admin.ask('load-balancer', 'DELETE', `${OPERATOR}/service-engine-groups/${ids.group}`);
  }
});
