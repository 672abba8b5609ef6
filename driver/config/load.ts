import path from 'node:path';
import { BadValueError } from './errors';
import { parseIni, type RawConfig, readIniFiles } from './ini';
import { hidePassword } from './options';
import { type Config, type SectionName, schemaOf, sectionNames, sections } from './schema';

export interface ConfigSources {
  readonly files?: readonly string[];
  readonly dirs?: readonly string[];
  /** `OS_<SECTION>__<OPTION>` wins over the files, as with other services of OpenStack. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface LoadedConfig {
  readonly config: Config;
  /** What was passed over, a sentence each. */
  readonly warnings: readonly string[];
}

/** Where a configuration lies that no file is read for. */
const STANDARD_DIRECTORY = '/etc/slipstream';

/** Sections of other services and libraries that often share a file with this one. */
const FOREIGN = [
  ...['amphora_agent', 'audit', 'audit_middleware_notifications', 'barbican', 'cache', 'cinder', 'compute'],
  ...['healthcheck', 'ironic', 'keystone', 'oslo_concurrency', 'oslo_messaging_amqp', 'oslo_limit'],
  ...['oslo_messaging_kafka', 'oslo_reports', 'placement'],
  ...['profiler', 'ssl', 'task_flow', 'anchor', 'amphora_update'],
];

/**
 * Reads, checks and freezes the configuration.
 * @throws ConfigError (BadValueError with section, option, value and expectation for a value)
 */
export function loadConfig({ files = [], dirs = [], env = {} }: ConfigSources): LoadedConfig {
  const beside = files[0] ?? dirs[0];
  const directory = beside === undefined ? STANDARD_DIRECTORY : path.dirname(path.resolve(beside));
  return parseConfig(overlayEnvironment(readIniFiles(files, dirs), env), directory);
}

/** The configuration that these lines alone give; what tests and the embedded site start from. */
export function configFromText(text: string): Config {
  return parseConfig(parseIni(text, 'configuration')).config;
}

/** Every option at its default, less what is given as text; other files are looked for in the directory. */
export function parseConfig(raw: RawConfig, directory = STANDARD_DIRECTORY): LoadedConfig {
  const values = Object.fromEntries(sectionNames.map((name) => [name, parseSection(name, raw[name] ?? {})]));
  const config = placePolicy(placeDatabase(values as unknown as Config), directory);
  checkTogether(config);
  return { config, warnings: findUnknown(raw) };
}

/** The database that nobody has named lies beside the rest of the embedded site's state. */
function placeDatabase(config: Config): Config {
  const { database, embedded } = config;
  const connection = database.connection || `sqlite:///${embedded.state_dir}/slipstream.db`;
  return Object.freeze({ ...config, database: Object.freeze({ ...database, connection }) });
}

/** Policy files lie beside the configuration. */
function placePolicy(config: Config, directory: string): Config {
  const { oslo_policy: policy } = config;
  const placed = {
    policy_file: path.resolve(directory, policy.policy_file),
    policy_dirs: policy.policy_dirs.map((name) => path.resolve(directory, name)),
  };
  return Object.freeze({ ...config, oslo_policy: Object.freeze({ ...policy, ...placed }) });
}

function parseSection(name: SectionName, options: Record<string, string>): unknown {
  const result = schemaOf(name).safeParse(options);
  if (result.success) return deepFreeze(result.data);
  const [issue] = result.error.issues;
  const option = String(issue?.path[0]);
  const { secret, expected } = optionsOf(name)[option] ?? { secret: true, expected: 'something else' };
  throw new BadValueError(
    name,
    option,
    secret ? '***' : hidePassword(options[option] ?? ''),
    issue?.message ?? expected,
  );
}

function optionsOf(name: SectionName): Record<string, { readonly secret: boolean; readonly expected: string }> {
  return sections[name].options;
}

function overlayEnvironment(raw: RawConfig, env: NonNullable<ConfigSources['env']>): RawConfig {
  const overlaid: RawConfig = { ...raw };
  for (const name of sectionNames) {
    for (const option of Object.keys(sections[name].options)) {
      const value = env[`OS_${name}__${option}`.toUpperCase()];
      if (value !== undefined) overlaid[name] = { ...overlaid[name], [option]: value };
    }
  }
  return overlaid;
}

function findUnknown(raw: RawConfig): string[] {
  return Object.entries(raw).flatMap(([name, options]) => {
    const section = Object.hasOwn(sections, name) ? sections[name as SectionName] : undefined;
    if (!section) return FOREIGN.includes(name) ? [] : [`[${name}] is no section of Slipstream and was passed over`];
    const { tolerates } = section;
    if (tolerates === 'any') return [];
    return Object.keys(options)
      .filter((option) => !Object.hasOwn(section.options, option) && !tolerates.includes(option))
      .map((option) => `[${name}] ${option} is no option of Slipstream and was passed over`);
  });
}

/** What no option can say for itself. */
function checkTogether({ api_settings: api, health_manager: health, oslo_messaging_rabbit: rabbit }: Config): void {
  if (rabbit.rabbit_quorum_queue && rabbit.rabbit_ha_queues) {
    throw new BadValueError('oslo_messaging_rabbit', 'rabbit_ha_queues', 'true', 'false with rabbit_quorum_queue');
  }
  if (!Object.hasOwn(api.enabled_provider_drivers, api.default_provider_driver)) {
    const names = Object.keys(api.enabled_provider_drivers).join(', ');
    throw new BadValueError('api_settings', 'default_provider_driver', api.default_provider_driver, `one of ${names}`);
  }
  if (health.heartbeat_timeout < 2 * health.heartbeat_interval) {
    throw new BadValueError(
      'health_manager',
      'heartbeat_timeout',
      String(health.heartbeat_timeout),
      'twice heartbeat_interval at least',
    );
  }
  checkTlsVersions(api);
}

function checkTlsVersions(api: Config['api_settings']): void {
  const order = ['', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
  const minimum = order.indexOf(api.minimum_tls_version);
  for (const option of ['default_listener_tls_versions', 'default_pool_tls_versions'] as const) {
    if (api[option].some((version) => order.indexOf(version) < minimum)) {
      throw new BadValueError(
        'api_settings',
        option,
        api[option].join(', '),
        `nothing below ${api.minimum_tls_version}`,
      );
    }
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
