import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

/** One cloud of `clouds.yaml`, less what this program does not read. */
export type Cloud = Readonly<Record<string, unknown>>;

/**
 * A cloud as the openstack client finds it: in the file that OS_CLIENT_CONFIG_FILE names, here, or in the configuration
 * of the user or the host, with its secrets of `secure.yaml` over it.
 * @throws Error when there is no such cloud or the file cannot be read
 */
export function readCloud(name: string, env: NodeJS.ProcessEnv): Cloud {
  const file = candidates(env, 'clouds.yaml', env['OS_CLIENT_CONFIG_FILE']).find(existsSync);
  if (file === undefined) throw new Error(`cloud ${name} was not found: there is no clouds.yaml`);
  const cloud = cloudIn(file, name);
  if (!cloud) throw new Error(`cloud ${name} was not found in ${file}`);
  const beside = [join(dirname(file), 'secure.yaml'), ...candidates(env, 'secure.yaml', undefined)];
  const secure = candidates(env, 'secure.yaml', env['OS_CLIENT_SECURE_FILE']).concat(beside).find(existsSync);
  return secure === undefined ? cloud : merge(cloud, cloudIn(secure, name) ?? {});
}

function candidates(env: NodeJS.ProcessEnv, name: string, named: string | undefined): string[] {
  const user = env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? homedir(), '.config');
  const folders = [process.cwd(), join(user, 'openstack'), '/etc/openstack'];
  return [...(named ? [named] : []), ...folders.map((folder) => join(folder, name))];
}

function cloudIn(file: string, name: string): Cloud | undefined {
  const content: unknown = parse(readFileSync(file, 'utf8'));
  const clouds = isMap(content) ? content['clouds'] : undefined;
  const cloud = isMap(clouds) && Object.hasOwn(clouds, name) ? clouds[name] : undefined;
  return isMap(cloud) ? cloud : undefined;
}

function merge(below: Cloud, above: Cloud): Cloud {
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const before = merged[key];
    merged[key] = isMap(before) && isMap(value) ? merge(before, value) : value;
  }
  return merged;
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
