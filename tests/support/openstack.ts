import { execFile } from 'node:child_process';
import type { Site } from './site';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real `openstack` command against the site, as a user with its clouds.yaml would. */
export function openstack(site: Site, ...args: string[]): Promise<CommandResult> {
  const { OS_CLOUD: _cloud, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(
      'openstack',
      ['--os-cloud', 'slipstream', ...args],
      { env: { ...env, OS_CLIENT_CONFIG_FILE: site.cloudsFile }, timeout: 90_000 },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
      },
    );
  });
}

/** As `openstack`, and reads its JSON output. @throws when the command fails */
export async function openstackJson<T = Record<string, unknown>>(site: Site, ...args: string[]): Promise<T> {
  const result = await openstack(site, ...args, '-f', 'json');
  if (result.code !== 0) throw new Error(`openstack ${args.join(' ')}: ${result.code}\n${result.stderr}`);
  return JSON.parse(result.stdout) as T;
}
