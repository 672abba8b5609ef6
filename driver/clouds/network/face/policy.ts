import type { Identity } from '../../../domain/identity';
import { NeutronError, networkNotFound, policyForbids, portNotFound, securityGroupNotFound } from '../model/errors';
import { getNetwork } from '../model/networks';
import type { NetworkRecord } from '../model/records';
import type { StoredBody } from '../store';
import { badRequest, type Context, type Item, type Resource } from './resource';

/** True for whoever may do everything in every project. */
export function isAdmin({ isAdmin, roles }: Identity): boolean {
  return isAdmin || roles.includes('admin');
}

/** True if the caller may act on the object as its owner. */
export function owns(caller: Identity, { project_id }: Item): boolean {
  return isAdmin(caller) || (caller.projectId !== null && caller.projectId === project_id);
}

/** True if the caller may see the object. */
export function sees(resource: Resource, context: Context, item: Item): boolean {
  return owns(context.caller, item) || (resource.isShared?.(context, item) ?? false);
}

/** @throws NeutronError 403 for a caller who may only read, 404 for what they cannot see, 403 for what is not theirs */
export function requireOwned(
  resource: Resource,
  context: Context,
  { id, action }: { id: string; action: string },
): Item {
  const item = resource.rows.find(context.model, id);
  if (!item || !sees(resource, context, item)) throw resource.notFound(id);
  const rule = `${action}_${resource.singular}`;
  requireWriter(context.caller, rule);
  if (!owns(context.caller, item)) throw policyForbids(rule);
  return item;
}

/** Readers do not write. @throws NeutronError 403 */
export function requireWriter(caller: Identity, rule: string): void {
  if (!isAdmin(caller) && !caller.roles.includes('member')) throw policyForbids(rule);
}

/** @throws NeutronError 403 when the body holds what only admins may set */
export function requireAllowedAttributes(
  { adminAttributes = [] }: Resource,
  { caller }: Context,
  { body, rule }: { body: StoredBody; rule: string },
): void {
  if (isAdmin(caller)) return;
  const forbidden = adminAttributes.find((attribute) => body[attribute] !== undefined && Boolean(body[attribute]));
  if (forbidden !== undefined) throw policyForbids(`${rule}:${forbidden}`);
  if (String(body['device_owner'] ?? '').startsWith('network:')) throw policyForbids(`${rule}:device_owner`);
}

/**
 * The project a new object is for: the one named, else the caller's.
 * @throws NeutronError 403 when that is somebody else's, 400 when there is none
 */
export function chooseProject(caller: Identity, body: StoredBody, rule: string): string {
  const named = body['project_id'] ?? body['tenant_id'];
  if (named !== undefined && named !== caller.projectId && !isAdmin(caller)) throw policyForbids(rule);
  const project = named ?? caller.projectId;
  if (typeof project !== 'string')
    throw badRequest("Failed to parse request. Required attribute 'project_id' not specified");
  return project;
}

/** Whether a network is there for others than its owner. */
export function isOpenNetwork(network: NetworkRecord): boolean {
  return network.shared || network['router:external'];
}

/** @throws NeutronError 404 for a network the caller does not see */
export function requireVisibleNetwork({ model, caller }: Context, id: string): NetworkRecord {
  const network = getNetwork(model, id);
  if (!owns(caller, network) && !isOpenNetwork(network)) throw networkNotFound(id);
  return network;
}

/** @throws NeutronError 403 for a network that is neither the caller's nor shared (an external one, for instance) */
export function requireUsableNetwork(context: Context, id: string): void {
  const network = requireVisibleNetwork(context, id);
  if (owns(context.caller, network) || network.shared) return;
  throw new NeutronError(
    403,
    'NotAuthorized',
    `Tenant ${context.caller.projectId} not allowed to create port on this network`,
  );
}

/** @throws NeutronError 404 for a port or a group that is not the caller's */
export function requireOwnReferences(
  { model, caller }: Context,
  { portId, groups = [] }: { portId?: string | null | undefined; groups?: readonly string[] | undefined },
): void {
  const port = portId ? model.ports.get(portId) : undefined;
  if (portId && !(port && owns(caller, port))) throw portNotFound(portId);
  for (const id of groups) {
    const group = model.securityGroups.get(id);
    if (!group || !owns(caller, group)) throw securityGroupNotFound(id);
  }
}
