import type { Entity } from './database';
import { type Caller, createObject } from './resources';
import { CLOUD_ADMIN, type KeystoneProjects, type Site, withDashes } from './site';

const DOMAIN = 'default-domain';

/** The project with this id, fetched from Keystone if Contrail has not got it yet. */
export async function syncProject(
  site: Site,
  keystone: KeystoneProjects,
  { id, caller }: { id: string; caller: Caller },
): Promise<Entity | undefined> {
  const uuid = withDashes(id);
  const there = site.db.typed('project', uuid);
  if (there) return there;
  const known = await keystone.byId(id);
  return known && (site.db.typed('project', uuid) ?? addProject(site, known, caller));
}

/** The same by its name. */
export async function syncProjectNamed(
  site: Site,
  keystone: KeystoneProjects,
  { name, caller }: { name: string; caller: Caller },
): Promise<void> {
  if (site.db.named('project', [DOMAIN, name])) return;
  const known = await keystone.byName(name);
  if (known && !site.db.typed('project', withDashes(known.id))) addProject(site, known, caller);
}

/** Makes a project of Keystone one of Contrail's. A name that another one still has gets the uuid behind it. */
export function addProject(
  site: Site,
  { id, name }: { id: string; name: string },
  caller: Caller = { owner: CLOUD_ADMIN, base: '' },
): Entity {
  const uuid = withDashes(id);
  const taken = site.db.named('project', [DOMAIN, name]) !== undefined;
  const members = { fq_name: [DOMAIN, taken ? `${name}-${uuid}` : name], uuid, parent_type: 'domain' };
  return createObject(site, 'project', members, caller);
}

/** What is there before anybody asks: the system, the domain, its project and the IPAM that networks use. */
export function addBasics(site: Site): void {
  const caller = { owner: CLOUD_ADMIN, base: '' };
  createObject(
    site,
    'global-system-config',
    {
      fq_name: ['default-global-system-config'],
      ...{ autonomous_system: 64_512, enable_4byte_as: false, ibgp_auto_mesh: true },
    },
    caller,
  );
  createObject(site, 'domain', { fq_name: [DOMAIN] }, caller);
  createObject(site, 'project', { fq_name: [DOMAIN, 'default-project'], parent_type: 'domain' }, caller);
  const ipam = { fq_name: [DOMAIN, 'default-project', 'default-network-ipam'], parent_type: 'project' };
  createObject(site, 'network-ipam', ipam, caller);
}
