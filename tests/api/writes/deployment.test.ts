import { startTestApi, type TestApi, type TestApiOptions } from '../../support/api';

const UNKNOWN = '99999999-9999-4999-8999-999999999999';

/** What a deployment does not allow, and flavors and zones that cannot be had: the texts that say so. */

describe('a load balancer', () => {
  let api: TestApi;
  afterEach(() => api.close());

  const start = async (changes: TestApiOptions['changes'] = {}) => {
    api = await startTestApi({ changes });
  };
  const create = async (body: object): Promise<unknown[]> => {
    const answer = await api.post('/v2/lbaas/loadbalancers', { loadbalancer: body });
    return [answer.status, answer.body.faultstring];
  };
  const subnet = { vip_subnet_id: UNKNOWN };

  it('of a kind of VIP that is not allowed is refused, and none of that kind is proposed', async () => {
    await start({ allowVipPortId: false });

    expect(await create({ vip_port_id: UNKNOWN })).toEqual([
      400,
      "Validation failure: use of vip_port_id is disallowed by this deployment's configuration.",
    ]);
    expect(await create({})).toEqual([
      400,
      'Validation failure: VIP must contain one of: vip_network_id, vip_subnet_id.',
    ]);
  });

  it.each([{ validVipNetworks: [UNKNOWN] }, { deniedVipNetworks: ['99999999-9999-4999-8999-999999999996'] }])(
    'in a network that %j leaves out is refused',
    async (changes) => {
      await start(changes);

      expect(await create(subnet)).toEqual([
        400,
        'Validation failure: Supplied VIP network_id is not allowed by the configuration of this deployment.',
      ]);
    },
  );

  it('of a flavor or zone that is not there is refused', async () => {
    await start();

    expect(await create({ ...subnet, flavor_id: UNKNOWN })).toEqual([400, 'Validation failure: Invalid flavor_id.']);
    expect(await create({ ...subnet, availability_zone: 'x' })).toEqual([
      400,
      'Validation failure: Invalid availability zone.',
    ]);
    expect(await create({ ...subnet, provider: 'x' })).toEqual([400, "Provider 'x' is not enabled."]);
  });

  it('of a flavor or zone that is disabled, or of another provider, is refused', async () => {
    await start();
    const profile = { name: 'p', provider_name: 'amphora', flavor_data: '{}' };
    const { id: flavor_profile_id } = await api.create('/v2/flavorprofiles', 'flavorprofile', profile);
    const { id: flavor_id } = await api.create('/v2/flavors', 'flavor', { name: 'f', flavor_profile_id });
    const zones = { name: 'p', provider_name: 'amphora', availability_zone_data: '{}' };
    const zone = await api.create('/v2/availabilityzoneprofiles', 'availability_zone_profile', zones);
    await api.create('/v2/availabilityzones', 'availability_zone', {
      name: 'z',
      availability_zone_profile_id: zone.id,
      enabled: false,
    });

    expect(await create({ ...subnet, flavor_id, provider: 'octavia' })).toEqual([
      400,
      `Flavor '${flavor_id}' is not compatible with provider 'octavia'`,
    ]);
    await api.put(`/v2/flavors/${flavor_id}`, { flavor: { enabled: false } });
    expect(await create({ ...subnet, flavor_id })).toEqual([
      400,
      `The selected flavor is not allowed in this deployment: ${flavor_id}`,
    ]);
    expect(await create({ ...subnet, availability_zone: 'z' })).toEqual([
      400,
      'The selected availability_zone is not allowed in this deployment: z',
    ]);
  });

  it('has no listeners and monitors that the deployment has switched off', async () => {
    await start({
      allowTlsTerminatedListeners: false,
      allowPrometheusListeners: false,
      allowPingHealthMonitors: false,
    });
    const healthmonitor = { type: 'PING', delay: 1, timeout: 1, max_retries: 1 };
    const pools = [{ name: 'p', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', healthmonitor }];
    const off = (what: string) => [400, `The selected ${what}`];

    expect(await create({ ...subnet, listeners: [{ protocol: 'PROMETHEUS', protocol_port: 1 }] })).toEqual(
      off('protocol is not allowed in this deployment: PROMETHEUS'),
    );
    expect(
      await create({
        ...subnet,
        listeners: [{ protocol: 'TERMINATED_HTTPS', protocol_port: 1, default_tls_container_ref: 'r' }],
      }),
    ).toEqual(off('protocol is not allowed in this deployment: TERMINATED_HTTPS'));
    expect(await create({ ...subnet, pools })).toEqual(off('type is not allowed in this deployment: PING'));
  });
});
