import pino from 'pino';
import { type OpenedDrivers, openDrivers } from '../../driver/cli/drivers';
import { SEED_IDS } from '../../driver/clouds/network/seed';
import { configFromText } from '../../driver/config/config';
import { type GlanceSimulator, startGlance } from '../support/simulators/glance';
import { keystoneSection } from '../support/simulators/keystoneSettings';
import { type NovaSimulator, startNova } from '../support/simulators/nova';
import { type CloudFaces, startCloudFaces } from '../support/simulators/startCloudFaces';

const WORKER = `[controller_worker]
network_driver = allowed_address_pairs_driver
compute_driver = compute_nova_driver
amp_flavor_id = flavor-7
amp_image_tag = slipstream-engine
amp_image_owner_id = project-service
amp_boot_network_list = net-mgmt, net-more
amp_secgroup_list = sg-1
amp_ssh_key_name = operators
`;
const open = (text: string): OpenedDrivers => openDrivers(configFromText(text), pino({ level: 'silent' }));

describe('the drivers of an OpenStack', () => {
  let cloud: CloudFaces;
  let nova: NovaSimulator;
  let glance: GlanceSimulator;
  let opened: OpenedDrivers | undefined;
  beforeEach(async () => {
    [nova, glance] = await Promise.all([startNova(), startGlance()]);
    cloud = await startCloudFaces([
      { type: 'compute', name: 'nova', url: nova.url },
      { type: 'image', name: 'glance', url: glance.url },
    ]);
  });
  afterEach(async () => {
    await opened?.close();
    opened = undefined;
    await Promise.all([cloud.close(), nova.close(), glance.close()]);
  });

  it('find their services by the catalogue and make there what the configuration says', async () => {
    const { id: imageId } = glance.add({ tags: ['slipstream-engine'] });
    const more = '[nova]\nenable_anti_affinity = true\n[service_engine]\nowner_tag = site-1\nbootstrap = metadata\n';
    opened = open(keystoneSection(cloud.authUrl) + WORKER + more);
    const { network, compute } = opened.drivers;

    expect(await network.findSubnet(SEED_IDS.localSubnet)).toMatchObject({ cidr: '127.80.0.0/16' });
    await compute.createServer({
      engineId: 'engine-1',
      name: 'slipstream-1',
      token: 't0ken',
      controllers: ['ws://10.0.0.1:5555'],
      groupId: 'group-1',
    });

    expect([...nova.model.servers.values()]).toMatchObject([
      {
        imageId,
        flavorId: 'flavor-7',
        keyName: 'operators',
        tags: ['site-1', 'site-1:engine-1'],
        configDrive: false,
        securityGroups: ['sg-1'],
        ports: [{ networkId: 'net-mgmt' }, { networkId: 'net-more' }],
      },
    ]);
    expect([...nova.model.groups.values()]).toMatchObject([{ name: 'site-1-group-1', policy: 'anti-affinity' }]);
  });

  it('go by [service_auth] where it names somebody, and where the options say instead of the catalogue', async () => {
    const own = keystoneSection(cloud.authUrl).replace('[keystone_authtoken]', '[service_auth]');
    const text = `${own}${WORKER}[nova]\nendpoint = ${nova.url}/\n[neutron]\nendpoint_override = ${cloud.networkUrl}\n`;
    opened = open(`[keystone_authtoken]\nauth_url = http://127.0.0.1:9/\nusername = x\npassword = x\n${text}`);

    expect(await opened.drivers.compute.listServers()).toEqual([]);
    expect(await opened.drivers.network.findSubnet(SEED_IDS.localSubnet)).toBeDefined();
  });
});

describe('a start without what the drivers need', () => {
  const keystone = keystoneSection('http://127.0.0.1:9');

  it.each([
    ['amp_flavor_id', WORKER.replace(/amp_flavor_id.*/, '')],
    ['amp_image_tag', WORKER.replace(/amp_image_tag.*/, '')],
    ['amp_boot_network_list', WORKER.replace(/amp_boot_network_list.*/, '')],
    ['owner_tag', `${WORKER}[service_engine]\nowner_tag = two words\n`],
    ['ca_certificates_file', `${WORKER}[nova]\nca_certificates_file = missing.pem\n`],
  ])('ends, naming %s', (option, text) => {
    expect(() => open(keystone + text)).toThrow(option);
  });

  it('ends for engines in the projects of users where the login holds for one project', () => {
    const login = '[service_auth]\nauth_type = v3applicationcredential\nusername = x\n';
    const wanted = `${keystone}${WORKER}${login}[service_engine]\ntenancy_mode = 1\n`;
    expect(() => open(wanted)).toThrow(/tenancy_mode = tenant.*application credential/);
  });

  it('ends without a Keystone', () => {
    expect(() => open(WORKER)).toThrow('auth_url');
  });

  it('ends for drivers that live elsewhere, naming those it could have', () => {
    expect(() => open('')).toThrow(/network_driver.*noop or neutron/);
    expect(() => open('[controller_worker]\nnetwork_driver = noop\n')).toThrow(/compute_driver.*noop or nova/);
  });
});
