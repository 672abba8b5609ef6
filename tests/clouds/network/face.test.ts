import request from 'supertest';
import type { UserName } from '../../support/simulators/keystone';
import { type CloudFaces, startCloudFaces } from '../../support/simulators/startCloudFaces';

let faces: CloudFaces;
beforeEach(async () => {
  faces = await startCloudFaces();
});
afterEach(() => faces.close());

const as = (user: UserName, project = 'demo') => {
  const headers = { 'X-Auth-Token': faces.tokenFor(user, project) };
  const http = request(`${faces.networkUrl}/v2.0`);
  return {
    get: (path: string) => http.get(path).set(headers),
    delete: (path: string) => http.delete(path).set(headers),
    post: (path: string, body: object) => http.post(path).set(headers).send(body),
    put: (path: string, body: object) => http.put(path).set(headers).send(body),
  };
};
const named = (rows: readonly { name: string }[]) => rows.map(({ name }) => name).sort();
const local = async () => (await as('member').get('/networks?name=local')).body.networks[0];
const makePort = async (user: UserName = 'member', change: object = {}) =>
  (await as(user).post('/ports', { port: { network_id: (await local()).id, name: 'p', ...change } })).body.port;
const NOWHERE = '00000000-0000-4000-8000-000000000000';

describe('access', () => {
  it('is refused without a valid token, with the address of Keystone', async () => {
    const { status, body, headers } = await request(faces.networkUrl)
      .get('/v2.0/networks')
      .set('X-Auth-Token', 'invented');

    expect(status).toBe(401);
    expect(headers['www-authenticate']).toBe(`Keystone uri="${faces.authUrl}"`);
    expect(body).toEqual({
      error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
    });
  });

  it('needs no token for the versions', async () => {
    const { body } = await request(faces.networkUrl).get('/');

    expect(body.versions[0]).toMatchObject({
      id: 'v2.0',
      status: 'CURRENT',
      links: [{ href: `${faces.networkUrl}/v2.0/` }],
    });
  });

  it('lets readers read and not write', async () => {
    const { id } = await local();

    expect((await as('reader').get('/networks')).status).toBe(200);
    const { status, body } = await as('reader').post('/ports', { port: { network_id: id } });
    expect([status, body.NeutronError.type]).toEqual([403, 'PolicyNotAuthorized']);
  });

  it('shows a project its own and the shared networks only, and an admin all', async () => {
    await as('admin', 'admin').post('/networks', { network: { name: 'private' } });
    const mine = await as('member').post('/networks', { network: { name: 'mine' } });

    expect(named((await as('member').get('/networks')).body.networks)).toEqual(['local', 'mine', 'public']);
    expect(named((await as('admin').get('/networks')).body.networks)).toEqual(['local', 'mine', 'private', 'public']);
    expect(mine.body.network).toMatchObject({ shared: false, 'router:external': false, subnets: [], status: 'ACTIVE' });
  });

  it('answers 404 for what belongs to somebody else, and 403 for what is shared but not theirs', async () => {
    const hidden = (await as('admin', 'admin').post('/networks', { network: { name: 'private' } })).body.network;
    const shared = await local();

    expect((await as('member').get(`/networks/${hidden.id}`)).status).toBe(404);
    expect((await as('member').delete(`/networks/${hidden.id}`)).body.NeutronError).toEqual({
      type: 'NetworkNotFound',
      message: `Network ${hidden.id} could not be found.`,
      detail: '',
    });
    expect((await as('member').put(`/networks/${shared.id}`, { network: { name: 'x' } })).status).toBe(403);
    expect((await as('member').delete(`/networks/${shared.id}`)).status).toBe(403);
    expect((await as('member').post('/ports', { port: { network_id: hidden.id } })).status).toBe(404);
  });

  it.each([
    ['a shared network', '/networks', { network: { name: 'n', shared: true } }],
    ['an external network', '/networks', { network: { name: 'n', 'router:external': true } }],
    ['something for another project', '/networks', { network: { name: 'n', project_id: 'somebody' } }],
    ['a QoS policy', '/qos/policies', { policy: { name: 'gold' } }],
  ])('forbids a member to make %s', async (_what, path, body) => {
    expect((await as('member').post(path, body)).status).toBe(403);
    expect((await as('admin').post(path, body)).status).toBe(201);
  });

  it('does not let a member plug a port into the external network or use the groups of others', async () => {
    const external = (await as('member').get('/networks?name=public')).body.networks[0];
    const foreign = (await as('admin', 'admin').get('/security-groups?name=default')).body.security_groups;
    const group = foreign.find(
      ({ project_id }: { project_id: string }) => project_id !== faces.keystone.directory.projects[1]?.id,
    );

    expect((await as('member').post('/ports', { port: { network_id: external.id } })).status).toBe(403);
    const { status, body } = await as('member').post('/ports', {
      port: { network_id: (await local()).id, security_groups: [group.id] },
    });
    expect([status, body.NeutronError.type]).toEqual([404, 'SecurityGroupNotFound']);
  });
});

describe('lists', () => {
  it('filter by any attribute, by several values of one, and by both', async () => {
    for (const name of ['a', 'b', 'c']) await makePort('member', { name, device_id: `device-${name}` });

    expect(named((await as('member').get('/ports?name=a&name=b')).body.ports)).toEqual(['a', 'b']);
    expect(named((await as('member').get('/ports?name=a&name=b&device_id=device-b')).body.ports)).toEqual(['b']);
    expect((await as('member').get('/ports?admin_state_up=False')).body.ports).toEqual([]);
    expect((await as('member').get('/ports?admin_state_up=True')).body.ports).toHaveLength(3);
    expect((await as('member').get('/networks?router:external=true')).body.networks).toHaveLength(1);
  });

  it('find a port by its address', async () => {
    const port = await makePort('member', { fixed_ips: [{ ip_address: '127.80.5.5' }] });
    await makePort();

    for (const query of ['fixed_ips=ip_address%3D127.80.5.5', 'ip_address=127.80.5.5']) {
      expect((await as('member').get(`/ports?${query}`)).body.ports).toEqual([port]);
    }
  });

  it('refuse a filter that is no attribute', async () => {
    const { status, body } = await as('member').get('/networks?colour=red');

    expect([status, body.NeutronError.message]).toEqual([400, '["colour"] is invalid attribute for filtering']);
  });

  it('give only the fields asked for', async () => {
    const { body } = await as('member').get('/networks?fields=id&fields=name&name=local');

    expect(Object.keys(body.networks[0]).sort()).toEqual(['id', 'name']);
  });

  it('come in order and in pages that link to the next', async () => {
    for (const name of ['b', 'c', 'a']) await makePort('member', { name });

    const first = await as('member').get('/ports?sort_key=name&sort_dir=desc&limit=2');
    const url = new URL(first.body.ports_links[0].href);
    const second = await as('member').get(`${url.pathname.replace(/^.*v2\.0/, '')}${url.search}`);

    expect(first.body.ports.map(({ name }: { name: string }) => name)).toEqual(['c', 'b']);
    expect(second.body.ports.map(({ name }: { name: string }) => name)).toEqual(['a']);
    expect(second.body.ports_links).toBeUndefined();
  });

  it('filter by tags', async () => {
    const port = await makePort();
    await makePort();

    expect((await as('member').put(`/ports/${port.id}/tags`, { tags: ['red', 'big'] })).body).toEqual({
      tags: ['red', 'big'],
    });
    expect((await as('member').get('/ports?tags=red,big')).body.ports).toHaveLength(1);
    expect((await as('member').get('/ports?tags-any=red,blue')).body.ports).toHaveLength(1);
    expect((await as('member').get('/ports?not-tags=red')).body.ports).toHaveLength(1);
    expect((await as('member').delete(`/ports/${port.id}/tags`)).status).toBe(204);
    expect((await as('member').get('/ports?tags=red')).body.ports).toEqual([]);
  });
});

describe('changes', () => {
  it('of a port show in it, and raise its revision', async () => {
    const port = await makePort();

    const { status, body } = await as('member').put(`/ports/${port.id}`, {
      port: { name: 'new', allowed_address_pairs: [{ ip_address: '127.80.9.0/24' }], 'binding:profile': {} },
    });

    expect(status).toBe(200);
    expect(body.port).toMatchObject({
      name: 'new',
      allowed_address_pairs: [{ ip_address: '127.80.9.0/24', mac_address: port.mac_address }],
      fixed_ips: port.fixed_ips,
      revision_number: port.revision_number + 1,
    });
  });

  it('of a security group are rules, each once', async () => {
    const group = (await as('member').post('/security-groups', { security_group: { name: 'web' } })).body
      .security_group;
    const rule = {
      security_group_id: group.id,
      direction: 'ingress',
      protocol: 'tcp',
      port_range_min: 80,
      port_range_max: '80',
    };

    const made = await as('member').post('/security-group-rules', { security_group_rule: rule });
    const again = await as('member').post('/security-group-rules', { security_group_rule: rule });
    const { body } = await as('member').get(`/security-groups/${group.id}`);

    expect(made.body.security_group_rule).toMatchObject({
      ethertype: 'IPv4',
      port_range_max: 80,
      remote_ip_prefix: null,
    });
    expect([again.status, again.body.NeutronError.type]).toEqual([409, 'SecurityGroupRuleExists']);
    expect(body.security_group.security_group_rules).toHaveLength(3);
    expect((await as('member').delete(`/security-group-rules/${made.body.security_group_rule.id}`)).status).toBe(204);
    expect(
      (await as('member').get(`/security-group-rules?security_group_id=${group.id}`)).body.security_group_rules,
    ).toHaveLength(2);
  });

  it("of a floating IP put it onto a port of one's own only", async () => {
    const network = (await as('member').get('/networks?name=public')).body.networks[0];
    const { body } = await as('member').post('/floatingips', { floatingip: { floating_network_id: network.id } });
    const [own, foreign] = [await makePort(), await makePort('admin')];
    const foreignPort = (await as('admin', 'admin').post('/ports', { port: { network_id: foreign.network_id } })).body
      .port;

    expect(body.floatingip).toMatchObject({
      status: 'DOWN',
      port_id: null,
      floating_ip_address: expect.stringMatching(/^203\.0\.113\./),
    });
    const put = (portId: string) =>
      as('member').put(`/floatingips/${body.floatingip.id}`, { floatingip: { port_id: portId } });
    expect((await put(foreignPort.id)).status).toBe(404);
    expect((await put(own.id)).body.floatingip).toMatchObject({ status: 'ACTIVE', port_details: { name: 'p' } });
  });

  it.each([
    [
      'a missing attribute',
      '/ports',
      { port: {} },
      "Failed to parse request. Required attribute 'network_id' not specified",
    ],
    ['an unknown attribute', '/networks', { network: { colour: 'red' } }, "Unrecognized attribute(s) 'colour'"],
    ['a wrong root', '/networks', { port: {} }, "Unable to find 'network' in request body"],
    ['a wrong type', '/networks', { network: { admin_state_up: 'maybe' } }, 'Invalid input for admin_state_up.'],
  ])('are refused for %s', async (_what, path, body, message) => {
    const answer = await as('member').post(path, body);

    expect([answer.status, answer.body.NeutronError.type]).toEqual([400, 'HTTPBadRequest']);
    expect(answer.body.NeutronError.message).toContain(message);
  });

  it('are refused for a body that is no JSON', async () => {
    const { status, body } = await request(faces.networkUrl)
      .post('/v2.0/networks')
      .set({ 'X-Auth-Token': faces.tokenFor('member', 'demo'), 'Content-Type': 'application/json' })
      .send('{"network":');

    expect([status, body.NeutronError.type]).toEqual([400, 'HTTPBadRequest']);
  });
});

it.each(['networks', 'subnets', 'ports', 'security-groups', 'security-group-rules', 'floatingips', 'qos/policies'])(
  'answers 404 in the form of Neutron for unknown %s',
  async (path) => {
    const shown = await as('admin').get(`/${path}/${NOWHERE}`);
    const deleted = await as('admin').delete(`/${path}/${NOWHERE}`);

    expect([shown.status, deleted.status]).toEqual([404, 404]);
    expect(shown.body.NeutronError).toMatchObject({ type: expect.stringMatching(/NotFound$/), detail: '' });
  },
);

it('tells clients which extensions it has', async () => {
  const { body } = await as('member').get('/extensions');

  expect(body.extensions.map(({ alias }: { alias: string }) => alias)).toEqual(
    expect.arrayContaining(['qos', 'allowed-address-pairs', 'security-group', 'router']),
  );
  expect((await as('member').get('/extensions/qos')).body.extension.alias).toBe('qos');
  expect((await as('member').get('/extensions/trunk')).status).toBe(404);
});
