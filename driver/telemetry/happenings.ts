import type { Logger } from 'pino';
import type { Happening } from '../domain/settlement';

/** Tells in the log what is recorded as events, for those who read along: what needs somebody's eye as a warning. */
export function logHappenings(log: Logger, happenings: readonly Happening[]): void {
  for (const { name, severity, message, resourceType, resourceId, engineId } of happenings) {
    const about = { event: name, ...(resourceId && { [resourceType ?? 'object']: resourceId }), engine: engineId };
    if (severity === 'info') log.info(about, message);
    else log.warn(about, message);
  }
}
