/** One thing that was looked at. */
export interface Line {
  readonly section: string;
  readonly subject: string;
  /** `unknown`: it could not be read; `info`: there is nothing to judge. */
  readonly status: 'ok' | 'wrong' | 'unknown' | 'info';
  readonly text: string;
  /** Where it was read. */
  readonly read: string;
}

/** The sections in the order in which traffic is led: from what is wanted down to members. */
export const SECTIONS: readonly string[] = [
  'load balancer',
  'engines',
  'ports',
  'wiring',
  'BGP sessions',
  'control-nodes',
  'vRouters',
  'analytics',
  'engine namespaces',
  'members',
  'events',
];
