import { z } from 'zod';
import type { Server } from '../port';
import { findEngineId } from './ownership';

const ServerBody = z.object({
  id: z.string(),
  name: z.string().nullish(),
  status: z.string(),
  tags: z.array(z.string()).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  addresses: z
    .record(z.string(), z.array(z.object({ addr: z.string(), 'OS-EXT-IPS:type': z.string().nullish() })))
    .nullish(),
  hostId: z.string().nullish(),
  'OS-EXT-SRV-ATTR:host': z.string().nullish(),
  'OS-EXT-STS:task_state': z.string().nullish(),
  'OS-SRV-USG:launched_at': z.string().nullish(),
  fault: z.object({ message: z.string().nullish() }).nullish(),
});

export const ServersView = z.object({ servers: z.array(ServerBody) });
export const ServerView = z.object({ server: ServerBody });
export const ActionsView = z.object({ instanceActions: z.array(z.object({ action: z.string() })) });
export const FlavorsView = z.object({ flavors: z.array(z.object({ id: z.string(), name: z.string() })) });
export const CreatedView = z.object({ server: z.object({ id: z.string() }) });
export const InterfacesView = z.object({ interfaceAttachments: z.array(z.object({ port_id: z.string() })) });
export const ServerGroupBody = z.object({
  id: z.string(),
  name: z.string(),
  members: z.array(z.string()).default([]),
  project_id: z.string().nullable().default(null),
});
export const ServerGroupsView = z.object({ server_groups: z.array(ServerGroupBody) });
export const ServerGroupView = z.object({ server_group: ServerGroupBody });

/** Statuses of servers that are as good as gone. */
const GONE = ['DELETED', 'SOFT_DELETED'];
const DELETING = ['deleting', 'soft-deleting'];
/** Statuses in which the guest does not run. */
const STOPPED = ['SHUTOFF', 'PAUSED', 'SUSPENDED', 'RESCUE', 'SHELVED', 'SHELVED_OFFLOADED'];

/** Nova shows it by the status, a moment later than by the task. */
function isRebooting({ status, 'OS-EXT-STS:task_state': task }: z.infer<typeof ServerBody>): boolean {
  return status === 'REBOOT' || status === 'HARD_REBOOT' || (task ?? '').startsWith('reboot');
}

/** Undefined for a server that is not of this owner, or on its way out. */
export function toServer(body: z.infer<typeof ServerBody>, owner: string): Server | undefined {
  const engineId = findEngineId(owner, { tags: body.tags ?? [], metadata: body.metadata ?? {} });
  if (engineId === undefined) return undefined;
  if (GONE.includes(body.status) || DELETING.includes(body['OS-EXT-STS:task_state'] ?? '')) return undefined;
  return {
    id: body.id,
    engineId,
    name: body.name ?? '',
    status: toStatus(body.status),
    managementAddress: findAddress(body.addresses ?? {}),
    // Who is no admin sees the same host under a name of its own.
    host: body['OS-EXT-SRV-ATTR:host'] || body.hostId || null,
    fault: body.status === 'ERROR' ? (body.fault?.message ?? null) : null,
    rebooting: isRebooting(body),
    stopped: STOPPED.includes(body.status) ? body.status : null,
    launchedAt: body['OS-SRV-USG:launched_at'] ?? null,
  };
}

/** Whether a server that is stopped or moved serves, its engine tells by calling. */
function toStatus(status: string): Server['status'] {
  return status === 'BUILD' || status === 'ERROR' ? status : 'ACTIVE';
}

/** The fixed address of the first network: Nova shows them in the order of the ports. */
function findAddress(addresses: NonNullable<z.infer<typeof ServerBody>['addresses']>): string | null {
  const fixed = Object.values(addresses)
    .flat()
    .find((address) => address['OS-EXT-IPS:type'] !== 'floating');
  return fixed?.addr ?? null;
}
