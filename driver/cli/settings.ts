import { existsSync } from 'node:fs';
import type { Logger } from 'pino';
import { type Config, loadConfig } from '../config/config';
import { createLogger } from '../telemetry/logger';

/** What stands on every command line. */
export interface ConfigFlags {
  readonly configFile: readonly string[];
  readonly configDir: readonly string[];
}

/** Read if it is there and no other file is named. */
const STANDARD_FILE = '/etc/slipstream/slipstream.conf';

/** @throws ConfigError */
export function readConfig({ configFile, configDir }: ConfigFlags): { config: Config; warnings: readonly string[] } {
  const named = configFile.length > 0 || configDir.length > 0;
  const files = named || !existsSync(STANDARD_FILE) ? configFile : [STANDARD_FILE];
  return loadConfig({ files, dirs: configDir, env: process.env });
}

/**
 * Configuration and logger of a process; what the configuration passes over is logged.
 * @param output where to: a command whose standard output is its answer logs elsewhere
 */
export function prepareProcess(
  name: string,
  flags: ConfigFlags,
  output?: NodeJS.WriteStream,
): { config: Config; log: Logger } {
  const { config, warnings } = readConfig(flags);
  const pretty = (output ?? process.stdout).isTTY === true;
  const log = createLogger({ process: name, debug: config.DEFAULT.debug, pretty }, output);
  for (const warning of warnings) log.warn(warning);
  return { config, log };
}
