import { startTestApi, type TestApi } from '../support/api';
import { describeOnDatabases } from '../support/database';
import { insertLoadBalancer } from '../support/rows';

const UNKNOWN = '99999999-9999-4999-8999-999999999999';
const NIL = '00000000-0000-0000-0000-000000000000';

/** The two pairs of kinds have the same rules; only names and texts differ. */
const PAIRS = [
  {
    kind: 'flavors',
    profiles: 'flavorprofiles',
    profileRoot: 'flavorprofile',
    profileLinks: 'flavorprofile_links',
    profileTitle: 'Flavor profile',
    data: 'flavor_data',
    goodData: '{"loadbalancer_topology": "SINGLE"}',
    root: 'flavor',
    plural: 'flavors',
    title: 'Flavor',
    profileId: 'flavor_profile_id',
    key: 'id',
    duplicate: 'A flavor of gold already exists.',
    reference: 'flavor_id',
    argument: 'flavor_',
    keys: ['id', 'name', 'description', 'enabled', 'flavor_profile_id'],
  },
  {
    kind: 'availabilityzones',
    profiles: 'availabilityzoneprofiles',
    profileRoot: 'availability_zone_profile',
    profileLinks: 'availability_zone_profile_links',
    profileTitle: 'Availability Zone Profile',
    data: 'availability_zone_data',
    goodData: '{"compute_zone": "az1"}',
    root: 'availability_zone',
    plural: 'availability_zones',
    title: 'Availability Zone',
    profileId: 'availability_zone_profile_id',
    key: 'name',
    duplicate: 'A availability zone of gold already exists.',
    reference: 'availability_zone',
    argument: 'availability_zone_',
    keys: ['name', 'description', 'enabled', 'availability_zone_profile_id'],
  },
] as const;

const TABLES = ['load_balancer', 'flavor', 'flavor_profile', 'availability_zone', 'availability_zone_profile'];

describeOnDatabases('flavors and availability zones', (database) => {
  describe.each(PAIRS)('$kind', (kind) => {
    let api: TestApi;
    let profile: string;
    beforeAll(async () => {
      api = await startTestApi({ db: await database.open() });
    });
    beforeEach(async () => {
      for (const table of TABLES) await api.db(table).delete();
      const made = { name: 'p', provider_name: 'octavia', [kind.data]: kind.goodData };
      profile = (await api.create(`/v2/lbaas/${kind.profiles}`, kind.profileRoot, made)).id;
    });
    afterAll(() => api.close());

    const make = (fields: object = {}) =>
      api.post(`/v2/lbaas/${kind.kind}`, { [kind.root]: { name: 'gold', [kind.profileId]: profile, ...fields } });
    const change = (key: string, fields: object) => api.put(`/v2/lbaas/${kind.kind}/${key}`, { [kind.root]: fields });
    const changeProfile = (fields: object) =>
      api.put(`/v2/lbaas/${kind.profiles}/${profile}`, { [kind.profileRoot]: fields });
    const makeProfile = (fields: object) =>
      api.post(`/v2/lbaas/${kind.profiles}`, {
        [kind.profileRoot]: { name: 'q', provider_name: 'octavia', [kind.data]: kind.goodData, ...fields },
      });

    it('are made with defaults, shown, listed, changed and deleted', async () => {
      const { status, body } = await make();
      const object = body[kind.root];
      const path = `/v2/lbaas/${kind.kind}/${object[kind.key]}`;

      expect([status, Object.keys(object)]).toEqual([201, kind.keys]);
      expect(object).toMatchObject({ name: 'gold', description: '', enabled: true });
      expect((await api.get(path)).body).toEqual(body);
      expect((await api.get(`/v2/${kind.kind}?name=gold&enabled=true`)).body).toEqual({
        [kind.plural]: [object],
        [`${kind.plural}_links`]: [],
      });
      expect((await change(object[kind.key], { description: 'd', enabled: 'no' })).body[kind.root]).toEqual({
        ...object,
        description: 'd',
        enabled: false,
      });
      expect((await change(object[kind.key], { description: null })).body[kind.root].description).toBe('');
      const gone = await api.delete(path);
      expect([gone.status, gone.text]).toEqual([204, '']);
      expect((await api.delete(path)).body.faultstring).toBe(`${kind.title} ${object[kind.key]} not found.`);
    });

    it('have names of their own', async () => {
      await make();
      const again = await make();

      expect([again.status, again.body.faultstring]).toEqual([409, kind.duplicate]);
    });

    it('need a profile that is there', async () => {
      const answer = await make({ [kind.profileId]: UNKNOWN });

      expect([answer.status, answer.body.faultstring]).toEqual([400, `${kind.profileTitle} ${UNKNOWN} not found.`]);
      expect((await make({ [kind.profileId]: null })).status).toBe(400);
      expect((await make({ name: null })).body.faultstring).toBe('None is not a valid option for name');
      expect((await make({ enabled: null })).status).toBe(400);
    });

    it('stay while a load balancer has them, unless that is deleted', async () => {
      const key = (await make()).body[kind.root][kind.key];
      const { id } = await insertLoadBalancer(api.db, { [kind.reference]: key });
      const refused = await api.delete(`/v2/lbaas/${kind.kind}/${key}`);

      expect([refused.status, refused.body.faultstring]).toEqual([
        409,
        `${kind.title} ${key} is in use and cannot be modified.`,
      ]);
      await api.db('load_balancer').where({ id }).update({ provisioning_status: 'DELETED' });
      expect((await api.delete(`/v2/lbaas/${kind.kind}/${key}`)).status).toBe(204);
    });

    it('are not found by the id that marks deleted ones', async () => {
      for (const path of [kind.kind, kind.profiles])
        expect((await api.get(`/v2/lbaas/${path}/${NIL}`)).status).toBe(404);
    });

    it('have profiles that are listed under Octavia’s odd key', async () => {
      const { body } = await api.get(`/v2/lbaas/${kind.profiles}?provider_name=octavia&fields=id`);

      expect(body).toEqual({ [`${kind.profileRoot}s`]: [{ id: profile }], [kind.profileLinks]: [] });
    });

    it('have profiles whose data is JSON the provider knows', async () => {
      const broken = await makeProfile({ [kind.data]: '{hello: "world"}' });
      const unknown = await makeProfile({ [kind.data]: '{"hello": "world"}' });
      const foreign = await makeProfile({ provider_name: 'f5' });

      expect([broken.status, broken.body.faultstring]).toEqual([
        400,
        `{hello: "world"} is not a valid option for ${kind.data}`,
      ]);
      expect(unknown.status).toBe(501);
      expect(unknown.body.faultstring).toMatch(/^Provider 'octavia' does not support a requested option: .*'hello'/);
      expect([foreign.status, foreign.body.faultstring]).toEqual([400, "Provider 'f5' is not enabled."]);
      for (const data of ['[]', '"x"', 'null', '']) expect((await makeProfile({ [kind.data]: data })).status).toBe(400);
    });

    it('have profiles that keep provider and data while they are used', async () => {
      expect((await changeProfile({ provider_name: 'amphora' })).body[kind.profileRoot].provider_name).toBe('amphora');
      const { body } = await make();
      const text = `${kind.profileTitle} ${profile} is in use and cannot be modified.`;

      expect((await changeProfile({ [kind.data]: '{}' })).body.faultstring).toBe(text);
      expect((await changeProfile({ provider_name: 'octavia' })).body.faultstring).toBe(text);
      expect((await changeProfile({ name: 'new' })).body[kind.profileRoot].name).toBe('new');
      expect((await api.delete(`/v2/lbaas/${kind.profiles}/${profile}`)).body.faultstring).toBe(text);
      await api.delete(`/v2/lbaas/${kind.kind}/${body[kind.root][kind.key]}`);
      expect((await api.delete(`/v2/lbaas/${kind.profiles}/${profile}`)).status).toBe(204);
    });

    it.each(['name', 'provider_name', kind.data])('refuse a null for %s of a profile', async (field) => {
      const answer = await changeProfile({ [field]: null });

      expect([answer.status, answer.body.faultstring]).toEqual([400, `None is not a valid option for ${field}`]);
    });

    it('are an operator’s to change and everybody’s to see', async () => {
      const member = { 'x-roles': 'member' };
      const path = `/v2/lbaas/${kind.kind}`;

      expect((await api.get(path, member)).status).toBe(200);
      expect((await api.post(path, { [kind.root]: { name: 'x', [kind.profileId]: profile } }, member)).status).toBe(
        403,
      );
      expect((await api.get(`/v2/lbaas/${kind.profiles}`, member)).status).toBe(403);
      expect((await api.get(path, { 'x-roles': 'nobody' })).status).toBe(403);
    });
  });
});

describe('what a profile says', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());

  const answerTo = async (root: string, path: string, data: object) => {
    const field = `${path.replace(/_?profile$/, '')}_data`;
    const body = { name: 'p', provider_name: 'octavia', [field]: JSON.stringify(data) };
    return api.post(`/v2/lbaas/${root}`, { [path]: body });
  };

  it.each<[string, unknown, unknown]>([
    ['loadbalancer_topology', 'ACTIVE_STANDBY', 'DOUBLE'],
    ['ha_mode', 'n_plus_m', 'none'],
    ['vip_mode', 'bgp', 1],
    ['scaleout', 2, 0],
    ['members_start_down', false, 'false'],
    ['sriov_vip', true, 'yes'],
    ['log_target', '192.0.2.9:514', 'somewhere'],
    ['log_target', '', 514],
    ['log_target', '/var/log/lb.log', 'var/log'],
    ['compute_flavor', 'm1.small', ''],
  ])('as %s may be %p in a flavor, not %p', async (key, good, bad) => {
    const taken = await answerTo('flavorprofiles', 'flavorprofile', { [key]: good });
    const refused = await answerTo('flavorprofiles', 'flavorprofile', { [key]: bad });

    expect(taken.status).toBe(201);
    expect(refused.status).toBe(501);
    expect(refused.body.faultstring).toMatch(
      new RegExp(`^Provider 'octavia' does not support a requested option: .*'${key}'`),
    );
  });

  it('of networks in a zone is a list of their ids', async () => {
    const path = 'availability_zone_profile';
    const answer = (networks: unknown) =>
      answerTo('availabilityzoneprofiles', path, { valid_vip_networks: networks }).then(({ status }) => status);

    expect(await answer([UNKNOWN])).toBe(201);
    for (const bad of [UNKNOWN, [5], {}, null]) expect(await answer(bad)).toBe(501);
  });
});

it('changes the name of a flavor, not that of a zone', async () => {
  const api = await startTestApi();
  const refused = await api.put('/v2/availabilityzones/az', { availability_zone: { name: 'x' } });
  const nameless = await api.put(`/v2/flavors/${UNKNOWN}`, { flavor: { name: null } });

  expect(refused.body.faultstring).toBe('Unknown attribute for argument availability_zone_.availability_zone: name');
  expect(nameless.body.faultstring).toBe('None is not a valid option for name');
  await api.close();
});
