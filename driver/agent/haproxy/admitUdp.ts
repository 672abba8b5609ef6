import type { MonitorSpec, PersistenceSpec } from '../../protocol/spec';
import { isGranularity } from '../nginx/sourceKey';

const CHECKED = ['UDP-CONNECT', 'TCP', 'HTTP'];

/** Why members of a UDP pool cannot be checked so; null if they can. Its values are looked at as any monitor's are. */
export function whyUdpMonitorCannotBeRun({ type }: MonitorSpec): string | null {
  return CHECKED.includes(type) ? null : `members of a UDP pool are not checked by monitors of type ${type}`;
}

export function whyUdpPersistenceCannotBe({ type, granularity }: PersistenceSpec): string | null {
  if (type !== 'SOURCE_IP') return `UDP knows no persistence of type ${type}`;
  return granularity === null || isGranularity(granularity) ? null : 'its persistence granularity is not a netmask';
}
