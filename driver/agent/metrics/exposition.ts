/** Text in Prometheus' exposition format 0.0.4, family by family. */
export interface Exposition {
  /** Begins a family; its samples follow. */
  family(name: string, type: 'counter' | 'gauge', help: string): void;
  /** One sample of the family begun last. Label values are ids and fixed words: they need no escaping. */
  sample(labels: Readonly<Record<string, string>>, value: bigint | number): void;
  text(): string;
}

export function createExposition(): Exposition {
  const lines: string[] = [];
  let current = '';
  return {
    family(name, type, help) {
      current = `octavia_${name}`;
      lines.push(`# HELP ${current} ${help}`, `# TYPE ${current} ${type}`);
    },
    sample(labels, value) {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
      lines.push(`${current}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`);
    },
    text: () => `${lines.join('\n')}\n`,
  };
}
