import { FIXED_TOKENS } from '../../support/simulators/contrail';
import type { Json } from '../exchanges/recording';

const PLACEHOLDER = /<(?:uuid|hex|mac|rt|etag):\d+>|<token:\w+>|<base>|<time>|<int>/g;

/** What an unbound placeholder may stand for. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/^<uuid/, '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'],
  [/^<hex/, '[0-9a-f]{32}'],
  [/^<mac/, '[0-9a-f]{2}(?::[0-9a-f]{2}){5}'],
  [/^<rt/, 'target:\\d+:\\d+'],
  [/^<etag/, '"[^"]+"'],
  [/^<base/, 'https?://[^/\'"]+'],
  [/^<time/, '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?'],
  [/^<int/, '\\d+'],
];

const TOKENS: Readonly<Record<string, string>> = {
  '<token:admin>': FIXED_TOKENS.admin,
  '<token:demo>': FIXED_TOKENS.demo,
};

/** What the placeholders of one scenario stand for. */
export class ContrailBindings {
  #values: Map<string, string>;

  constructor(values: ReadonlyMap<string, string> = new Map()) {
    this.#values = new Map(values);
  }

  /** A copy, for a comparison that may turn out to be the wrong one. */
  fork(): ContrailBindings {
    return new ContrailBindings(this.#values);
  }

  take(other: ContrailBindings): void {
    this.#values = other.#values;
  }

  /** @throws Error for a placeholder that nothing has been bound to */
  fill(text: string): string {
    return text.replace(PLACEHOLDER, (placeholder) => {
      const value = TOKENS[placeholder] ?? this.#values.get(placeholder);
      if (value === undefined) throw new Error(`${placeholder} is not bound`);
      return value;
    });
  }

  fillJson(value: Json): Json {
    return value === undefined ? undefined : JSON.parse(this.fill(JSON.stringify(value)));
  }

  /** Whether the text is what is expected; binds what is met for the first time. */
  matches(expected: string, actual: string): boolean {
    const met: string[] = [];
    const pattern = expected.split(/(<[\w:]+>)/).map((part) => {
      if (!part.startsWith('<') || part.match(PLACEHOLDER)?.[0] !== part) return quoted(part);
      const known = this.#values.get(part);
      if (known !== undefined) return quoted(known);
      const shape = SHAPES.find(([placeholder]) => placeholder.test(part))?.[1] ?? '';
      if (!part.includes(':')) return shape;
      met.push(part);
      return `(${shape})`;
    });
    const found = new RegExp(`^${pattern.join('')}$`, 's').exec(actual);
    if (!found) return false;
    met.forEach((placeholder, index) => {
      this.#bind(placeholder, found[index + 1] ?? '');
    });
    return true;
  }

  /** A uuid has two spellings. */
  #bind(placeholder: string, value: string): void {
    this.#values.set(placeholder, value);
    if (placeholder.startsWith('<uuid'))
      this.#values.set(placeholder.replace('uuid', 'hex'), value.replaceAll('-', ''));
  }
}

function quoted(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
