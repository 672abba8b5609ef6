import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { startSite } from '../../support/site';

/** Somebody who may log in. */
export interface Person {
  readonly authUrl: string;
  readonly region: string;
  readonly username: string;
  readonly password: string;
  readonly projectName: string;
}

/** The cloud that the clients speak with: the lab if there is one, else an embedded site. */
export interface Cloud {
  readonly isLab: boolean;
  /** `admin` of the project admin; `member` and `reader` of the project demo. */
  as(who: 'admin' | 'member' | 'reader'): Person;
  /** Where Horizon is; a site has none. */
  readonly horizonUrl: string | undefined;
  close(): Promise<void>;
}

/** Where `setup-devstack.sh` keeps its lab, unless SLIPSTREAM_LAB says otherwise. */
export const LAB = process.env['SLIPSTREAM_LAB'] ?? path.resolve(__dirname, '../../../var/lab');

const DOMAIN = 'Default';

interface LabFile {
  readonly auth_url: string;
  readonly region: string;
  readonly password: string;
  readonly horizon_url: string;
}

/**
 * Opens the lab, or starts a site when there is none and one will do.
 * @param vipCidr of the site: a range no other test file takes; without one only the lab will do
 * @throws when neither is there
 */
export async function openCloud(vipCidr?: string): Promise<Cloud> {
  const file = path.join(LAB, 'lab.json');
  if (existsSync(file)) return openLab(file);
  if (vipCidr === undefined) throw new Error(`there is no lab in ${LAB}: run setup-devstack.sh`);
  return openSite(vipCidr);
}

function openLab(file: string): Cloud {
  const lab = JSON.parse(readFileSync(file, 'utf8')) as LabFile;
  const person = (username: string, projectName: string): Person => ({
    authUrl: lab.auth_url,
    region: lab.region,
    username,
    password: lab.password,
    projectName,
  });
  const people = {
    admin: person('admin', 'admin'),
    member: person('demo', 'demo'),
    reader: person('reader', 'demo'),
  };
  return { isLab: true, as: (who) => people[who], horizonUrl: lab.horizon_url, close: async () => undefined };
}

async function openSite(vipCidr: string): Promise<Cloud> {
  const site = await startSite({ vipCidr });
  const { clouds } = parse(readFileSync(site.cloudsFile, 'utf8')) as {
    clouds: Record<string, { auth: Record<'auth_url' | 'username' | 'password' | 'project_name', string> }>;
  };
  const names = { admin: 'slipstream', member: 'slipstream-member', reader: 'slipstream-reader' } as const;
  return {
    isLab: false,
    as(who) {
      const auth = clouds[names[who]]?.auth;
      if (auth === undefined) throw new Error(`no cloud ${names[who]} in ${site.cloudsFile}`);
      const { auth_url: authUrl, username, password, project_name: projectName } = auth;
      return { authUrl, region: 'RegionOne', username, password, projectName };
    },
    horizonUrl: undefined,
    close: () => site.dispose(),
  };
}

/** What an openrc would export; nothing else of this machine's own clouds remains. */
export function openrc(person: Person): NodeJS.ProcessEnv {
  return {
    ...withoutClouds(process.env),
    OS_AUTH_URL: person.authUrl,
    OS_REGION_NAME: person.region,
    OS_USERNAME: person.username,
    OS_PASSWORD: person.password,
    OS_PROJECT_NAME: person.projectName,
    OS_USER_DOMAIN_NAME: DOMAIN,
    OS_PROJECT_DOMAIN_NAME: DOMAIN,
    OS_IDENTITY_API_VERSION: '3',
  };
}

function withoutClouds(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('OS_')));
}
