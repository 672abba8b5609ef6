import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Recorded exchanges with a real Octavia API: scenarios of requests and answers, with placeholders for what varies. */

// biome-ignore lint/suspicious/noExplicitAny: bodies of every shape
export type Json = any;

export interface Exchange {
  readonly scenario: string;
  readonly step: number;
  readonly request: { readonly method: string; readonly path: string; readonly body: Json };
  readonly response: { readonly status: number; readonly body: Json };
}

export interface Scenario {
  readonly name: string;
  readonly exchanges: readonly Exchange[];
}

export function readRecording(file: string): Scenario[] {
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n');
  const scenarios = new Map<string, Exchange[]>();
  for (const line of lines) {
    const exchange = JSON.parse(line, withKnownData) as Exchange;
    const exchanges = scenarios.get(exchange.scenario) ?? [];
    exchanges.push(exchange);
    scenarios.set(exchange.scenario, exchanges);
  }
  return [...scenarios].map(([name, exchanges]) => ({ name, exchanges }));
}

/** The recorded provider was patched to take any key in a profile's data; ours takes what it knows. */
function withKnownData(key: string, value: Json): Json {
  if (typeof value !== 'string' || !/^\{"(?:x|hello|image)": "\w+"\}$/.test(value)) return value;
  if (key === 'flavor_data') return '{"compute_flavor": "y"}';
  return key === 'availability_zone_data' ? '{"compute_zone": "y"}' : value;
}

const UUID = /<uuid:\d+>/g;

/** What the placeholders of one scenario stand for. */
export class Bindings {
  readonly #values = new Map<string, string>();
  readonly #ofRequests = new Set<string>();
  #next = 1;

  /** Whether the placeholder was met in a request before any answer had it. */
  isOfRequest(placeholder: string): boolean {
    return this.#ofRequests.has(placeholder);
  }

  valueOf(placeholder: string): string | undefined {
    return this.#values.get(placeholder);
  }

  bind(placeholder: string, value: string): void {
    this.#values.set(placeholder, value);
  }

  /** The text with every placeholder filled; those that are met first in a request get a UUID of ours. */
  fill(text: string): string {
    return text.replace(UUID, (placeholder) => {
      const known = this.#values.get(placeholder);
      if (known) return known;
      const made = `00000000-0000-4000-8000-${String(this.#next++).padStart(12, '0')}`;
      this.#values.set(placeholder, made);
      this.#ofRequests.add(placeholder);
      return made;
    });
  }

  /** The body with the placeholders filled that are known by now. */
  fillKnown(body: Json): Json {
    const text = JSON.stringify(body ?? null);
    return JSON.parse(text.replace(UUID, (placeholder) => this.#values.get(placeholder) ?? placeholder));
  }

  fillJson(value: Json): Json {
    return value === undefined || value === null ? value : JSON.parse(this.fill(JSON.stringify(value)));
  }
}
