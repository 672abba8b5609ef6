import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import ini from 'ini';
import { ConfigError } from './errors';

/** Section to option to text. */
export type RawConfig = Record<string, Record<string, string>>;

/**
 * Reads files of OpenStack's dialect of INI in the given order; later values win, as do later lines within a file.
 * @param dirs whose `*.conf` follow after the files, in the order of their names
 * @throws ConfigError naming file and line
 */
export function readIniFiles(files: readonly string[], dirs: readonly string[]): RawConfig {
  const raw: RawConfig = {};
  for (const file of [...files, ...dirs.flatMap(listConfFiles)]) {
    for (const [section, options] of Object.entries(parseIni(readConfFile(file), file))) {
      raw[section] = { ...raw[section], ...options };
    }
  }
  return raw;
}

/**
 * Comments are whole lines beginning with # or ;, so values may hold both. A line that begins with a blank goes on with
 * the value before it. Quotes around a value fall away.
 * @param file for error messages
 */
export function parseIni(text: string, file: string): RawConfig {
  const parsed: Record<string, unknown> = ini.parse(normalize(text, file));
  const raw: RawConfig = {};
  for (const [section, options] of Object.entries(parsed)) {
    // `ini` makes values of the words true, false and null; here every value is a text.
    const texts = Object.entries(options as object).map(([key, value]) => [key, String(value)]);
    raw[section] = Object.fromEntries(texts);
  }
  return raw;
}

/** What `ini` reads verbatim: one line an option, each value a JSON string, and dots in names that nest nothing. */
function normalize(text: string, file: string): string {
  const lines: string[] = [];
  let section = 'DEFAULT';
  let open: { key: string; value: string } | undefined;
  const close = (): void => {
    if (open) lines.push(`[${escapeDots(section)}]`, `${open.key}=${JSON.stringify(unquote(open.value))}`);
    open = undefined;
  };
  text.split(/\r?\n/).forEach((line, index) => {
    const content = line.trim();
    if (content === '' || /^[#;]/.test(content)) return;
    if (/^\s/.test(line) && open) {
      open.value += `\n${content}`;
      return;
    }
    close();
    const header = /^\[\s*([^\]]+?)\s*\]$/.exec(content);
    if (header?.[1]) section = header[1];
    else open = parseAssignment(content, `${file}, line ${index + 1}`);
  });
  close();
  return lines.join('\n');
}

function parseAssignment(content: string, where: string): { key: string; value: string } {
  const match = /^([\w.-]+)\s*[=:]\s*(.*)$/.exec(content);
  if (!match?.[1]) throw new ConfigError(`${where}: neither a section nor "option = value"`);
  return { key: match[1], value: match[2] ?? '' };
}

function unquote(value: string): string {
  const [quote] = value;
  return value.length > 1 && (quote === '"' || quote === "'") && value.endsWith(quote) ? value.slice(1, -1) : value;
}

function escapeDots(section: string): string {
  return section.replace(/\./g, '\\.');
}

function readConfFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

function listConfFiles(directory: string): string[] {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ConfigError(`${directory} is not a directory`);
  }
  const names = readdirSync(directory).filter((name) => name.endsWith('.conf'));
  return names.sort().map((name) => join(directory, name));
}
