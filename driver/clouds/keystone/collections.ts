import { type CatalogService, listEndpoints, listServices, REGION } from './catalog';
import type { EmbeddedKeystone, Token } from './memory';
import { viewDomain, viewProject, viewRole, viewUser } from './views';

/** A read-only collection below `/v3`: what lists, filters and look-ups need to know of it. */
export interface Collection {
  /** Key of a list and path below `/v3`. */
  readonly plural: string;
  /** Key of a single object, and its name in errors and policy rules. */
  readonly singular: string;
  readonly rows: readonly Row[];
  /** Whether a caller who is no admin may see this row; without it nobody else may. */
  readonly isOwn?: (row: Row, token: Token) => boolean;
}

export type Row = { readonly id: string } & Readonly<Record<string, unknown>>;

/** All that `--project NAME` and the `openstack ... list` commands of the identity service look up. */
export function describeCollections(
  keystone: EmbeddedKeystone,
  services: readonly CatalogService[],
): readonly Collection[] {
  const { domains, projects, users, roles } = keystone.directory;
  return [
    {
      plural: 'domains',
      singular: 'domain',
      rows: domains.map(viewDomain),
      isOwn: ({ id }, { user }) => user.domainId === id,
    },
    {
      plural: 'projects',
      singular: 'project',
      rows: projects.map(viewProject),
      isOwn: ({ id }, { user }) => keystone.listProjectsOf(user.id).some((project) => project.id === id),
    },
    { plural: 'users', singular: 'user', rows: users.map(viewUser), isOwn: ({ id }, { user }) => user.id === id },
    { plural: 'roles', singular: 'role', rows: roles.map(viewRole) },
    { plural: 'services', singular: 'service', rows: listServices(services) },
    { plural: 'endpoints', singular: 'endpoint', rows: listEndpoints(services) },
    {
      plural: 'regions',
      singular: 'region',
      rows: [{ id: REGION, description: '', parent_region_id: null }],
      isOwn: () => true,
    },
  ];
}

/** The rows whose attributes equal every query value that names one; values of unknown names are ignored, as in Keystone. */
export function filterRows(rows: readonly Row[], query: Readonly<Record<string, unknown>>): readonly Row[] {
  const wanted = Object.entries(query).filter(([name]) => rows.some((row) => name in row));
  return rows.filter((row) => wanted.every(([name, value]) => matches(row[name], value)));
}

function matches(have: unknown, want: unknown): boolean {
  if (typeof have === 'boolean') return have === !['false', '0', 'no'].includes(String(want).toLowerCase());
  return String(have) === String(want);
}
