import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';

/** A user of the embedded Keystone and the name of its cloud in clouds.yaml. */
export interface EmbeddedUser {
  readonly cloud: string;
  readonly username: string;
  readonly projectName: string;
}

export const EMBEDDED_USERS: readonly EmbeddedUser[] = [
  { cloud: 'slipstream', username: 'admin', projectName: 'admin' },
  { cloud: 'slipstream-member', username: 'member', projectName: 'demo' },
  { cloud: 'slipstream-reader', username: 'reader', projectName: 'demo' },
];

const CloudsFile = z.object({
  clouds: z.record(z.string(), z.object({ auth: z.object({ username: z.string(), password: z.string() }) })),
});

/**
 * Passwords by user name: those of the clouds.yaml of an earlier start, so that clients configured with it go on working,
 * else new ones.
 * @throws Error when the file is there but is not a clouds.yaml of ours
 */
export function loadPasswords(stateDir: string): Map<string, string> {
  const known = readPasswords(path.join(stateDir, 'clouds.yaml'));
  return new Map(
    EMBEDDED_USERS.map(({ username }) => [username, known.get(username) ?? randomBytes(18).toString('base64url')]),
  );
}

function readPasswords(file: string): Map<string, string> {
  if (!existsSync(file)) return new Map();
  const content = CloudsFile.safeParse(parse(readFileSync(file, 'utf8')));
  if (!content.success) throw new Error(`${file} is not a clouds.yaml of this site: move it away and start again`);
  return new Map(Object.values(content.data.clouds).map(({ auth }) => [auth.username, auth.password]));
}

/** Writes clouds.yaml for the openstack client and everything built on openstacksdk; readable by its owner alone. Gives its path. */
export function writeCloudsFile(stateDir: string, authUrl: string, passwords: ReadonlyMap<string, string>): string {
  const clouds = Object.fromEntries(
    EMBEDDED_USERS.map(({ cloud, username, projectName }) => [
      cloud,
      {
        auth: {
          auth_url: authUrl,
          username,
          password: passwords.get(username),
          project_name: projectName,
          user_domain_name: 'Default',
          project_domain_name: 'Default',
        },
        region_name: 'RegionOne',
        identity_api_version: 3,
      },
    ]),
  );
  const file = path.resolve(stateDir, 'clouds.yaml');
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, stringify({ clouds }), { mode: 0o600 });
  renameSync(draft, file);
  return file;
}
