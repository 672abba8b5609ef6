import type { Json } from './json';
import type { Caller } from './resources';
import type { KeystoneProjects, Site } from './site';

/** A request as the calls see it. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Undefined: none, or none that says it is JSON. */
  readonly body: Json | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly caller: Caller;
}

/** An answer; without a body it has the type of a text. */
export interface Answer {
  readonly status?: number;
  readonly body?: Json;
  /** JSON under the type of a text, as the neutron backend gives. */
  readonly asText?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface CallDeps {
  readonly site: Site;
  readonly keystone: KeystoneProjects;
}
