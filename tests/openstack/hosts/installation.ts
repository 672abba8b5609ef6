import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Daemon, startDaemon, waitUntilUp } from '../../bench/processes';
import { freePorts } from '../../support/freePorts';
import type { Lab } from '../lab';

/** Another Slipstream in the cloud beside the lab's own, with a database, a broker's virtual host and a CA of its own. */
export interface Installation {
  /** Of its API. */
  readonly url: string;
  /** Ends its processes; what they have made in the cloud stays. */
  stop(): Promise<void>;
}

const CLI = path.resolve(__dirname, '../../../dist/driver/cli.js');
const PROCESSES = ['api', 'worker', 'health-manager', 'housekeeping'] as const;

/**
 * Starts the processes of an installation that lives in the one project demo, as a member of it; engines find it in the
 * network `engines` of the lab.
 * @param more sections of its configuration that say what else is not as by default
 */
export async function startSingleProject(lab: Lab, more: string): Promise<Installation> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ss-single-'));
  const daemons: Daemon[] = [];
  const stop = async () => {
    await Promise.all(daemons.map((daemon) => daemon.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const [api = 0, ...metrics] = await freePorts(PROCESSES.length);
    const ports = { api, metrics };
    const file = path.join(folder, 'slipstream.conf');
    writeFileSync(file, `${configuration(lab, folder, ports)}${more}`, { mode: 0o600 });
    run('ca', 'create', '--directory', path.join(folder, 'ca'));
    run('db', 'upgrade', '--config-file', file);
    for (const name of PROCESSES) {
      const logFile = path.join(lab.directory, 'log', `single-${name}.log`);
      daemons.push(startDaemon([process.execPath, CLI, name, '--config-file', file], { logFile }));
    }
    await Promise.all(daemons.map((daemon, at) => waitUntilUp(daemon, () => isHealthy([api, ...metrics][at] ?? 0))));
    return { url: `http://127.0.0.1:${api}`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function run(...words: string[]): void {
  execFileSync(process.execPath, [CLI, ...words], { stdio: 'pipe' });
}

async function isHealthy(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/healthcheck`)).ok;
}

function configuration(
  lab: Lab,
  folder: string,
  { api, metrics: [worker, health, housekeeping] }: { readonly api: number; readonly metrics: readonly number[] },
): string {
  const login = (username: string, project: string) =>
    `auth_url = ${lab.authUrl}\nusername = ${username}\npassword = ${lab.password}\nproject_name = ${project}`;
  const healthPort = lab.ports['single_project_health_manager'];
  return `[DEFAULT]
transport_url = ${lab.transportUrl}single
[database]
connection = ${lab.databaseUrl.replace('/slipstream?', '/slipstream_single?')}
[api_settings]
bind_host = 127.0.0.1
bind_port = ${api}
auth_strategy = keystone
immutable_wait = 60
[controller_worker]
network_driver = neutron
compute_driver = nova
amp_flavor_id = ${lab.cloud.engine_flavor_id}
amp_boot_network_list = ${lab.cloud.engines_network_id}
metrics_port = ${worker}
[health_manager]
bind_ip = 127.0.0.1
bind_port = ${healthPort}
controller_ip_port_list = ${lab.cloud.engines_gateway}:${lab.ports['health_manager']}
check_engine_address = false
metrics_port = ${health}
[certificates]
ca_certificate = ${folder}/ca/ca.pem
ca_private_key = ${folder}/ca/ca.key
[house_keeping]
metrics_port = ${housekeeping}
[nova]
enable_anti_affinity = true
# Tokens of users are checked by another account, which has a role for that and nothing else to do.
[keystone_authtoken]
${login('octavia', 'service')}
[service_auth]
${login('demo', 'demo')}
`;
}
