/** What administrators decide about how load balancers are served; users have no say in it. */
export interface SpecOptions {
  /** A member that joins others gets no traffic until a check has passed. */
  readonly membersStartDown: boolean;
  /** Where a line for each connection or request goes: `address:port` or an absolute path. Null: nowhere. */
  readonly logTarget: string | null;
  /** What becomes of the VIP while no member is usable; null: what is usual in the mode it is wired in. */
  readonly whenDown: WhenDownPolicy | null;
  /** Milliseconds a change of that has to last before the VIP follows: of a member coming back, and of the last one going. */
  readonly restoreDelay: number;
  readonly withdrawDelay: number;
}

/** `withdraw`: it is taken off the network; `close`: its ports answer with a reset. */
export type WhenDownPolicy = 'serve' | 'withdraw' | 'close';

export const DEFAULT_OPTIONS: SpecOptions = {
  membersStartDown: true,
  logTarget: null,
  whenDown: null,
  restoreDelay: 2000,
  withdrawDelay: 3000,
};

/**
 * The options of a load balancer: what its flavor says (`members_start_down`, `log_target`,
 * `withdraw_vip_on_down`) goes before the configuration.
 */
export function optionsFor(given: SpecOptions, flavor: Readonly<Record<string, unknown>> | undefined): SpecOptions {
  const startDown = flavor?.['members_start_down'];
  const target = flavor?.['log_target'];
  return {
    ...given,
    whenDown: whenDownPolicy(flavor) ?? given.whenDown,
    membersStartDown: typeof startDown === 'boolean' ? startDown : given.membersStartDown,
    logTarget: typeof target === 'string' ? target || null : given.logTarget,
  };
}

/** What a flavor says of VIPs while no member is usable; null: nothing. */
export function whenDownPolicy(flavor: Readonly<Record<string, unknown>> | undefined): WhenDownPolicy | null {
  const value = flavor?.['withdraw_vip_on_down'];
  if (value === 'close') return 'close';
  return typeof value === 'boolean' ? (value ? 'withdraw' : 'serve') : null;
}
