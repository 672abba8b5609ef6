import type { Db } from '../db/connect';
import { emptyQuota } from '../db/quotas';
import { QUOTA_KINDS } from '../db/rows';
import type { ImportSettings } from './deps';
import { type OctaviaRow, type OctaviaTree, readOctaviaChoice, readOctaviaQuota } from './source';
import { optional, text } from './translate';

/** What a load balancer refers to and its project has: read ahead, written in the transaction that copies it. */
export interface Surroundings {
  readonly flavor: Choice | undefined;
  readonly zone: Choice | undefined;
  readonly projectId: string;
  readonly quota: OctaviaRow | undefined;
}

type Choice = Awaited<ReturnType<typeof readOctaviaChoice>>;

export async function readSurroundings(octavia: Db, { loadBalancer }: OctaviaTree): Promise<Surroundings> {
  const projectId = text(loadBalancer, 'project_id');
  const [flavorId, zone] = [optional(loadBalancer, 'flavor_id'), optional(loadBalancer, 'availability_zone')];
  return {
    flavor: flavorId === null ? undefined : await readOctaviaChoice(octavia, 'flavor', String(flavorId)),
    zone: zone === null ? undefined : await readOctaviaChoice(octavia, 'availability_zone', String(zone)),
    projectId,
    quota: await readOctaviaQuota(octavia, projectId),
  };
}

/**
 * Makes flavor, zone and limits as Octavia has them, where they are not there yet: what is there is the operator's. A name
 * that is taken by another gets the id added.
 */
export async function writeSurroundings(
  db: Db,
  { flavor, zone, projectId, quota }: Surroundings,
  settings: ImportSettings,
): Promise<void> {
  if (flavor) await writeFlavor(db, flavor, settings);
  if (zone) await writeZone(db, zone, settings);
  await writeLimits(db, projectId, quota);
}

async function writeFlavor(db: Db, { choice, profile }: NonNullable<Choice>, settings: ImportSettings): Promise<void> {
  const { id } = choice as { id: string };
  if (await db('flavor').where({ id }).first('id')) return;
  await writeProfile(db, { table: 'flavor_profile', column: 'flavor_data', profile }, settings);
  await db('flavor').insert({
    id,
    name: await freeName(db, 'flavor', choice),
    description: optional(choice, 'description') ?? '',
    enabled: Number(choice['enabled'] ?? 0),
    flavor_profile_id: text(profile, 'id'),
  });
}

async function writeZone(db: Db, { choice, profile }: NonNullable<Choice>, settings: ImportSettings): Promise<void> {
  const name = text(choice, 'name');
  if (await db('availability_zone').where({ name }).first('name')) return;
  await writeProfile(db, { table: 'availability_zone_profile', column: 'availability_zone_data', profile }, settings);
  await db('availability_zone').insert({
    name,
    description: optional(choice, 'description') ?? '',
    enabled: Number(choice['enabled'] ?? 0),
    availability_zone_profile_id: text(profile, 'id'),
  });
}

async function writeProfile(
  db: Db,
  {
    table,
    column,
    profile,
  }: { table: 'flavor_profile' | 'availability_zone_profile'; column: string; profile: OctaviaRow },
  { providers, defaultProvider }: ImportSettings,
): Promise<void> {
  const id = text(profile, 'id');
  if (await db(table).where({ id }).first('id')) return;
  const provider = String(optional(profile, 'provider_name') ?? '');
  await db(table).insert({
    id,
    name: optional(profile, 'name') ?? id,
    provider_name: providers.includes(provider) ? provider : defaultProvider,
    [column]: optional(profile, column) ?? '{}',
  });
}

async function freeName(db: Db, table: 'flavor', row: OctaviaRow): Promise<string> {
  const name = String(optional(row, 'name') ?? row['id']);
  const taken = await db(table).where({ name }).first('id');
  return taken ? `${name} (${String(row['id'])})`.slice(0, 255) : name;
}

/** Those that the project does not have here yet; usage is counted once its rows are there. */
async function writeLimits(db: Db, projectId: string, quota: OctaviaRow | undefined): Promise<void> {
  const given = QUOTA_KINDS.map((kind) => [kind, quota ? optional(quota, kind) : null] as const);
  const own = await db('quotas').where({ project_id: projectId }).first();
  if (!own) {
    await db('quotas').insert({ ...emptyQuota(projectId), ...Object.fromEntries(given) });
    return;
  }
  const missing = given.filter(([kind, limit]) => limit !== null && own[kind] === null);
  if (missing.length > 0) await db('quotas').where({ project_id: projectId }).update(Object.fromEntries(missing));
}
