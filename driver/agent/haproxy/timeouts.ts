import type { ListenerSpec } from '../../protocol/spec';

/** Milliseconds. */
export interface Timeouts {
  readonly clientData: number;
  readonly memberConnect: number;
  readonly memberData: number;
}

/** For Octavia 0 is "not given" and means these; for haproxy it would mean that nothing ever times out. */
const DEFAULTS: Timeouts = { clientData: 50_000, memberConnect: 5000, memberData: 50_000 };

export function timeoutsOf(listener: ListenerSpec): Timeouts {
  return {
    clientData: listener.timeoutClientData || DEFAULTS.clientData,
    memberConnect: listener.timeoutMemberConnect || DEFAULTS.memberConnect,
    memberData: listener.timeoutMemberData || DEFAULTS.memberData,
  };
}
