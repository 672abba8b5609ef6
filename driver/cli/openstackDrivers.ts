import type { Logger } from 'pino';
import { createNovaDriver } from '../clouds/compute/http';
import type { NovaSettings } from '../clouds/compute/nova/settings';
import type { ComputeDriver } from '../clouds/compute/port';
import { createAnalytics } from '../clouds/contrail/analytics/analytics';
import { createContrailDriver } from '../clouds/contrail/http';
import type { ContrailDriver } from '../clouds/contrail/port';
import { openVncService, type VncService } from '../clouds/contrail/service';
import { createGlanceDriver } from '../clouds/image/http';
import { createKeystoneValidator, type KeystoneValidator } from '../clouds/keystone/http';
import { createNeutronDriver } from '../clouds/network/http';
import type { NetworkDriver } from '../clouds/network/port';
import { type EndpointOptions, type OpenstackService, openOpenstackService } from '../clouds/openstack/service';
import { BadValueError, type Config } from '../config/config';
import type { Analytics } from '../domain/analytics';
import { serviceCredentials } from './serviceLogin';

/** The drivers of a real OpenStack. No call is made before the first of theirs. */
export interface OpenstackDrivers {
  /** @throws BadValueError for a CA file that cannot be read */
  network(): NetworkDriver;
  /** @throws BadValueError for what is missing or cannot be */
  compute(): ComputeDriver;
  /** Where VIPs are wired. @throws BadValueError for a CA file that cannot be read, or no server */
  contrail(): ContrailDriver;
  /** What its agents and control-nodes report. */
  analytics(): Analytics;
  close(): Promise<void>;
}

type ServiceSection = 'neutron' | 'nova' | 'glance';

/** Logs in as `[service_auth]` or else `[keystone_authtoken]` says: once for all services, and only if one is wanted. */
export function openOpenstackDrivers(config: Config, log: Logger): OpenstackDrivers {
  let login: KeystoneValidator | undefined;
  const services: Pick<OpenstackService, 'close'>[] = [];
  const logIn = (): KeystoneValidator => {
    login ??= createKeystoneValidator(serviceCredentials(config), { log });
    return login;
  };
  const open = (name: string, types: readonly string[], section: ServiceSection): OpenstackService => {
    const service = openService(
      { name, types, session: logIn().session, log, options: endpointOf(config, section) },
      section,
    );
    services.push(service);
    return service;
  };
  return {
    network: () => createNeutronDriver(open('Neutron', ['network'], 'neutron')),
    compute() {
      const settings = novaSettings(config);
      const images = createGlanceDriver(open('Glance', ['image'], 'glance'));
      return createNovaDriver({ service: open('Nova', ['compute'], 'nova'), images, settings });
    },
    contrail() {
      const session = config.contrail.auth === 'none' ? undefined : logIn().session;
      const service = openContrail(config, { log, ...(session && { session }) });
      services.push(service);
      return createContrailDriver({ service, role: config.contrail.cloud_admin_role });
    },
    analytics() {
      const session = config.contrail.auth === 'none' ? undefined : logIn().session;
      const timeout = config.contrail.introspect_timeout * 1_000;
      return createAnalytics({ servers: analyticsServers(config), timeout, ...(session && { session }) });
    },
    async close() {
      await Promise.all(services.map((service) => service.close()));
      await login?.close();
    },
  };
}

function endpointOf(config: Config, section: ServiceSection): EndpointOptions {
  const { region_name, endpoint_type, ca_certificates_file, insecure, endpoint } = config[section];
  const override = section === 'neutron' ? (config.neutron.endpoint_override ?? endpoint) : endpoint;
  return { region_name, endpoint_type, ca_certificates_file, insecure, endpoint_override: override };
}

function openService(deps: Parameters<typeof openOpenstackService>[0], section: ServiceSection): OpenstackService {
  try {
    return openOpenstackService(deps);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const file = deps.options.ca_certificates_file ?? '';
    throw new BadValueError(section, 'ca_certificates_file', file, `a file that can be read (${reason})`);
  }
}

function openContrail(
  { contrail }: Config,
  deps: Pick<Parameters<typeof openVncService>[0], 'log' | 'session'>,
): VncService {
  const servers = contrail.api_servers.map((server) => `${contrail.ssl ? 'https' : 'http'}://${server}`);
  if (servers.length === 0)
    throw new BadValueError('contrail', 'api_servers', '', '`host:port` of one server at least');
  const { cafile, insecure, timeout } = contrail;
  try {
    return openVncService({ ...deps, servers, caFile: cafile, insecure, timeout: timeout * 1_000 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValueError('contrail', 'cafile', cafile ?? '', `a file that can be read (${reason})`);
  }
}

const ANALYTICS_PORT = 8081;

function analyticsServers({ contrail }: Config): string[] {
  const { analytics_servers: own, analytics_ssl: ssl } = contrail;
  const servers = own.length > 0 ? own : contrailHosts(contrail).map((host) => `${host}:${ANALYTICS_PORT}`);
  return servers.map((server) => `${ssl ? 'https' : 'http'}://${server}`);
}

/** Where Contrail's API servers and schema transformers run. */
export function contrailHosts({ api_servers: servers }: Pick<Config['contrail'], 'api_servers'>): string[] {
  return [...new Set(servers.map((server) => server.replace(/:\d+$/, '')))];
}

/** A tag of Nova has 60 characters; the id of an engine and a colon take 37. */
const OWNER_TAG = /^[\w.-]{1,23}$/;

function novaSettings({ controller_worker: worker, nova, service_engine: engine }: Config): NovaSettings {
  if (worker.amp_flavor_id === null) throw missing('amp_flavor_id', 'the id of a flavor');
  if (worker.amp_image_tag === null) throw missing('amp_image_tag', 'the tag of an image');
  if (worker.amp_boot_network_list.length === 0) throw missing('amp_boot_network_list', 'ids of networks');
  if (!OWNER_TAG.test(engine.owner_tag)) {
    const expected = '1 to 23 letters, digits, -, _ and .';
    throw new BadValueError('service_engine', 'owner_tag', engine.owner_tag, expected);
  }
  return {
    owner: engine.owner_tag,
    flavorId: worker.amp_flavor_id,
    image: { tag: worker.amp_image_tag, ownerId: worker.amp_image_owner_id },
    networkIds: worker.amp_boot_network_list,
    securityGroupIds: worker.amp_secgroup_list,
    keyName: worker.amp_ssh_key_name,
    availabilityZone: nova.availability_zone,
    antiAffinity: nova.enable_anti_affinity ? nova.anti_affinity_policy : null,
    bootstrap: engine.bootstrap,
  };
}

function missing(option: string, what: string): BadValueError {
  return new BadValueError('controller_worker', option, '', `${what}: compute_driver = nova needs it`);
}
