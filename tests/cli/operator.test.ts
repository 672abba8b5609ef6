import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createProgram } from '../../driver/cli/program';
import type { RunningProcess } from '../../driver/domain/process';
import { startTestApi, type TestApi } from '../support/api';
import { freePorts } from '../support/freePorts';
import { insertEngine, insertGroup, insertLoadBalancer, insertPlacement } from '../support/rows';
import { PASSWORDS, type UserName } from '../support/simulators/keystone';
import { keystoneSection } from '../support/simulators/keystoneSettings';
import { type CloudFaces, startCloudFaces } from '../support/simulators/startCloudFaces';
import { startStandaloneApi } from '../support/standaloneApi';

const environment = { ...process.env };
let printed = '';
beforeEach(() => {
  printed = '';
  for (const name of Object.keys(process.env)) if (name.startsWith('OS_')) delete process.env[name];
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  process.env = { ...environment };
});

/** Runs a command as its process would, in this environment. */
async function slipstream(env: Readonly<Record<string, string>>, ...words: string[]): Promise<string> {
  Object.assign(process.env, env);
  printed = '';
  await createProgram(() => undefined).parseAsync(words, { from: 'user' });
  return printed;
}

describe('the commands on an API that asks Keystone', () => {
  let folder: string;
  let faces: CloudFaces;
  let api: RunningProcess;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'ss-operator-'));
    const [port = 0] = await freePorts(1);
    faces = await startCloudFaces([{ type: 'load-balancer', name: 'octavia', url: `http://127.0.0.1:${port}` }]);
    api = await startStandaloneApi(folder, keystoneSection(faces.authUrl), port);
  });
  afterAll(async () => {
    await api.close();
    await faces.close();
    rmSync(folder, { recursive: true });
  });
  const as = (user: UserName, project: string, ...words: string[]) =>
    slipstream(faces.environmentOf(user, project), ...words);

  it('make, show, change and delete a group as an admin whom the environment names', async () => {
    const made = JSON.parse(
      await as('admin', 'admin', 'group', 'create', 'gold', '--max-se', '3', '--algo', 'distributed', '-f', 'json'),
    );
    expect(made).toMatchObject({ name: 'gold', max_se: 3, algo: 'distributed', buffer_se: 1 });
    expect(await as('admin', 'admin', 'group', 'list')).toMatch(/\| name +\|.*\n.*\n\| \S+ \| gold +\|/);
    expect(await as('admin', 'admin', 'group', 'show', made.id)).toMatch(/\| max_se +\| 3 +\|/);
    await as(
      'admin',
      'admin',
      'group',
      'set',
      'gold',
      '--name',
      'iron',
      '--unset',
      'max_se',
      '--property',
      'per_app=yes',
    );
    expect(JSON.parse(await as('admin', 'admin', 'group', 'show', 'iron', '-f', 'json'))).toMatchObject({
      id: made.id,
      max_se: 10,
      per_app: true,
    });
    expect(await as('admin', 'admin', 'group', 'delete', 'iron')).toBe('');
    const told = JSON.parse(await as('admin', 'admin', 'event', 'list', '--resource', made.id, '-f', 'json'));
    expect(told.map(({ name }: { name: string }) => name).sort()).toEqual([
      'GROUP_CHANGED',
      'GROUP_CREATED',
      'GROUP_DELETED',
    ]);
    expect(told[0].user_id).toEqual(expect.stringMatching(/./));
  });

  it('take a cloud of clouds.yaml', async () => {
    const auth = { auth_url: faces.authUrl, username: 'admin', password: PASSWORDS.admin, project_name: 'admin' };
    const clouds = { clouds: { site: { auth, region_name: 'RegionOne' } } };
    const file = path.join(folder, 'clouds.yaml');
    writeFileSync(file, JSON.stringify(clouds));

    const listed = await slipstream(
      { OS_CLIENT_CONFIG_FILE: file },
      'engine',
      'list',
      '--os-cloud',
      'site',
      '-f',
      'json',
    );

    expect(JSON.parse(listed)).toEqual([]);
    await expect(slipstream({ OS_CLIENT_CONFIG_FILE: file }, 'engine', 'list', '--os-cloud', 'moon')).rejects.toThrow(
      `cloud moon was not found in ${file}`,
    );
  });

  it('take a token', async () => {
    const env = { OS_AUTH_TYPE: 'v3token', OS_AUTH_URL: faces.authUrl, OS_TOKEN: faces.tokenFor('admin', 'admin') };

    expect(
      JSON.parse(await slipstream({ ...env, OS_PROJECT_NAME: 'admin' }, 'placement', 'list', '-f', 'json')),
    ).toEqual([]);
  });

  it('say what the API and Keystone say', async () => {
    await expect(as('member', 'demo', 'group', 'list')).rejects.toThrow(
      'Policy does not allow this request to be performed. (HTTP 403)',
    );
    await expect(as('admin', 'admin', 'group', 'create', 'x', '--property', 'se_mtu=9000')).rejects.toThrow(
      'Validation failure: se_mtu does not apply here: an engine takes the MTU of each network from the network service.',
    );
    await expect(as('admin', 'admin', 'group', 'show', 'none')).rejects.toThrow('not found. (HTTP 404)');
    await expect(as('admin', 'admin', 'group', 'list', '--os-password', 'wrong')).rejects.toThrow(/401/);
  });

  it('say what is missing', async () => {
    await expect(slipstream({}, 'group', 'list')).rejects.toThrow('name a cloud by --os-cloud');
    const nowhere = { OS_AUTH_TYPE: 'none', OS_ENDPOINT: 'http://127.0.0.1:1' };
    await expect(slipstream(nowhere, 'group', 'list')).rejects.toThrow('the API at http://127.0.0.1:1 does not answer');
  });
});

describe('the commands on an API without Keystone', () => {
  let api: TestApi;
  let env: Record<string, string>;
  beforeAll(async () => {
    api = await startTestApi({ edge: {} });
    env = { OS_AUTH_TYPE: 'none', OS_ENDPOINT: api.url };
  });
  afterAll(() => api.close());

  it('ask which load balancer is meant by a name that none has, or several', async () => {
    await expect(slipstream(env, 'trace', 'nothing')).rejects.toThrow('there is no load balancer named nothing');
    for (let n = 0; n < 2; n += 1) await insertLoadBalancer(api.db, { name: 'twin' });
    await expect(slipstream(env, 'trace', 'twin')).rejects.toThrow('2 load balancers named twin: say which by its id');
  });

  it('show and retire engines, and show what is placed on them', async () => {
    const group = await insertGroup(api.db, { name: 'gold' });
    const engine = await insertEngine(api.db, { service_engine_group_id: group.id, name: 'se-1' });
    const other = await insertEngine(api.db, {
      service_engine_group_id: (await insertGroup(api.db, { is_default: 0 })).id,
    });
    const lb = await insertLoadBalancer(api.db);
    await insertPlacement(api.db, { load_balancer_id: lb.id, service_engine_id: engine.id });

    expect(await slipstream(env, 'engine', 'list', '--group', 'gold', '-f', 'value')).toContain(`${engine.id} se-1`);
    expect(JSON.parse(await slipstream(env, 'engine', 'list', '--limit', '1', '-f', 'json'))).toHaveLength(1);
    const placed = JSON.parse(await slipstream(env, 'placement', 'list', '--engine', 'se-1', '-f', 'json'));
    expect(placed).toMatchObject([{ loadbalancer_id: lb.id, service_engine_id: engine.id }]);
    await api.db('load_balancer').where({ id: lb.id }).update({ name: 'shop' });
    const planned = await slipstream(env, 'placement', 'explain', 'shop');
    expect(await slipstream(env, 'placement', 'explain', lb.id)).toBe(planned);
    expect(planned).toMatch(/\| service_engine_group_name +\| gold +\|/);
    await slipstream(env, 'engine', 'delete', 'se-1');
    expect(await slipstream(env, 'engine', 'show', 'se-1')).toMatch(/\| deleting +\| true +\|/);
    expect(await slipstream(env, 'engine', 'list', '--filter', 'deleting=false', '-f', 'value')).not.toContain(
      engine.id,
    );
    expect(await slipstream(env, 'engine', 'list', '--filter', 'deleting=false', '-f', 'value')).toContain(other.id);
  });

  it('scale a load balancer, and show the plan that follows', async () => {
    await api.db('service_engine_group').update({ is_default: 0 });
    const group = await insertGroup(api.db, { name: 'scaled', is_default: 1 });
    const engine = await insertEngine(api.db, { service_engine_group_id: group.id, name: 'se-a', connected_to: 'hm' });
    await insertEngine(api.db, { service_engine_group_id: group.id, name: 'se-b', connected_to: 'hm' });
    const lb = await insertLoadBalancer(api.db);
    await insertPlacement(api.db, { load_balancer_id: lb.id, service_engine_id: engine.id });
    const free = () => api.db('load_balancer').update({ provisioning_status: 'ACTIVE' });
    const plan = async (...words: string[]) => {
      const shown = JSON.parse(await slipstream(env, 'loadbalancer', ...words, '-f', 'json'));
      await free();
      return shown;
    };

    expect(await plan('scaleout', lb.id, '--count', '2')).toMatchObject({ engines_wanted: 3, engines_kept: 1 });
    expect(await plan('scalein', lb.id)).toMatchObject({ engines_wanted: 2, engines_leaving: 0 });
    expect(await plan('migrate', lb.id, '--from', 'se-a', '--to', 'se-b')).toMatchObject({ engines_leaving: 1 });
    await expect(slipstream(env, 'loadbalancer', 'scalein', lb.id, '--engine', 'se-a')).rejects.toThrow(
      `Load Balancer ${lb.id} is leaving service engine ${engine.id} already. (HTTP 409)`,
    );
  });

  it('show nothing that steers a terminal', async () => {
    const clearing = '\u001b[2J';
    await insertGroup(api.db, { name: `x${clearing}` });

    expect(await slipstream(env, 'group', 'list')).not.toContain(clearing);
  });
});
