import type { Logger } from 'pino';
import { createNoopCompute } from '../clouds/compute/noop';
import type { ComputeDriver } from '../clouds/compute/port';
import { createTransformer } from '../clouds/contrail/analytics/transformer';
import { createIntrospector } from '../clouds/contrail/introspect/introspector';
import type { ContrailDriver } from '../clouds/contrail/port';
import { createKeystoneValidator, type KeystoneValidator } from '../clouds/keystone/http';
import { createNoopNetwork } from '../clouds/network/noop';
import type { NetworkDriver } from '../clouds/network/port';
import { BadValueError, type Config } from '../config/config';
import { readContrail } from '../config/contrail';
import { withRecords } from '../trace/analytics';
import type { Introspection } from '../trace/collect/collect';
import { createIntrospection } from '../trace/collect/planes';
import { contrailHosts, type OpenstackDrivers, openOpenstackDrivers } from './openstackDrivers';
import { requireTenancy } from './tenancy';

/** The drivers a process of its own can have. Those of the embedded site live within `all-in-one`. */
export interface Drivers {
  readonly network: NetworkDriver;
  readonly compute: ComputeDriver;
  /** With `network_driver = contrail`: where VIPs are wired. */
  readonly vnc?: ContrailDriver;
  /** And who is asked for what control-nodes and vRouters really do. */
  readonly introspect?: Introspection;
}

/** Drivers, and what they hold open. */
export interface OpenedDrivers {
  readonly drivers: Drivers;
  close(): Promise<void>;
}

/**
 * Makes no call: a cloud that is away holds no start up.
 * @throws BadValueError for a driver that this version does not have, or has within `all-in-one` alone, and for one that
 * lacks an option
 */
export function openDrivers(config: Config, log: Logger): OpenedDrivers {
  requireTenancy(config);
  const openstack = openOpenstackDrivers(config, log);
  const vnc = contrailOf(config, openstack);
  const drivers = {
    network: networkOf(config, openstack),
    compute: computeOf(config, openstack),
    ...(vnc && { vnc }),
    ...(vnc && config.contrail.introspect && { introspect: introspectionOf(config, openstack) }),
  };
  return { drivers, close: () => openstack.close() };
}

function networkOf({ controller_worker: { network_driver: name } }: Config, cloud: OpenstackDrivers): NetworkDriver {
  if (name === 'noop') return createNoopNetwork();
  if (name === 'neutron' || name === 'contrail') return cloud.network();
  throw unusable('network_driver', name, ['noop', 'neutron', 'contrail']);
}

/** Its API takes wiring from a cloud admin alone, whom a mode without admin does not have. */
function contrailOf(config: Config, cloud: OpenstackDrivers): ContrailDriver | undefined {
  const { controller_worker: worker, contrail, service_engine } = config;
  if (worker.network_driver !== 'contrail') return undefined;
  if (service_engine.tenancy_mode === 'single') {
    const expected = `neutron with [service_engine] tenancy_mode = single: Contrail needs the role "${contrail.cloud_admin_role}", which that mode does without`;
    throw new BadValueError('controller_worker', 'network_driver', 'contrail', expected);
  }
  readContrail(config);
  return cloud.contrail();
}

function introspectionOf({ contrail }: Config, cloud: OpenstackDrivers): Introspection {
  const timeout = contrail.introspect_timeout * 1_000;
  const introspector = createIntrospector({
    timeout,
    controlPort: contrail.control_node_introspect_port,
    agentPort: contrail.vrouter_introspect_port,
    ssl: contrail.introspect_ssl,
  });
  const patience = 2 * timeout;
  const { schema_transformer_introspect_port: port, introspect_ssl: ssl } = contrail;
  const transformers = contrailHosts(contrail).map((host) =>
    createTransformer(`${ssl ? 'https' : 'http'}://${host}:${port}`, { timeout }),
  );
  const introspection = createIntrospection({ introspector, controlNodes: contrail.control_nodes, patience });
  return withRecords(introspection, { analytics: cloud.analytics(), transformers, patience });
}

function computeOf({ controller_worker: { compute_driver: name } }: Config, cloud: OpenstackDrivers): ComputeDriver {
  if (name === 'noop') return createNoopCompute();
  if (name === 'nova') return cloud.compute();
  throw unusable('compute_driver', name, ['noop', 'nova']);
}

/**
 * Who tells the API whose a token is; undefined with `noauth`.
 * @throws BadValueError for credentials that cannot be complete
 */
export function openTokens({ api_settings: api, keystone_authtoken: settings }: Config, log: Logger) {
  return api.auth_strategy === 'keystone' ? createKeystoneValidator(settings, { log }) : undefined;
}

/** Logs in ahead of the first request, so that wrong credentials show in the log of the start. Nothing waits for it. */
export function logInEarly({ session }: KeystoneValidator, log: Logger): void {
  session.userId().then(
    (userId) => log.info({ user_id: userId }, 'Keystone knows this service'),
    ({ message, cause }) => log.warn({ cause: cause?.message ?? message }, 'Keystone cannot be asked yet'),
  );
}

function unusable(option: string, value: string, known: readonly string[]): BadValueError {
  const hint = value === 'local' ? ' (local works within "slipstream all-in-one")' : ': this version has no other yet';
  return new BadValueError('controller_worker', option, value, `${known.join(' or ')}${hint}`);
}
