import type { Disagreement, StatusChange, StatusKind } from '../domain/operatingStatus';
import type { Happening } from '../domain/settlement';

/** Which changes of operating statuses an operator would ask about, and in what words. */

const EVENT_NAMES: Readonly<Record<StatusKind, string>> = {
  load_balancer: 'LOAD_BALANCER',
  listener: 'LISTENER',
  pool: 'POOL',
  member: 'MEMBER',
};

/** Down: to ERROR. Up: out of it, to whatever serves. Other changes are no events: they follow from what users do. */
export function transitionEvents(changes: readonly StatusChange[]): Happening[] {
  return changes.flatMap(({ kind, id, from, to }): Happening[] => {
    const about = { resourceType: kind, resourceId: id };
    const message = `${kind.replace('_', ' ')} ${id}: ${from} -> ${to}`;
    if (to === 'ERROR') return [{ ...about, name: `${EVENT_NAMES[kind]}_DOWN`, severity: 'warning', message }];
    const up = from === 'ERROR' && (to === 'ONLINE' || to === 'DEGRADED');
    return up ? [{ ...about, name: `${EVENT_NAMES[kind]}_UP`, severity: 'info', message }] : [];
  });
}

/** One event for each engine that reaches less than others. */
export function disagreementEvent(
  { memberId, engineIds }: Disagreement,
  names: ReadonlyMap<string, string>,
): Happening {
  const engines = engineIds.map((id) => names.get(id) ?? id).join(', ');
  const [engineId] = engineIds;
  return {
    name: 'ENGINES_DISAGREE',
    severity: 'warning',
    resourceType: 'member',
    resourceId: memberId,
    message: `member ${memberId} is down for ${engines} and up for others`,
    ...(engineId !== undefined && { engineId }),
  };
}
