import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../support/wait';
import { logIn, type Session } from './clients/session';
import { type Answer, type Client, type Endpoint, plugIn } from './hosts/endpoints';
import { cutPower } from './hosts/machines';
import { type Lab, readLab } from './lab';

/** Milliseconds: on two cores that a whole cloud shares. */
const PATIENCE = 240_000;
const MEMBER_PORT = 8080;
const PACE = 100;
const LBAAS = '/v2/lbaas';
const OPERATOR = '/v2/slipstream';

/**
 * Traffic through engines that Nova shows and the lab's hosts run: members in another network than the VIP's, clients in
 * the VIP's network and in the external one. What was measured goes into the lab's figures-traffic.json.
 */
describe('traffic through the lab', () => {
  const name = `traffic-${randomBytes(3).toString('hex')}`;
  const figures: Record<string, number> = {};
  let lab: Lab;
  let admin: Session;
  let demo: Session;
  let groupId: string;
  let profileId: string;
  let flavorId: string;
  let memberGroupId: string;
  let members: Endpoint[] = [];
  let tenant: Endpoint;
  let outside: Endpoint;
  let floatingIp: { readonly id: string; readonly address: string } | undefined;
  /** Those there are, by their VIP. */
  const balancers: { readonly id: string; readonly vip: string }[] = [];

  beforeAll(async () => {
    lab = readLab();
    [admin, demo] = await Promise.all([logIn(lab.person('admin', 'admin')), logIn(lab.person('demo', 'demo'))]);
    await makeFlavor();
    await makeMemberGroup();
    const { members_network_id: far, private_network_id: near, public_network_id: external } = lab.cloud;
    members = [await plugIn(demo, far, [memberGroupId]), await plugIn(demo, far, [memberGroupId])];
    for (const [at, member] of members.entries()) await member.serve(`member-${at}`, MEMBER_PORT);
    tenant = await plugIn(demo, near);
    outside = await plugIn(admin, external);
  }, PATIENCE);

  afterAll(async () => {
    console.info(`traffic through the lab: ${JSON.stringify(figures)}`);
    writeFileSync(path.join(lab.directory, 'figures-traffic.json'), JSON.stringify(figures, null, 2));
    await cleanUp();
  }, 3 * PATIENCE);

  it(
    'flows from the tenant to both members once a load balancer is ACTIVE on a new engine',
    async () => {
      const began = Date.now();
      const { id, vip } = await createBalancer('first');
      await becomesActive(id);
      figures['ms from create to ACTIVE with a new engine'] = Date.now() - began;

      const answers = await flows(tenant, vip);

      figures['ms from create to the first answer with a new engine'] = firstGood(answers).at - began;
      expect(await engineCount()).toBe(1);
    },
    2 * PATIENCE,
  );

  it(
    'flows from outside through a floating IP',
    async () => {
      const [first] = balancers;
      floatingIp = await makeFloatingIp(first?.id ?? '');

      await flows(outside, floatingIp.address);
    },
    PATIENCE,
  );

  it(
    'flows through a second load balancer on the engine that is there',
    async () => {
      const began = Date.now();
      const { id, vip } = await createBalancer('second');
      await becomesActive(id);
      figures['ms from create to ACTIVE on a warm engine'] = Date.now() - began;

      await flows(tenant, vip);

      expect(await engineCount()).toBe(1);
    },
    PATIENCE,
  );

  it(
    'stops at a port that was closed, and goes on when it is open again',
    async () => {
      const [, second] = balancers;
      const listener = (await lbaas(`/loadbalancers/${second?.id}`, 'loadbalancer')).listeners[0].id;
      const path = `${LBAAS}/listeners/${listener}`;

      await demo.ask('load-balancer', 'PUT', path, { listener: { admin_state_up: false } });
      await becomesActive(second?.id ?? '');
      await stopsFlowing(tenant, second?.vip ?? '');
      await demo.ask('load-balancer', 'PUT', path, { listener: { admin_state_up: true } });
      await becomesActive(second?.id ?? '');

      await flows(tenant, second?.vip ?? '');
    },
    PATIENCE,
  );

  it(
    'goes on by a new engine when the server of its engine is deleted',
    async () => {
      const outage = await loseEngine();

      figures['ms without answers, a new engine has to boot'] = outage.near;
      figures['ms without answers through the floating IP, a new engine has to boot'] = outage.far;
    },
    2 * PATIENCE,
  );

  it(
    'goes on by a spare engine where the group keeps one',
    async () => {
      const change = { service_engine_group: { buffer_se: 1 } };
      await admin.ask('load-balancer', 'PUT', `${OPERATOR}/service-engine-groups/${groupId}`, change);
      const areReady = async () => (await engines()).filter(({ status }) => status === 'READY').length === 2;
      await waitUntil('there is a spare engine', PATIENCE, areReady);

      const outage = await loseEngine();

      figures['ms without answers, a spare engine takes over'] = outage.near;
      figures['ms without answers through the floating IP, a spare engine takes over'] = outage.far;
    },
    2 * PATIENCE,
  );

  /** Deletes the server of the engine that serves, as the cloud's operator may; gives how long nobody was served. */
  async function loseEngine(): Promise<{ readonly near: number; readonly far: number }> {
    const [first] = balancers;
    const lost = await serverOf(first?.id ?? '');
    const near = tenant.ask(urlOf(first?.vip ?? ''), PACE);
    const far = outside.ask(urlOf(floatingIp?.address ?? ''), PACE);
    try {
      await waitUntil('both are answered', PATIENCE, () => [near, far].every(isBack));
      const deleted = Date.now();
      cutPower(lab, lost);
      await admin.ask('compute', 'DELETE', `/servers/${lost}`);
      const fails = (client: Client) => client.answers.some((answer) => answer.at > deleted && !isGood(answer));
      await waitUntil('nobody is answered', PATIENCE, () => [near, far].every(fails));
      await waitUntil('the tenant is answered again', PATIENCE, () => isBack(near));
      await waitUntil('the world is answered again', PATIENCE, () => isBack(far));
      await becomesActive(first?.id ?? '');
      expect(await serverOf(first?.id ?? '')).not.toBe(lost);
      return { near: outageOf(near, deleted), far: outageOf(far, deleted) };
    } finally {
      near.stop();
      far.stop();
    }
  }

  /** Nova's id of the engine that serves the load balancer. */
  async function serverOf(id: string): Promise<string> {
    const all = (await admin.ask('load-balancer', 'GET', `/v2/octavia/amphorae?loadbalancer_id=${id}`)).amphorae;
    return all[0].compute_id;
  }

  async function createBalancer(label: string): Promise<{ id: string; vip: string }> {
    const loadbalancer = {
      name: `${name}-${label}`,
      flavor_id: flavorId,
      vip_subnet_id: lab.cloud.private_subnet_id,
      listeners: [
        {
          name: 'web',
          protocol: 'HTTP',
          protocol_port: 80,
          default_pool: {
            name: 'members',
            protocol: 'HTTP',
            lb_algorithm: 'ROUND_ROBIN',
            healthmonitor: { type: 'HTTP', delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1 },
            members: members.map(({ address }) => ({
              address,
              protocol_port: MEMBER_PORT,
              subnet_id: lab.cloud.members_subnet_id,
            })),
          },
        },
      ],
    };
    const made = (await demo.ask('load-balancer', 'POST', `${LBAAS}/loadbalancers`, { loadbalancer })).loadbalancer;
    const balancer = { id: made.id as string, vip: made.vip_address as string };
    balancers.push(balancer);
    return balancer;
  }

  async function becomesActive(id: string): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const status: string = (await lbaas(`/loadbalancers/${id}`, 'loadbalancer')).provisioning_status;
      if (status === 'ACTIVE') return;
      if (Date.now() > deadline) throw new Error(`load balancer ${id} is ${status}`);
      // Not all the time: whoever asks takes from the processors that make it ACTIVE.
      await sleep(200);
    }
  }

  const lbaas = async (item: string, root: string) => (await demo.ask('load-balancer', 'GET', `${LBAAS}${item}`))[root];

  /** Waits for answers of both members; gives all there were. */
  async function flows(from: Endpoint, address: string): Promise<readonly Answer[]> {
    const client = from.ask(urlOf(address), PACE);
    const from0and1 = () =>
      ['member-0', 'member-1'].every((body) => client.answers.some((one) => isGood(one) && one.body === body));
    await waitUntil(`both members answer through ${address}`, PATIENCE, from0and1).finally(() => client.stop());
    return client.answers;
  }

  async function stopsFlowing(from: Endpoint, address: string): Promise<void> {
    const client = from.ask(urlOf(address), PACE);
    const isOut = () => client.answers.length > 5 && client.answers.slice(-5).every((answer) => !isGood(answer));
    await waitUntil(`nothing answers at ${address}`, PATIENCE, isOut).finally(() => client.stop());
  }

  /** Of this suite's group, those that are not on their way out. */
  async function engines(): Promise<{ id: string; status: string }[]> {
    const all = (await admin.ask('load-balancer', 'GET', `${OPERATOR}/service-engines`)).service_engines;
    return all.filter((one: { service_engine_group_id: string }) => one.service_engine_group_id === groupId);
  }

  const engineCount = async () => (await engines()).length;

  async function makeFloatingIp(id: string): Promise<{ id: string; address: string }> {
    const { vip_port_id: port } = await lbaas(`/loadbalancers/${id}`, 'loadbalancer');
    const floatingip = { floating_network_id: lab.cloud.public_network_id, port_id: port };
    const made = (await demo.ask('network', 'POST', '/v2.0/floatingips', { floatingip })).floatingip;
    return { id: made.id, address: made.floating_ip_address };
  }

  /** A group of its own: engines of other suites do not count, and there is no buffer. */
  async function makeFlavor(): Promise<void> {
    const group = { name, min_se: 0, buffer_se: 0, max_se: 3 };
    const made = await admin.ask('load-balancer', 'POST', `${OPERATOR}/service-engine-groups`, {
      service_engine_group: group,
    });
    groupId = made.service_engine_group.id;
    const profile = { name, provider_name: 'slipstream', flavor_data: JSON.stringify({ service_engine_group: name }) };
    const profiles = await admin.ask('load-balancer', 'POST', `${LBAAS}/flavorprofiles`, { flavorprofile: profile });
    profileId = profiles.flavorprofile.id;
    const flavor = { name, flavor_profile_id: profileId, enabled: true };
    flavorId = (await admin.ask('load-balancer', 'POST', `${LBAAS}/flavors`, { flavor })).flavor.id;
  }

  async function makeMemberGroup(): Promise<void> {
    const made = await demo.ask('network', 'POST', '/v2.0/security-groups', { security_group: { name } });
    memberGroupId = made.security_group.id;
    const rule = {
      security_group_id: memberGroupId,
      direction: 'ingress',
      ethertype: 'IPv4',
      protocol: 'tcp',
      port_range_min: MEMBER_PORT,
      port_range_max: MEMBER_PORT,
    };
    await demo.ask('network', 'POST', '/v2.0/security-group-rules', { security_group_rule: rule });
  }

  async function cleanUp(): Promise<void> {
    const change = { service_engine_group: { buffer_se: 0 } };
    await admin.ask('load-balancer', 'PUT', `${OPERATOR}/service-engine-groups/${groupId}`, change);
    if (floatingIp) await demo.ask('network', 'DELETE', `/v2.0/floatingips/${floatingIp.id}`);
    for (const { id } of balancers)
      await demo.ask('load-balancer', 'DELETE', `${LBAAS}/loadbalancers/${id}?cascade=true`);
    for (const { id } of balancers) {
      const item = `${LBAAS}/loadbalancers/${id}`;
      await waitUntil(`${id} is gone`, PATIENCE, async () => (await demo.find('load-balancer', item)) === undefined);
    }
    for (const endpoint of [...members, tenant, outside]) await endpoint?.remove();
    if (memberGroupId) await demo.ask('network', 'DELETE', `/v2.0/security-groups/${memberGroupId}`);
    if (flavorId) await admin.ask('load-balancer', 'DELETE', `${LBAAS}/flavors/${flavorId}`);
    if (profileId) await admin.ask('load-balancer', 'DELETE', `${LBAAS}/flavorprofiles/${profileId}`);
    for (const { id } of await engines())
      await admin.ask('load-balancer', 'DELETE', `${OPERATOR}/service-engines/${id}`);
    await waitUntil('its engines are gone', PATIENCE, async () => (await engineCount()) === 0);
    await admin.ask('load-balancer', 'DELETE', `${OPERATOR}/service-engine-groups/${groupId}`);
  }
});

const urlOf = (address: string) => `http://${address}/`;
const isGood = ({ status }: Answer) => status === 200;

function firstGood(answers: readonly Answer[]): Answer {
  const found = answers.find(isGood);
  if (!found) throw new Error('nothing was answered');
  return found;
}

/** Milliseconds from the first request that failed after this moment to the last one. */
function outageOf({ answers }: Client, since: number): number {
  const failed = answers.filter((answer) => answer.at >= since && !isGood(answer)).map(({ at }) => at);
  return failed.length === 0 ? 0 : Math.max(...failed) - Math.min(...failed) + PACE;
}

/** Twenty good answers in a row. */
function isBack({ answers }: Client): boolean {
  return answers.length >= 20 && answers.slice(-20).every(isGood);
}
