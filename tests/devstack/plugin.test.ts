import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../driver/config/load';
import { createDevStackHost, type DevStackHost } from '../support/devstack';

const ROOT = join(__dirname, '../..');
const STACK = ['stack pre-install', 'stack install', 'stack post-config', 'stack extra', 'stack test-config'];
const BASE = 'keystone,mysql,rabbit,q-svc,n-api,g-api';

let host: DevStackHost;
beforeEach(() => {
  host = createDevStackHost();
});
afterEach(() => host.remove());

function stack(env: Record<string, string> = {}): string[] {
  const { status, trace } = host.run(STACK, env);
  if (status !== 0) throw new Error(trace);
  return host.takeCalls();
}

const read = () => loadConfig({ files: [host.path('etc/slipstream.conf')] });
/** Calls with paths of this test taken out. */
const tidy = (calls: readonly string[]) =>
  calls.map((call) => call.replaceAll(host.folder, '').replaceAll(`${ROOT}/`, ''));

describe('a plain local.conf', () => {
  it('brings up the four processes in the order that DevStack asks for', () => {
    expect(tidy(stack())).toEqual([
      'ext_drivers port_security',
      '--- stack pre-install',
      '--- stack install',
      'node devstack/build.cjs',
      'pip_install_gr python-octaviaclient',
      '--- stack post-config',
      'node dist/driver/cli.js ca create --directory /etc/engine-ca',
      'recreate_database slipstream',
      'node dist/driver/cli.js db upgrade --config-file /etc/slipstream.conf',
      '--- stack extra',
      'create_service_user slipstream admin',
      'get_or_create_service octavia load-balancer Load balancing',
      'get_or_create_endpoint id-of-service RegionOne http://192.0.2.10:9876 http://192.0.2.10:9876 http://192.0.2.10:9876',
      'get_or_create_role load-balancer_observer',
      'get_or_create_role load-balancer_global_observer',
      'get_or_create_role load-balancer_member',
      'get_or_create_role load-balancer_quota_admin',
      'get_or_create_role load-balancer_admin',
      'get_or_add_user_project_role load-balancer_member demo demo',
      'run_process slipstream-api /bin/node dist/driver/cli.js api --config-file /etc/slipstream.conf',
      'run_process slipstream-worker /bin/node dist/driver/cli.js worker --config-file /etc/slipstream.conf',
      'run_process slipstream-health /bin/node dist/driver/cli.js health-manager --config-file /etc/slipstream.conf',
      'run_process slipstream-housekeeping /bin/node dist/driver/cli.js housekeeping --config-file /etc/slipstream.conf',
      'wait_for_service 60 http://192.0.2.10:9876/healthcheck',
      '--- stack test-config',
    ]);
  });

  it('writes a configuration that Slipstream takes whole', () => {
    stack();

    const { config, warnings } = read();
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      DEFAULT: { debug: true, transport_url: 'rabbit://stackrabbit:secretrabbit@192.0.2.10:5672/' },
      api_settings: {
        bind_host: '0.0.0.0',
        bind_port: 9876,
        auth_strategy: 'keystone',
        api_base_uri: 'http://192.0.2.10:9876',
        allow_tls_terminated_listeners: false,
      },
      keystone_authtoken: {
        auth_url: 'http://192.0.2.10/identity',
        username: 'slipstream',
        project_name: 'service',
        region_name: 'RegionOne',
        interface: 'public',
        cafile: null,
      },
      controller_worker: { network_driver: 'neutron', compute_driver: 'noop' },
      health_manager: { bind_ip: '127.0.0.1', bind_port: 5555 },
    });
    expect(config.database.connection).toContain('root:secretdatabase@127.0.0.1/slipstream');
    for (const section of ['nova', 'neutron', 'glance', 'certificates'] as const)
      expect(config[section].region_name).toBe('RegionOne');
  });

  it('lets nobody else read the passwords', () => {
    stack();
    expect(statSync(host.path('etc/slipstream.conf')).mode & 0o777).toBe(0o600);
  });

  it('says that nothing is balanced as long as there is no image', () => {
    const { said } = host.run(STACK);
    expect(said).toMatch(/carry no traffic.*SLIPSTREAM_IMAGE_FILE/);
  });
});

it('ends in the same configuration when it is run again, whatever stood there', () => {
  stack();
  const first = readFileSync(host.path('etc/slipstream.conf'), 'utf8');
  writeFileSync(host.path('etc/slipstream.conf'), '[api_settings]\nbind_port = 1\n');
  stack();
  expect(readFileSync(host.path('etc/slipstream.conf'), 'utf8')).toBe(first);
});

describe('with an image', () => {
  const env = () => ({ SLIPSTREAM_IMAGE_FILE: host.path('engine.qcow2') });
  beforeEach(() => writeFileSync(host.path('engine.qcow2'), ''));

  it('makes image, flavor, management network and security group, and engines of them', () => {
    const calls = stack(env());

    expect(tidy(calls.filter((call) => /^(?:openstack|node.* image|as )/.test(call)))).toEqual([
      'node dist/driver/cli.js image upload /engine.qcow2 --name slipstream-engine --tag slipstream-engine',
      'as slipstream of service at http://192.0.2.10/identity',
      expect.stringMatching(/^openstack flavor create m1\.slipstream --private --project service /),
      expect.stringMatching(/^openstack network create slipstream-mgmt --project service /),
      expect.stringMatching(/^openstack subnet create slipstream-mgmt .* --no-dhcp --gateway none /),
      expect.stringMatching(/^openstack security-group create slipstream-mgmt --project service /),
      expect.stringMatching(/^openstack quota set --instances .* service$/),
    ]);
    expect(read().config.controller_worker).toMatchObject({
      compute_driver: 'nova',
      amp_image_tag: 'slipstream-engine',
      amp_image_owner_id: 'id-of-service',
      amp_flavor_id: 'id-of-flavor-m1.slipstream',
      amp_boot_network_list: ['id-of-network-slipstream-mgmt'],
      amp_secgroup_list: ['id-of-security-group-slipstream-mgmt'],
    });
  });

  it('makes nothing twice', () => {
    stack(env());
    // As `ca create` would have.
    mkdirSync(host.path('etc/engine-ca'), { recursive: true });
    writeFileSync(host.path('etc/engine-ca/ca.pem'), '');
    stack(env());
    const before = readFileSync(host.path('etc/slipstream.conf'), 'utf8');

    expect(stack(env()).filter((call) => / create /.test(call))).toEqual([]);
    expect(readFileSync(host.path('etc/slipstream.conf'), 'utf8')).toBe(before);
  });

  it('says which file it cannot read', () => {
    const { status, trace } = host.run(STACK, { SLIPSTREAM_IMAGE_FILE: '/not/there.qcow2' });

    expect(status).not.toBe(0);
    expect(trace).toContain('SLIPSTREAM_IMAGE_FILE is /not/there.qcow2, which cannot be read');
  });
});

it('stands behind the TLS proxy of DevStack, and trusts its authority', () => {
  writeFileSync(host.path('ca-bundle.pem'), 'PEM');
  const calls = stack({ ENABLED_SERVICES: `${BASE},tls-proxy`, SERVICE_PROTOCOL: 'https' });

  expect(calls).toContain('start_tls_proxy slipstream * 9876 192.0.2.10 19876');
  expect(calls).toContain('wait_for_service 60 https://192.0.2.10:9876/healthcheck');
  const { config, warnings } = read();
  expect(warnings).toEqual([]);
  expect(config.api_settings).toMatchObject({ bind_port: 19876, api_base_uri: 'https://192.0.2.10:9876' });
  expect(config.keystone_authtoken.cafile).toBe(host.path('ca-bundle.pem'));
  expect(config.neutron.ca_certificates_file).toBe(host.path('ca-bundle.pem'));
});

it('listens on IPv6 where DevStack does', () => {
  stack({ SERVICE_LISTEN_ADDRESS: '[::]' });
  expect(read().config.api_settings.bind_host).toBe('::');
});

it('takes certificates from Barbican where that is enabled', () => {
  const calls = stack({ ENABLED_SERVICES: `${BASE},barbican-svc` });

  expect(calls).toContain('get_or_add_user_project_role creator slipstream service Default Default');
  expect(read().config.api_settings.allow_tls_terminated_listeners).toBe(true);
});

it('puts the panel and its policy into Horizon', () => {
  const calls = stack({ ENABLED_SERVICES: `${BASE},horizon` });

  expect(tidy(calls)).toContain('setup_develop /opt/octavia-dashboard');
  const horizon = (name: string) => host.path('opt/horizon/openstack_dashboard', name);
  expect(existsSync(horizon('local/enabled/_1482_project_load_balancer_panel.py'))).toBe(true);
  expect(existsSync(horizon('local/local_settings.d/_1499_load_balancer_settings.py'))).toBe(true);
  expect(readFileSync(horizon('conf/octavia_policy.yaml'), 'utf8')).toBe('rules\n');
});

it('tells Ceilometer and Tempest', () => {
  stack({ ENABLED_SERVICES: `${BASE},ceilometer-anotification,tempest` });

  expect(read().config.oslo_messaging_notifications.driver).toEqual(['messagingv2']);
  expect(readFileSync(host.path('tempest.conf'), 'utf8')).toContain('octavia = True');
});

it('starts only what is enabled, and leaves database and accounts to the node with the API', () => {
  const calls = stack({ DISABLED_SERVICES: 'slipstream-api,slipstream-health,slipstream-housekeeping' });

  expect(calls.filter((call) => /^(?:run_process|recreate|create|get_or|wait)/.test(call))).toEqual([
    expect.stringMatching(/^run_process slipstream-worker /),
  ]);
  expect(calls.filter((call) => call.startsWith('node'))).toHaveLength(1);
});

it('does nothing at all when all its services are disabled', () => {
  const services = 'slipstream-api,slipstream-worker,slipstream-health,slipstream-housekeeping';
  expect(stack({ DISABLED_SERVICES: services }).filter((call) => !/^(?:---|ext_drivers)/.test(call))).toEqual([]);
});

it('keeps the extensions of Neutron that a site loads, and adds the one it needs', () => {
  expect(stack({ Q_ML2_PLUGIN_EXT_DRIVERS: 'qos,dns' })[0]).toBe('ext_drivers qos,dns,port_security');
  expect(stack({ Q_ML2_PLUGIN_EXT_DRIVERS: 'port_security,qos' })[0]).toBe('ext_drivers port_security,qos');
});

describe('what cannot work', () => {
  it.each([
    ['the plugin of Octavia', { DEVSTACK_PLUGINS: 'octavia,slipstream' }, 'Slipstream and Octavia are both enabled'],
    ['a service of Octavia', { ENABLED_SERVICES: `${BASE},o-api` }, 'Slipstream and Octavia are both enabled'],
    ['no Keystone', { ENABLED_SERVICES: 'mysql,rabbit,q-svc' }, 'needs Keystone'],
    ['no Neutron', { ENABLED_SERVICES: 'keystone,mysql,rabbit' }, 'needs Neutron'],
    ['no RabbitMQ', { ENABLED_SERVICES: 'keystone,mysql,q-svc' }, 'needs RabbitMQ'],
    ['PostgreSQL', { DATABASE_TYPE: 'postgresql' }, 'DATABASE_TYPE is postgresql'],
  ] as const)('is refused before anything is installed: %s', (_, env, message) => {
    const { status, trace } = host.run(STACK, env);

    expect(status).not.toBe(0);
    expect(trace).toContain(message);
    expect(host.takeCalls().slice(1)).toEqual(['--- stack pre-install']);
  });
});

describe('unstack and clean', () => {
  it('stop every process, as often as they are asked', () => {
    stack();
    for (const _ of [1, 2]) {
      expect(host.run(['unstack']).status).toBe(0);
      expect(host.takeCalls().filter((call) => call.startsWith('stop_process'))).toEqual(
        ['api', 'worker', 'health', 'housekeeping'].map((name) => `stop_process slipstream-${name}`),
      );
    }
  });

  it('leave no file behind, even where there was none', () => {
    // clean.sh takes the compiled program away: a clone of the plugin's own, not this repository.
    mkdirSync(host.path('clone/dist'), { recursive: true });
    const env = { ENABLED_SERVICES: `${BASE},horizon`, SLIPSTREAM_DIR: host.path('clone') };
    stack(env);
    for (const _ of [1, 2]) expect(host.run(['clean'], env).status).toBe(0);

    const horizon = host.path('opt/horizon/openstack_dashboard');
    for (const gone of [
      host.path('etc'),
      host.path('clone/dist'),
      join(horizon, 'local/enabled/_1482_project_load_balancer_panel.py'),
      join(horizon, 'conf/octavia_policy.yaml'),
    ])
      expect(existsSync(gone)).toBe(false);
    expect(existsSync(host.path('clone'))).toBe(true);
  });
});
