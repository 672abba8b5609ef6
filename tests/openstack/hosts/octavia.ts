import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hasConsumer, makeCertificates } from '../../bench/controlSides';
import { configureOctavia, findOctaviaProgram, serveOctavia } from '../../bench/octaviaApi';
import { startDaemon, waitUntilUp } from '../../bench/processes';
import { freePorts } from '../../support/freePorts';
import type { Lab } from '../lab';

/**
 * Debian's Octavia beside Slipstream in the lab: its API and its worker, which makes servers with Nova and ports with Neutron
 * as ever, but asks no amphora for anything: nothing boots there.
 */
export interface LabOctavia {
  /** Of its API. */
  readonly url: string;
  /** URL of its database. */
  readonly connection: string;
  stop(): Promise<void>;
}

export async function startOctavia(lab: Lab): Promise<LabOctavia> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ss-octavia-'));
  const opened: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const close of opened.splice(0).reverse()) await close().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const [port = 0] = await freePorts(1);
    const transportUrl = `${lab.transportUrl}octavia`;
    const database = { create: async () => lab.databaseUrl.replaceAll('slipstream', 'octavia') };
    const more = `${makeCertificates(folder)}${configuration(lab)}`;
    const octavia = await configureOctavia(folder, database, { transportUrl, more });
    const api = await serveOctavia(folder, { ...octavia, port });
    opened.push(() => api.stop());
    const worker = startDaemon([findOctaviaProgram('octavia-worker'), '--config-file', octavia.configFile], {
      logFile: path.join(lab.directory, 'log', 'octavia-worker.log'),
      env: { HOME: path.join(folder, 'octavia') },
    });
    opened.push(() => worker.stop());
    await waitUntilUp(worker, () => hasConsumer(transportUrl));
    return { url: api.url, connection: octavia.connection, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What Octavia needs to make its servers and ports as the lab's user of load-balancer services. */
function configuration({ authUrl, password, region, cloud }: Lab): string {
  const credentials = `auth_type = password
auth_url = ${authUrl}
username = octavia
password = ${password}
user_domain_id = default
project_name = service
project_domain_id = default
`;
  return `[api_settings]
auth_strategy = keystone
allow_ping_health_monitors = true
allow_prometheus_listeners = true
[keystone_authtoken]
${credentials}[service_auth]
${credentials}[controller_worker]
network_driver = allowed_address_pairs_driver
compute_driver = compute_nova_driver
amp_flavor_id = ${cloud.engine_flavor_id}
amp_image_tag = slipstream-engine
amp_image_owner_id = ${cloud.service_project_id}
amp_boot_network_list = ${cloud.management_network_id}
amp_secgroup_list = ${cloud.management_security_group_id}
[certificates]
region_name = ${region}
endpoint_type = publicURL
[nova]
region_name = ${region}
[neutron]
region_name = ${region}
[glance]
region_name = ${region}
[health_manager]
heartbeat_key = bench
controller_ip_port_list = 127.0.0.1:5555
`;
}
