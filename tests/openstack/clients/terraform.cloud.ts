import path from 'node:path';
import { openTerraform, type Terraform, type Variables } from '../../support/terraform';
import { type Cloud, openCloud, openrc } from './cloud';
import { logIn, type Session } from './session';
import { type Watch, watchApi } from './watch';

const EXAMPLE = path.resolve(__dirname, '../../../docs/clients/terraform');
const STEP_TIMEOUT = 300_000;

interface Listed {
  readonly id: string;
  readonly name: string;
}

describe('Terraform with the OpenStack provider', () => {
  jest.setTimeout(STEP_TIMEOUT);
  const name = `tf-${process.pid}`;
  let cloud: Cloud;
  let session: Session;
  let watch: Watch;
  let terraform: Terraform;
  let variables: Variables;
  let changed: Variables;

  /** Addresses that nobody needs to answer at. */
  const members = (count: number): string[] => {
    const network = cloud.isLab ? '10.10.2' : '127.0.12';
    return Array.from({ length: count }, (_, index) => `${network}.${100 + index}`);
  };

  beforeAll(async () => {
    cloud = await openCloud('127.71.0.0/24');
    const person = cloud.as('member');
    session = await logIn(person);
    watch = await watchApi(person, session.endpoint('load-balancer'));
    terraform = await openTerraform(EXAMPLE, openrc(watch.person));
    const named = cloud.isLab ? 'private-subnet' : 'local';
    const [subnet] = (await session.ask('network', 'GET', `/v2.0/subnets?name=${named}`)).subnets as Listed[];
    variables = { name, vip_subnet_id: subnet?.id, members: members(20) };
    changed = { ...variables, members: members(12), ports: [8081, 8082, 8083, 8086], connection_limit: 500 };
  });
  afterAll(async () => {
    // A test that failed half-way has left things behind.
    if ((await terraform?.resources())?.length) await terraform.destroy(variables);
    terraform?.dispose();
    await watch?.close();
    await cloud?.close();
  });

  const list = async (collection: string): Promise<Record<string, unknown>[]> => {
    const answer = await session.ask('load-balancer', 'GET', `/v2/lbaas/${collection}`);
    return answer[collection.split('/').at(-1) ?? ''];
  };
  const ours = async (collection: string): Promise<Record<string, unknown>[]> =>
    (await list(collection)).filter((each) => String(each['name']).startsWith(name));

  it('creates five listeners and twenty members at its own parallelism', async () => {
    await terraform.apply(variables);
    expect(await ours('listeners')).toHaveLength(5);
    const [pool] = (await ours('pools')).filter((each) => each['name'] === `${name}-site`);
    expect(await list(`pools/${pool?.['id']}/members`)).toHaveLength(20);
    expect(await ours('healthmonitors')).toEqual([expect.objectContaining({ expected_codes: '200-204' })]);
    expect((await ours('l7policies')).map((each) => each['action']).sort()).toEqual([
      'REDIRECT_TO_POOL',
      'REDIRECT_TO_URL',
    ]);
    expect(await ours('loadbalancers')).toEqual([expect.objectContaining({ provisioning_status: 'ACTIVE' })]);
  });

  it('finds nothing to change afterwards', async () => {
    expect(await terraform.wouldChange(variables)).toBe(false);
  });

  it('changes attributes, and takes away and adds members and listeners', async () => {
    expect(await terraform.wouldChange({ ...changed, monitored_path: '/health' })).toBe(true);
    await terraform.apply({ ...changed, monitored_path: '/health' });
    const listeners = await ours('listeners');
    expect(listeners.map((each) => each['protocol_port']).sort()).toEqual([8081, 8082, 8083, 8086]);
    expect(new Set(listeners.map((each) => each['connection_limit']))).toEqual(new Set([500]));
    expect(await ours('healthmonitors')).toEqual([expect.objectContaining({ url_path: '/health' })]);
    expect(await terraform.wouldChange({ ...changed, monitored_path: '/health' })).toBe(false);
  });

  it('reads back an object that it is told to import', async () => {
    const [pool] = (await ours('pools')).filter((each) => each['name'] === `${name}-api`);
    await terraform.run(['state', 'rm', 'openstack_lb_pool_v2.api']);
    await terraform.run(['import', '-input=false', 'openstack_lb_pool_v2.api', String(pool?.['id'])]);
    expect(await terraform.resources()).toContain('openstack_lb_pool_v2.api');
    expect(await ours('pools')).toHaveLength(2);
  });

  it('destroys everything', async () => {
    await terraform.destroy(changed);
    expect(await terraform.resources()).toEqual([]);
    for (const collection of ['loadbalancers', 'listeners', 'pools', 'healthmonitors', 'l7policies']) {
      expect(await ours(collection)).toEqual([]);
    }
  });

  // Looks back on all of the above.
  it('has met no conflict and no error of the server', () => {
    expect(watch.exchanges.length).toBeGreaterThan(100);
    const troubled = watch.exchanges.filter(({ status }) => status === 409 || status >= 500);
    // At most a few are shown: there may be hundreds of them.
    expect({ count: troubled.length, first: troubled.slice(0, 5) }).toEqual({ count: 0, first: [] });
  });
});
