import type { ListenerSpec } from '../../protocol/spec';
import { type Fault, passingFault } from '../haproxy/fault';

/** A fault of each listener, for one and the same reason, that time may heal. */
export function faultOfEach(listeners: readonly Pick<ListenerSpec, 'id'>[], reason: string): Fault[] {
  return listeners.map(({ id }) => passingFault('listener', id, reason));
}
