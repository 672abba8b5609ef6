/** The configuration as the rest of the program sees it. */
export { BadValueError, ConfigError } from './errors';
export { type ConfigSources, configFromText, type LoadedConfig, loadConfig } from './load';
export type { Config } from './schema';
export { showConfig } from './show';
