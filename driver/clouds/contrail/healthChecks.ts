import { randomUUID } from 'node:crypto';
import type { HealthCheck, Interface } from './port';
import { idsOf, marked, markOf } from './views';
import type { FqName, Vnc, VncObject } from './vnc';

export const HEALTH_CHECK = 'service-health-check';
const PROPERTIES = 'service_health_check_properties';

/** A port of a server takes no other type. */
export function propertiesOf({ monitor, interval, timeout, retries }: HealthCheck): Readonly<Record<string, unknown>> {
  return {
    enabled: true,
    health_check_type: 'link-local',
    monitor_type: monitor,
    delay: Math.floor(interval / 1_000),
    delayUsecs: (interval % 1_000) * 1_000,
    timeout: Math.floor(timeout / 1_000),
    timeoutUsecs: (timeout % 1_000) * 1_000,
    max_retries: retries,
  };
}

/** Makes the check in the project, or sees that the one there under its name is as wanted. Gives its id. */
export async function ensureHealthCheck(vnc: Vnc, name: string, wanted: Wanted): Promise<string> {
  const properties = propertiesOf(wanted.check);
  const { id, made } = await vnc.create(HEALTH_CHECK, {
    id: randomUUID(),
    fqName: [...wanted.project, name],
    parentType: 'project',
    members: { [PROPERTIES]: properties, ...marked(name) },
  });
  if (made) return id;
  const found = await vnc.read(HEALTH_CHECK, id, { fields: [PROPERTIES, 'annotations'] });
  if (found && !isAs(found, properties)) await vnc.update(HEALTH_CHECK, id, { [PROPERTIES]: properties });
  if (found && markOf(found) !== name) await vnc.annotate(id, 'slipstream', name);
  return id;
}

interface Wanted {
  readonly project: FqName;
  readonly check: HealthCheck;
}

/** Whether the check has all these properties. */
export function isAs(found: VncObject, properties: Readonly<Record<string, unknown>>): boolean {
  const have = (found[PROPERTIES] ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(properties).every(([key, value]) => have[key] === value);
}

/** Checks that were made or looked at: by project and name. A change of the configuration is one of the process. */
export function createHealthChecks(vnc: Vnc) {
  const known = new Map<string, string>();
  const ensure = async (name: string, wanted: Wanted): Promise<string> => {
    const key = [...wanted.project, name].join(':');
    const id = known.get(key) ?? (await ensureHealthCheck(vnc, name, wanted));
    known.set(key, id);
    return id;
  };
  const forget = (name: string): void => {
    for (const key of known.keys()) if (key.endsWith(`:${name}`)) known.delete(key);
  };
  const linkOf = (portId: string, refId: string) => ({
    ...{ type: 'virtual-machine-interface', id: portId },
    ...{ refType: HEALTH_CHECK, refId },
  });
  const find = (name: string) => findByName(vnc, name);
  return {
    async setHealthCheck(name: string, check: HealthCheck, ports: readonly Interface[]): Promise<void> {
      for (const port of ports) {
        const wanted = { project: port.project, check };
        if (await vnc.link(linkOf(port.id, await ensure(name, wanted)))) continue;
        // The port is gone, which is nobody's trouble here; or the check, which is made again.
        forget(name);
        await vnc.link(linkOf(port.id, await ensure(name, wanted)));
      }
    },
    async clearHealthCheck(name: string, ports: readonly Interface[]): Promise<void> {
      if (ports.length === 0) return;
      for (const found of await find(name)) for (const { id } of ports) await vnc.unlink(linkOf(id, found.uuid));
    },
    async removeHealthChecks(name: string): Promise<void> {
      forget(name);
      for (const found of await find(name)) {
        if (idsOf(found, 'virtual_machine_interface_back_refs').length === 0)
          await vnc.remove(HEALTH_CHECK, found.uuid);
      }
    },
  };
}

/** In all projects: few bear our names. */
async function findByName(vnc: Vnc, name: string): Promise<readonly VncObject[]> {
  const all = await vnc.list(HEALTH_CHECK, 'all', { fields: ['annotations', 'virtual_machine_interface_back_refs'] });
  return all.filter((it) => it.fq_name.at(-1) === name && markOf(it) === name);
}
