/** What administrators decide about how load balancers are served; users have no say in it. */
export interface SpecOptions {
  /** A member that joins others gets no traffic until a check has passed. */
  readonly membersStartDown: boolean;
  /** Where a line for each connection or request goes: `address:port` or an absolute path. Null: nowhere. */
  readonly logTarget: string | null;
}

export const DEFAULT_OPTIONS: SpecOptions = { membersStartDown: true, logTarget: null };

/** The options of a load balancer: what its flavor says (`members_start_down`, `log_target`) goes before the configuration. */
export function optionsFor(given: SpecOptions, flavor: Readonly<Record<string, unknown>> | undefined): SpecOptions {
  const startDown = flavor?.['members_start_down'];
  const target = flavor?.['log_target'];
  return {
    membersStartDown: typeof startDown === 'boolean' ? startDown : given.membersStartDown,
    logTarget: typeof target === 'string' ? target || null : given.logTarget,
  };
}
