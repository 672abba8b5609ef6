import { readFileSync } from 'node:fs';
import type { Json } from '../exchanges/recording';

/** Recorded exchanges with a real Contrail API server; the format is described beside the recording. */
export interface ContrailExchange {
  readonly scenario: string;
  readonly step: number;
  readonly area: string;
  readonly why: string;
  /** Which of the recorded servers: they differ in how they authenticate. */
  readonly server: 'main' | 'rbac' | 'rbac-admin' | 'cloud-admin';
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: Json;
    readonly raw_body?: string;
  };
  readonly response: {
    readonly status: number;
    readonly content_type: string | null;
    readonly body: Json;
    readonly headers?: Readonly<Record<string, string>>;
    readonly cut_short?: string;
  };
  /** The schema transformer works behind the call: seconds within which the answer must come to match. */
  readonly settle_s?: number;
  /** Seconds to wait before the request. */
  readonly wait_s?: number;
  readonly match?: 'contains' | 'any-holder';
}

export interface ContrailScenario {
  readonly name: string;
  readonly exchanges: readonly ContrailExchange[];
}

export function readContrailRecording(file: string): ContrailScenario[] {
  const scenarios = new Map<string, ContrailExchange[]>();
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const exchange = JSON.parse(line) as ContrailExchange;
    scenarios.set(exchange.scenario, [...(scenarios.get(exchange.scenario) ?? []), exchange]);
  }
  return [...scenarios].map(([name, exchanges]) => ({ name, exchanges }));
}
