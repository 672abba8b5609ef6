import type { Option } from './options';
import { type Config, sectionNames, sections } from './schema';

const HIDDEN = '***';

/** The configuration as a file, with every option; secrets and passwords in URLs are hidden. */
export function showConfig(config: Config): string {
  return sectionNames
    .map((name) => {
      const options: Readonly<Record<string, Option<unknown>>> = sections[name].options;
      const values: Readonly<Record<string, unknown>> = config[name];
      const lines = Object.entries(options).map(([key, option]) =>
        `${key} = ${showValue(option, values[key])}`.trimEnd(),
      );
      return [`[${name}]`, ...lines, ''].join('\n');
    })
    .join('\n');
}

/** One value as `showConfig` shows it. Lines after the first are indented, which is how a file continues a value. */
export function showValue(option: Option<unknown>, value: unknown): string {
  if (option.secret) return value === null ? '' : HIDDEN;
  return option.show(value).replace(/\n/g, '\n    ');
}
