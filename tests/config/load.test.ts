import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BadValueError, ConfigError, configFromText, loadConfig } from '../../driver/config/config';
import { parseIni } from '../../driver/config/ini';
import { parseConfig } from '../../driver/config/load';

describe('files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ss-conf-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it('lets later files win over earlier ones, directories over files, and the environment over all', () => {
    const first = file('first', '[api_settings]\nbind_port = 1\npagination_max_limit = 11\nbind_host = 127.0.0.2\n');
    const second = file('second', '[api_settings]\nbind_port = 2\n[DEFAULT]\ndebug = true\n');
    mkdirSync(join(folder, 'conf.d'));
    file('conf.d/20.conf', '[api_settings]\npagination_max_limit = 33\n');
    file('conf.d/10.conf', '[api_settings]\npagination_max_limit = 22\n');
    file('conf.d/99.bak', 'rubbish');

    const { config } = loadConfig({
      files: [first, second],
      dirs: [join(folder, 'conf.d')],
      env: { OS_API_SETTINGS__BIND_HOST: '127.0.0.3', OS_CLOUD: 'other' },
    });

    expect(config.api_settings).toMatchObject({ bind_port: 2, pagination_max_limit: 33, bind_host: '127.0.0.3' });
    expect(config.DEFAULT.debug).toBe(true);
  });

  it('names a file that cannot be read', () => {
    expect(() => loadConfig({ files: [join(folder, 'none')] })).toThrow(join(folder, 'none'));
    expect(() => loadConfig({ dirs: [join(folder, 'none')] })).toThrow(ConfigError);
  });

  it('names file and line of what is no INI', () => {
    const bad = file('bad', '[api_settings]\nbind_port\n');
    expect(() => loadConfig({ files: [bad] })).toThrow(`${bad}, line 2`);
  });
});

describe('parseIni', () => {
  it('reads values as OpenStack does: comment signs inside, either separator, quotes, continuation lines', () => {
    const text = [
      '# a comment',
      '; another',
      '[database]',
      'connection = mysql+pymysql://u:p#a;b@h/d?x=1 # kept',
      'debug: yes',
      'quoted = "  spaced  "',
      "single = 'x'",
      'many = a,',
      '    b,',
      '    # not a part of it',
      '    c',
      'empty =',
      'twice = 1',
      'twice = 2',
      '[a.b]',
      'true = null',
    ].join('\r\n');

    expect(parseIni(text, 'test')).toEqual({
      database: {
        connection: 'mysql+pymysql://u:p#a;b@h/d?x=1 # kept',
        debug: 'yes',
        quoted: '  spaced  ',
        single: 'x',
        many: 'a,\nb,\nc',
        empty: '',
        twice: '2',
      },
      'a.b': { true: 'null' },
    });
  });

  it('takes options before the first section for those of DEFAULT', () => {
    expect(parseIni('debug = true', 'test')).toEqual({ DEFAULT: { debug: 'true' } });
  });

  it('cannot be made to change what all objects have', () => {
    parseIni('[__proto__]\npolluted = 1\n[constructor]\nprototype = 1\n', 'test');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('values', () => {
  it('are typed, and frozen through and through', () => {
    const config = configFromText(
      '[api_settings]\nenabled_provider_drivers = a: First one, b:Second\ndefault_provider_driver = b\n',
    );

    expect(config.api_settings.enabled_provider_drivers).toEqual({ a: 'First one', b: 'Second' });
    expect(config.networking.reserved_ips).toEqual(['169.254.169.254']);
    expect(config.quotas.default_pool_quota).toBe(-1);
    expect(() => Object.assign(config.api_settings, { bind_port: 1 })).toThrow(TypeError);
    expect(() => (config.networking.reserved_ips as string[]).push('x')).toThrow(TypeError);
  });

  it('put the database beside the rest of the site’s state unless it is named', () => {
    expect(configFromText('[embedded]\nstate_dir = /srv/site\n').database.connection).toBe(
      'sqlite:////srv/site/slipstream.db',
    );
    expect(configFromText('[database]\nconnection = sqlite://\n').database.connection).toBe('sqlite://');
  });

  it.each([
    ['api_settings', 'bind_port', '99999', 'an integer from 0 to 65535'],
    ['api_settings', 'bind_port', '98.7', 'an integer from 0 to 65535'],
    ['api_settings', 'auth_strategy', 'none', 'one of keystone, noauth'],
    ['api_settings', 'allow_sorting', 'maybe', 'true or false'],
    ['api_settings', 'immutable_wait', '-1', 'a number of seconds from 0 up'],
    ['api_settings', 'default_provider_driver', 'f5', 'one of slipstream, octavia, amphora'],
    [
      'api_settings',
      'default_listener_tls_versions',
      'TLSv9',
      'a comma list of SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3',
    ],
    ['api_settings', 'minimum_tls_version', 'TLSv1.3', 'nothing below TLSv1.3'],
    ['controller_worker', 'network_driver', 'calico', 'one of local, noop, neutron, contrail'],
    ['DEFAULT', 'transport_url', 'zmq://u:secret@h/', 'memory://'],
    ['database', 'connection', 'postgresql://u:secret@h/d', 'sqlite:///file'],
    ['health_manager', 'heartbeat_timeout', '1.5', 'twice heartbeat_interval'],
  ])('stop the start when bad: [%s] %s = %s', (section, option, value, expected) => {
    const attempt = () => configFromText(`[${section}]\n${option} = ${value}\n`);

    expect(attempt).toThrow(BadValueError);
    expect(attempt).toThrow(`[${section}] `);
    expect(attempt).toThrow(`expected ${expected}`);
    expect(attempt).not.toThrow('secret');
  });

  it.each([
    ['network_driver', 'network_noop_driver', 'noop'],
    ['network_driver', 'allowed_address_pairs_driver', 'neutron'],
    ['compute_driver', 'compute_nova_driver', 'nova'],
    ['compute_driver', 'compute_noop_driver', 'noop'],
  ] as const)('take Octavia’s name for %s: %s is %s', (option, alias, name) => {
    expect(configFromText(`[controller_worker]\n${option} = ${alias}\n`).controller_worker[option]).toBe(name);
  });
});

describe('warnings', () => {
  it('name unknown options and sections, and are silent about those of an octavia.conf or of other services', () => {
    const { warnings } = parseConfig({
      api_settings: { bind_prot: '1', api_handler: 'queue_producer' },
      api_setings: { bind_port: '1' },
      haproxy_amphora: { rest_request_conn_timeout: '10' },
      oslo_messaging_rabbit: { heartbeat_rate: '3' },
      DEFAULT: { log_dir: '/var/log' },
    });

    expect(warnings).toEqual([
      '[api_settings] bind_prot is no option of Slipstream and was passed over',
      '[api_setings] is no section of Slipstream and was passed over',
    ]);
  });
});
