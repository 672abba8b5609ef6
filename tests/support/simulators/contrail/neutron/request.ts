import type { Entity } from '../database';
import { isMembers, type Json, listOf, type Members, textOf } from '../json';
import { syncProject } from '../projects';
import { type Caller, createObject, updateObject } from '../resources';
import { type KeystoneProjects, type Site, withDashes, withoutDashes } from '../site';
import { NeutronFault, turning, usualFault } from './errors';

/** A call of the neutron backend, with all that the resources need. */
export interface NeutronCall {
  readonly site: Site;
  readonly keystone: KeystoneProjects;
  readonly caller: Caller;
  /** The project of who asks, without dashes. */
  readonly tenant: string;
  readonly isAdmin: boolean;
  readonly id: string;
  readonly resource: Members;
  readonly filters: Members;
}

/** A resource of Neutron's, as the backend offers it. */
export interface NeutronResource {
  readonly create?: (call: NeutronCall) => Promise<Members>;
  readonly read: (call: NeutronCall) => Members;
  readonly update?: (call: NeutronCall) => Members;
  readonly remove?: (call: NeutronCall) => void;
  /** Objects that the filters may mean, shown. */
  readonly list: (call: NeutronCall) => Members[];
  /** Filters that are looked at; others are as if they were not there. */
  readonly filters: readonly string[];
  readonly actions?: Readonly<Record<string, (call: NeutronCall) => Members>>;
}

/** The project that the resource is for. */
export async function projectOf({ site, keystone, caller, resource, tenant }: NeutronCall): Promise<Entity> {
  const id = textOf(resource['tenant_id']) ?? textOf(resource['project_id']) ?? tenant;
  const project = await syncProject(site, keystone, { id, caller });
  if (!project) throw new NeutronFault('NotFound', { msg: `Unknown id: ${withDashes(id)}` });
  return project;
}

/** Makes an object below a project; where the name is taken, its uuid goes behind it. */
export function createNamed(call: NeutronCall, type: string, project: Entity, members: Members): Entity {
  const { site, caller } = call;
  const uuid = textOf(call.resource['id']) ?? textOf(members['uuid']) ?? site.newUuid();
  const asked = textOf(members['name']) || uuid;
  const taken = site.db.named(type, [...project.fqName, asked]) !== undefined;
  const { name: _, ...rest } = members;
  const whole = {
    ...rest,
    ...{ uuid, fq_name: [...project.fqName, taken ? `${asked}-${uuid}` : asked] },
    ...{ parent_type: 'project', display_name: asked },
  };
  return turning(() => createObject(site, type, whole, caller), usualFault);
}

/** Changes an object with the members of a PUT. */
export function change({ site }: NeutronCall, entity: Entity, members: Members): void {
  updateObject(site, entity, members);
}

/** A reference as a PUT or a POST takes it. */
export function refTo({ fqName, uuid }: Entity, attr: Json = null): Members {
  return { to: fqName, uuid, attr };
}

export function tenantOf({ parent }: Entity): string {
  return withoutDashes(parent?.uuid ?? '');
}

/** When it was made and last changed. */
export function timesOf({ created, lastModified }: Entity): Members {
  return { created_at: created, updated_at: lastModified };
}

/** A description is shown only if there is one. */
export function descriptionOf({ description }: Entity): Members {
  return typeof description === 'string' && description !== '' ? { description } : {};
}

/** Admin state and description, where the resource says something about them. */
export function applyCommon(entity: Entity, resource: Members): void {
  if (typeof resource['admin_state_up'] === 'boolean') entity.enable = resource['admin_state_up'];
  if (typeof resource['description'] === 'string') entity.description = resource['description'];
}

/** Whether what is shown meets the filters, as far as they are looked at. */
export function meets(shown: Members, filters: Members, known: readonly string[]): boolean {
  return Object.entries(filters).every(([name, wanted]) => {
    if (name === 'fixed_ips') return known.includes(name) ? meetsFixedIps(shown, wanted) : true;
    if (!known.includes(name)) return true;
    const values = listOf(wanted).map(plain);
    const actual = shown[name] ?? null;
    return Array.isArray(actual) ? actual.some((one) => values.includes(plain(one))) : values.includes(plain(actual));
  });
}

function meetsFixedIps(shown: Members, wanted: Json): boolean {
  if (!isMembers(wanted)) return true;
  return listOf(shown['fixed_ips']).some((ip) => {
    return Object.entries(wanted).every(([name, values]) => {
      return (
        isMembers(ip) &&
        listOf(values)
          .map(plain)
          .includes(plain(ip[name] ?? null))
      );
    });
  });
}

/** As a filter in a query has it. */
function plain(value: Json): string {
  const text = String(value).toLowerCase();
  return withoutDashesIfUuid(text);
}

function withoutDashesIfUuid(text: string): string {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) ? withoutDashes(text) : text;
}

/** The first value of a filter, with dashes if it is an id. */
export function firstOf(filters: Members, name: string): string | undefined {
  const value = listOf(filters[name])[0];
  return value === undefined ? undefined : String(value);
}
