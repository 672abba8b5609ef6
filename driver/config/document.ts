import type { Option } from './options';
import { sectionNames, sections } from './schema';
import { showValue } from './show';

const PREFACE = `# Configuration

This page is made from the schemas in \`driver/config/sections\` by \`npm run generate\`; \`npm run check\` fails when they differ.

Files are INI as other services of OpenStack read them: \`/etc/slipstream/slipstream.conf\`, or what \`--config-file\` (repeatable)
and \`--config-dir\` (its \`*.conf\` by name) say. Later values win. \`#\` and \`;\` begin a comment at the beginning of a line only; an
indented line goes on with the value before it; \`$\` has no meaning. An environment variable \`OS_<SECTION>__<OPTION>\` in upper case,
such as \`OS_API_SETTINGS__BIND_PORT\`, wins over the files. An unknown option is a warning; a bad value stops the start.
\`slipstream config show\` prints what is in force.
`;

/** docs/configuration.md, whole. */
export function documentConfig(): string {
  const chapters = sectionNames.map((name) => {
    const { about, options } = sections[name];
    const rows = Object.entries(options as Readonly<Record<string, Option<unknown>>>).map(
      ([key, option]) => `| \`${key}\` | ${cell(option.expected)} | ${defaultOf(option)} | ${cell(option.help)} |`,
    );
    return [
      `## [${name}]`,
      '',
      about,
      '',
      '| option | takes | default | meaning |',
      '|---|---|---|---|',
      ...rows,
      '',
    ].join('\n');
  });
  return [PREFACE, ...chapters].join('\n');
}

function defaultOf(option: Option<unknown>): string {
  const shown = showValue(option, option.default);
  return shown === '' ? '' : `\`${cell(shown)}\``;
}

function cell(text: string): string {
  return text.replace(/\|/g, '\\|');
}
